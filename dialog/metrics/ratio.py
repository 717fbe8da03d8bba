"""Scores that are a share of sums, and F1 of counts: what most metrics are made of.

A metric that is a mean or a share gives its numerator and denominator a
conversation; the sums divide. NaN where there is nothing to divide by.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dialog.metrics.judged import JudgedTurn

if TYPE_CHECKING:
    from dialog.metrics.metric import Floats

Part = tuple[float, float]
"""(numerator, denominator) of a turn."""


def divided(numerator: Floats, denominator: Floats) -> Floats:
    """Elementwise quotient; NaN where the denominator is 0."""
    scores = np.full(np.shape(denominator), np.nan)
    np.divide(numerator, denominator, out=scores, where=np.asarray(denominator) != 0)
    return scores


@dataclass(frozen=True)
class Ratio:
    """A `Metric` from a function that says what one turn adds; None where the metric does not apply to it."""

    name: str
    unit: str
    higher_is_better: bool | None
    signature: str
    part: Callable[[JudgedTurn], Part | None]
    size: int = 2

    def tally(self, turns: Sequence[JudgedTurn]) -> Floats:
        return _summed((self.part(turn) for turn in turns), self.size)

    def value(self, sums: Floats) -> Floats:
        return divided(sums[..., 0], sums[..., 1])


Counts = tuple[float, float, float]
"""True positives, false positives, false negatives of a turn."""


@dataclass(frozen=True)
class Agreement:
    """Precision, recall or F1 of a decision; `counts` is None where a turn says nothing about it."""

    name: str
    score: str
    signature: str
    counts: Callable[[JudgedTurn], Counts | None]
    unit: str = "share"
    higher_is_better: bool | None = True
    size: int = 3

    def tally(self, turns: Sequence[JudgedTurn]) -> Floats:
        return _summed((self.counts(turn) for turn in turns), self.size)

    def value(self, sums: Floats) -> Floats:
        right, wrong, missed = sums[..., 0], sums[..., 1], sums[..., 2]
        match self.score:
            case "precision":
                return divided(right, right + wrong)
            case "recall":
                return divided(right, right + missed)
            case _:
                return divided(2 * right, 2 * right + wrong + missed)


def _summed(parts: Iterable[Sequence[float] | None], size: int) -> Floats:
    sums = np.zeros(size)
    for part in parts:
        if part is not None:
            sums += part
    return sums
