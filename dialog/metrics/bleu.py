"""BLEU of the corpus, from the counts sacrebleu makes of each turn.

Source: Papineni et al. 2002, and Post 2018, "A Call for Clarity in Reporting
BLEU Scores"; equal to `sacrebleu.corpus_bleu` on the same turns. Two deviations:
the tokenizer follows the reference's language, and where no reference is long
enough for a run of four tokens the score is n/a instead of 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from dialog.metrics.judged import JudgedTurn
from dialog.metrics.sacre import bleu_scorer, sacrebleu, tokenizer_for

if TYPE_CHECKING:
    from dialog.metrics.metric import Floats

_ORDER = 4
_BY_LANGUAGE = "by-reference(zh:zh,else:13a)"


class Bleu:
    """0..100. A tally is: lengths of reply and reference, matches and totals by order, runs of four wanted.

    Args:
        tokenizer: one of sacrebleu's; None chooses by the reference's language.

    Raises:
        MissingExtra: sacrebleu is not installed.
        ValueError: it has no such tokenizer.
    """

    unit = "points"
    higher_is_better: bool | None = True
    size = 3 + 2 * _ORDER

    def __init__(self, tokenizer: str | None = None) -> None:
        self.name = f"bleu@{tokenizer}" if tokenizer else "bleu"
        self._tokenizer = tokenizer
        self._scorers: dict[str, Any] = {
            name: bleu_scorer(name) for name in ([tokenizer] if tokenizer else ["zh", "13a"])
        }
        tok, version = tokenizer or _BY_LANGUAGE, sacrebleu().__version__
        self.signature = f"nrefs:1|case:mixed|eff:no|tok:{tok}|smooth:exp|version:{version}"

    def tally(self, turns: Sequence[JudgedTurn]) -> Floats:
        sums = np.zeros(self.size)
        for turn in turns:
            if turn.wanted.text is not None:
                sums += self._counts(turn.given.text or "", turn.wanted.text)
        return sums

    def value(self, sums: Floats) -> Floats:
        given, wanted = sums[..., 0], sums[..., 1]
        matches, totals = sums[..., 2 : 2 + _ORDER], sums[..., 2 + _ORDER : 2 + 2 * _ORDER]
        with np.errstate(divide="ignore", invalid="ignore"):
            # Smoothing "exp": the k-th order without a match counts as 1 / 2^k of one.
            halvings = np.cumsum((matches == 0) & (totals > 0), axis=-1)
            precision = np.where(matches > 0, matches, 0.5**halvings) / totals
            score = (
                100 * np.exp(np.mean(np.log(precision), axis=-1)) * np.exp(np.minimum(0, 1 - wanted / given))
            )
        score = np.where((totals > 0).all(axis=-1) & (matches.sum(axis=-1) > 0), score, 0.0)
        return np.where(sums[..., -1] > 0, score, np.nan)

    def _counts(self, reply: str, reference: str) -> list[float]:
        scorer = self._scorers[self._tokenizer or tokenizer_for(reference)]
        found = scorer.corpus_score([reply], [[reference]])
        runs = max(0, found.ref_len - _ORDER + 1)
        return [found.sys_len, found.ref_len, *found.counts, *found.totals, runs]
