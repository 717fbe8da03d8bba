"""A histogram of positive numbers that adds up and gives quantiles within a stated relative error.

Bins grow by a constant factor, so that the value given for a bin is at most
`RELATIVE_ERROR` from any number in it.

    counts = histogram([0.12, 0.15]) + histogram([0.9])
    quantile(counts, 0.5)      # about 0.15

Source: Masson, Rim and Lee 2019, "DDSketch", sections 2.1 and 2.2, with bins
for a fixed range instead of a map.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from dialog.metrics.metric import Floats

RELATIVE_ERROR = 0.01
LEAST, MOST = 1e-4, 4e4
"""Seconds; what is less counts as the least, what is more as the most."""
_GROWTH = (1 + RELATIVE_ERROR) / (1 - RELATIVE_ERROR)
NUM_BINS = math.ceil(math.log(MOST / LEAST, _GROWTH)) + 1
_VALUES = LEAST * _GROWTH ** np.arange(NUM_BINS) * 2 / (1 + _GROWTH)
"""What stands for a bin: of all numbers the one whose largest relative error is least."""


def histogram(numbers: Iterable[float]) -> Floats:
    """Counts by bin, shape (NUM_BINS,): bin i holds numbers in (LEAST * g^(i-1), LEAST * g^i]."""
    counts = np.zeros(NUM_BINS)
    for number in numbers:
        within = min(max(number, LEAST), MOST)
        counts[min(NUM_BINS - 1, math.ceil(math.log(within / LEAST, _GROWTH) - 1e-9))] += 1
    return counts


def quantile(counts: Floats, q: float) -> Floats:
    """The least number that a share of at least q does not exceed, shape (..., NUM_BINS) to (...).

    Args:
        counts: sums of histograms; NaN where one is empty.
        q: in (0, 1].
    """
    totals = counts.sum(axis=-1)
    reached = np.cumsum(counts, axis=-1) >= (q * totals * (1 - 1e-12))[..., None]
    return np.where(totals > 0, _VALUES[reached.argmax(axis=-1)], np.nan)
