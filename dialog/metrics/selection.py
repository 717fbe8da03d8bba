"""Response selection, R@k of N: is the true reply among the k candidates nearest to what was said?

Source: Lowe et al. 2015, "The Ubuntu Dialogue Corpus", section 4.3. Deviation:
an agent that writes does not rank, so the candidates are ranked by their token
F1 with its reply. Ties count against the agent.
"""

from __future__ import annotations

from dialog.metrics.judged import JudgedTurn
from dialog.metrics.overlap import token_f1_of
from dialog.metrics.ratio import Part, Ratio
from dialog.metrics.tokens import ANSWER_SIGNATURE


def selection(k: int = 1, *, num_candidates: int = 10) -> Ratio:
    """Share of turns whose reply is nearer to its reference than to all but k - 1 of the others.

    Args:
        k: at least 1, less than `num_candidates`.
        num_candidates: N, the true reply among them. Turns with fewer are left out.
    """
    if not 1 <= k < num_candidates:
        raise ValueError(f"selection@{k} of {num_candidates}: k must be at least 1 and less than N")

    def part(turn: JudgedTurn) -> Part | None:
        others = [text for text in turn.candidates if text != turn.wanted.text][: num_candidates - 1]
        if turn.wanted.text is None or len(others) < num_candidates - 1:
            return None
        given = turn.given.text
        if not given:
            return 0, 1
        score = token_f1_of(given, turn.wanted.text)
        better = sum(token_f1_of(given, other) >= score for other in others)
        return float(better < k), 1

    return Ratio(
        f"selection@{k}" if num_candidates == 10 else f"selection@{k}of{num_candidates}",
        "share",
        True,
        f"r@{k}|n:{num_candidates}|near:token-f1|ties:against|{ANSWER_SIGNATURE}",
        part,
    )
