"""Repetition: within a reply (`repetition@4`), and of what was said before (`repeated_reply`).

Source: Welleck et al. 2020, "Neural Text Generation with Unlikelihood Training",
section 6.1 (seq-rep-n: the share of n-grams that occurred before in the text).
A missing reply repeats nothing and is left out.
"""

from __future__ import annotations

from dialog.metrics.judged import JudgedTurn
from dialog.metrics.ratio import Part, Ratio
from dialog.metrics.tokens import SIGNATURE, metric_tokens, ngrams


def repetition(order: int = 4) -> Ratio:
    """Share of the replies' runs of `order` words that the same reply has had before."""

    def part(turn: JudgedTurn) -> Part | None:
        if turn.given.text is None:
            return None
        runs = list(ngrams(metric_tokens(turn.given.text), order))
        return len(runs) - len(set(runs)), len(runs)

    return Ratio(f"repetition@{order}", "share", False, f"seq-rep-{order}|{SIGNATURE}|avg:corpus", part)


def repeated_reply() -> Ratio:
    """Share of replies that say, word for word, what the assistant said before in the conversation."""
    return Ratio("repeated_reply", "share", False, f"same-words|{SIGNATURE}", _repeats)


def _repeats(turn: JudgedTurn) -> Part | None:
    words = metric_tokens(turn.given.text or "")
    if not words:
        return None
    earlier = (message.content for message in turn.messages if message.role == "assistant")
    return float(any(metric_tokens(text) == words for text in earlier)), 1
