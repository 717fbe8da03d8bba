"""ROUGE-L: F1 of the longest common subsequence of words, the mean over turns.

Source: Lin 2004, "ROUGE", section 3; on English equal to rouge_score without
stemming. That divides Chinese into nothing; here a Han character is a word.
"""

from __future__ import annotations

from rapidfuzz.distance import LCSseq

from dialog.metrics.judged import JudgedTurn
from dialog.metrics.ratio import Part, Ratio
from dialog.metrics.tokens import SIGNATURE, metric_tokens


def rouge_l() -> Ratio:
    """The metric; a missing reply scores 0."""
    return Ratio("rouge_l", "share", True, f"lcs-f1|stem:no|{SIGNATURE}|avg:turn", _part)


def _part(turn: JudgedTurn) -> Part | None:
    if turn.wanted.text is None:
        return None
    return rouge_l_of(turn.given.text or "", turn.wanted.text), 1


def rouge_l_of(reply: str, reference: str) -> float:
    """F1 in [0, 1]; 0 where either has no words."""
    given, wanted = metric_tokens(reply), metric_tokens(reference)
    if not given or not wanted:
        return 0.0
    numbers = {token: number for number, token in enumerate(dict.fromkeys(given + wanted))}
    common = LCSseq.similarity([numbers[token] for token in given], [numbers[token] for token in wanted])
    return 2 * common / (len(given) + len(wanted))
