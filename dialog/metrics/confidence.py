"""Is the agent's confidence worth something: AUROC, and the expected calibration error.

Confidence is that of having an answer (`Given.confidence`), right if the
question has one (`Wanted.is_answerable`). A turn without a confidence counts as
surely wrong: 0 where there is an answer, 1 where there is none. An agent that
never tells one is n/a.

Source: Hanley & McNeil 1982, "The Meaning and Use of the Area under a ROC
Curve" (ties count half); Guo et al. 2017, "On Calibration of Modern Neural
Networks", section 3 (ECE, equal-width bins). Deviation: AUROC is over 200 bins
of confidence, so that tallies add up; values in one bin are ties.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from dialog.metrics.judged import JudgedTurn
from dialog.metrics.ratio import divided

if TYPE_CHECKING:
    from dialog.metrics.metric import Floats

_RANKS = 200
_BINS = 10
_SIGNATURE = "confidence:of-an-answer|missing:surely-wrong"


class ConfidenceAuroc:
    """0..1: the chance that an answerable question has more confidence than an unanswerable one."""

    name = "confidence_auroc"
    unit = "share"
    higher_is_better: bool | None = True
    signature = f"bins:{_RANKS}|ties:half|{_SIGNATURE}"
    size = 2 * _RANKS + 1

    def tally(self, turns: Sequence[JudgedTurn]) -> Floats:
        sums = np.zeros(self.size)
        for is_answerable, confidence, is_told in _judged(turns):
            sums[is_answerable * _RANKS + min(int(confidence * _RANKS), _RANKS - 1)] += 1
            sums[-1] += is_told
        return sums

    def value(self, sums: Floats) -> Floats:
        without, answerable = sums[..., :_RANKS], sums[..., _RANKS : 2 * _RANKS]
        below = np.cumsum(without, axis=-1) - without
        won = (answerable * (below + without / 2)).sum(axis=-1)
        pairs = answerable.sum(axis=-1) * without.sum(axis=-1)
        return divided(won, np.where(sums[..., -1] > 0, pairs, 0.0))


class ConfidenceError:
    """0..1: how far confidence and the share of answerable questions lie apart, over ten bins."""

    name = "confidence_ece"
    unit = "share"
    higher_is_better: bool | None = False
    signature = f"ece|bins:{_BINS}|{_SIGNATURE}"
    size = 3 * _BINS + 1

    def tally(self, turns: Sequence[JudgedTurn]) -> Floats:
        sums = np.zeros(self.size)
        for is_answerable, confidence, is_told in _judged(turns):
            place = min(int(confidence * _BINS), _BINS - 1)
            sums[[place, _BINS + place, 2 * _BINS + place]] += (1, confidence, is_answerable)
            sums[-1] += is_told
        return sums

    def value(self, sums: Floats) -> Floats:
        count, confidence, right = (sums[..., at * _BINS : (at + 1) * _BINS] for at in range(3))
        apart = np.abs(confidence - right).sum(axis=-1)
        return divided(apart, np.where(sums[..., -1] > 0, count.sum(axis=-1), 0.0))


def _judged(turns: Sequence[JudgedTurn]) -> Iterator[tuple[int, float, bool]]:
    """(whether there is an answer, confidence, whether the agent told it) where the first is known."""
    for turn in turns:
        is_answerable, told = turn.wanted.is_answerable, turn.given.confidence
        if is_answerable is not None:
            missing = 0.0 if is_answerable else 1.0
            yield int(is_answerable), missing if told is None else told, told is not None
