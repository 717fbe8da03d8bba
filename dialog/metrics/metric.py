"""The seam of metrics: a conversation becomes numbers that add up, and sums become a score.

Statistics resample conversations, so a metric says what one conversation
contributes (`tally`) and what a sum of contributions is worth (`value`). The
order of conversations and the number of workers then change nothing. Also
quantiles fit, as histograms (`dialog.metrics.histogram`).

    sums = metric.tally(turns) + metric.tally(other_turns)
    score = metric.value(sums)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from dialog.metrics.judged import JudgedTurn

    Floats = NDArray[np.float64]


@runtime_checkable
class Metric(Protocol):
    """One score. Joins by the entry point `instructrec.metrics`.

    Attributes:
        name: as in `--metrics` and `--fail-on`, for instance `chrf`.
        unit: `share` (0..1), `points` (0..100), `s`, `tokens`, `nats`, ... : how it is shown.
        higher_is_better: None if neither is (length).
        signature: everything that changes the number, printed with it: tokenizer,
            version, parameters.
        size: the length of a tally.
    """

    @property
    def name(self) -> str: ...
    @property
    def unit(self) -> str: ...
    @property
    def higher_is_better(self) -> bool | None: ...
    @property
    def signature(self) -> str: ...
    @property
    def size(self) -> int: ...

    def tally(self, turns: Sequence[JudgedTurn]) -> Floats:
        """What turns of one conversation contribute, shape (size,); zeros where the metric does not apply."""

    def value(self, sums: Floats) -> Floats:
        """Scores of sums of tallies, shape (..., size) to (...); NaN where the denominator is empty."""
