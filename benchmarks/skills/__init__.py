"""Measurements of the skills, one module each: `python -m benchmarks.skills.NAME`.

Results go to `benchmarks/results/skills-NAME.json`, tables into `docs/skills/NAME.md`.
What is chosen (weights, wordings, thresholds) is chosen on parts of the training
data, what is reported is not. Intervals resample what is independent of each
other: dialogues, users, documents.

    low, high = interval(values_of_each_dialogue)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

Statistic = Callable[[NDArray[np.float64]], float]
NUM_RESAMPLES = 2000


def interval(
    values: Sequence[float] | Sequence[Sequence[float]],
    statistic: Statistic | None = None,
    *,
    share: float = 0.95,
    seed: int = 0,
) -> tuple[float, float]:
    """Percentile bootstrap interval of a statistic of independent things.

    Args:
        values: one value, or one row of values, for each thing that is resampled (a dialogue, a user).
        statistic: of a resampled array of shape (n,) or (n, columns); the mean by default.
        share: of the resamples inside of the interval.

    Raises:
        ValueError: there is nothing to resample.
    """
    rows = np.asarray(values, dtype=np.float64)
    if not len(rows):
        raise ValueError("no values: there is nothing to resample")
    draw = np.random.default_rng(seed)
    of = statistic or (lambda taken: float(taken.mean()))
    found = [of(rows[draw.integers(len(rows), size=len(rows))]) for _ in range(NUM_RESAMPLES)]
    low, high = np.quantile(found, [(1 - share) / 2, (1 + share) / 2])
    return float(low), float(high)


def with_interval(values: Sequence[float], *, scale: float = 100.0, digits: int = 1) -> str:
    """`38.3 [37.0, 39.6]`: the mean of independent values and its interval, in percent by default."""
    low, high = (scale * end for end in interval(values))
    mean = scale * float(np.mean(values))
    return f"{mean:.{digits}f} [{low:.{digits}f}, {high:.{digits}f}]"
