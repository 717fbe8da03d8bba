"""chrF2 of the corpus: F of character n-grams, the same for every language.

Source: Popovic 2015, "chrF", and Post 2018; equal to `sacrebleu.corpus_chrf` on
the same turns.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from dialog.metrics.judged import JudgedTurn
from dialog.metrics.sacre import sacrebleu

if TYPE_CHECKING:
    from dialog.metrics.metric import Floats

_ORDER = 6
_BETA = 2


class ChrF:
    """0..100. A tally is (n-grams of the reply, of the reference, common) by order, and the number of turns.

    Raises:
        MissingExtra: sacrebleu is not installed.
    """

    name = "chrf"
    unit = "points"
    higher_is_better: bool | None = True
    size = 3 * _ORDER + 1

    def __init__(self) -> None:
        library = sacrebleu()
        self.signature = f"nrefs:1|case:mixed|eff:yes|nc:{_ORDER}|nw:0|space:no|version:{library.__version__}"
        self._count = library.metrics.helpers.extract_all_char_ngrams

    def tally(self, turns: Sequence[JudgedTurn]) -> Floats:
        sums = np.zeros(self.size)
        for turn in turns:
            if turn.wanted.text is not None:
                sums += [*self._counts(turn.given.text or "", turn.wanted.text), 1]
        return sums

    def value(self, sums: Floats) -> Floats:
        given, wanted, common = (sums[..., start : 3 * _ORDER : 3] for start in range(3))
        counted = (given > 0) & (wanted > 0)
        with np.errstate(divide="ignore", invalid="ignore"):
            precision, recall = common / given, common / wanted
            orders = counted.sum(axis=-1)
            mean_precision = np.where(counted, precision, 0).sum(axis=-1) / orders
            mean_recall = np.where(counted, recall, 0).sum(axis=-1) / orders
            score = (1 + _BETA**2) * mean_precision * mean_recall / (_BETA**2 * mean_precision + mean_recall)
        score = np.where((orders > 0) & (common.sum(axis=-1) > 0), 100 * score, 0.0)
        return np.where(sums[..., -1] > 0, score, np.nan)

    def _counts(self, reply: str, reference: str) -> list[int]:
        counts: list[int] = []
        pairs = zip(self._count(reply, _ORDER, False), self._count(reference, _ORDER, False), strict=True)
        for given, wanted in pairs:
            # An order the reference has none of does not count for the reply either.
            total = given.total() if wanted else 0
            counts += [total, wanted.total(), (given & wanted).total()]
        return counts
