"""Token F1 and exact match, as SQuAD defines them, in two languages; means over turns.

Source: Rajpurkar et al. 2016, "SQuAD: 100,000+ Questions", section 6.1 and the
evaluation script. Not a test of facts: `3.5` and `35` are one token there, see
`dialog.metrics.facts`.
"""

from __future__ import annotations

from collections import Counter

from dialog.metrics.judged import JudgedTurn
from dialog.metrics.ratio import Part, Ratio
from dialog.metrics.tokens import ANSWER_SIGNATURE, answer_tokens


def token_f1() -> Ratio:
    """F1 of the bags of tokens; a missing reply scores 0."""
    return Ratio("token_f1", "share", True, f"squad-f1|{ANSWER_SIGNATURE}|avg:turn", _f1)


def exact_match() -> Ratio:
    """Whether the tokens are the same, in order; a missing reply scores 0."""
    return Ratio("exact_match", "share", True, f"squad-em|{ANSWER_SIGNATURE}|avg:turn", _exact)


def token_f1_of(reply: str, reference: str) -> float:
    """F1 in [0, 1]; where one has no tokens, 1 if the other has none either."""
    given, wanted = Counter(answer_tokens(reply)), Counter(answer_tokens(reference))
    if not given or not wanted:
        return float(given == wanted)
    return 2 * (given & wanted).total() / (given.total() + wanted.total())


def _f1(turn: JudgedTurn) -> Part | None:
    if turn.wanted.text is None:
        return None
    return (0.0 if turn.given.text is None else token_f1_of(turn.given.text, turn.wanted.text)), 1


def _exact(turn: JudgedTurn) -> Part | None:
    if turn.wanted.text is None:
        return None
    given = turn.given.text
    return float(given is not None and answer_tokens(given) == answer_tokens(turn.wanted.text)), 1
