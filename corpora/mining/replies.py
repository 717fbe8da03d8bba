"""The usual one of several replies: the one most like the others, word for word as somebody gave it.

usual_reply([Reply("Refunds take 5 days.", ...), ...]).text
"""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import Field

from corpora.mining.openings import Reply
from dialog.claims import content_terms
from dialog.values import Value

MAX_COMPARED = 200
ALIKE = 0.5


class ReplyTemplate(Value):
    """A reply to begin from; `alike` of `of` replies resemble it by at least a half of their words."""

    text: str
    conversation: str
    turn: int = Field(ge=0)
    alike: int = Field(ge=1)
    of: int = Field(ge=1)


def usual_reply(replies: Sequence[Reply]) -> ReplyTemplate | None:
    """The one that shares most with the others, the earlier of two; None if there are none.

    Of more than `MAX_COMPARED`, evenly spread ones are compared.
    """
    if not replies:
        return None
    step = max(1, len(replies) // MAX_COMPARED)
    compared = list(replies[::step])[:MAX_COMPARED]
    terms = [content_terms(reply.text) for reply in compared]
    shared = [[resemblance(one, other) for other in terms] for one in terms]
    best = max(range(len(compared)), key=lambda number: (sum(shared[number]), -number))
    return ReplyTemplate(
        text=compared[best].text,
        conversation=compared[best].place.conversation,
        turn=compared[best].place.turn,
        alike=max(1, sum(value >= ALIKE for value in shared[best])),
        of=len(compared),
    )


def resemblance(one: set[str], other: set[str]) -> float:
    """Jaccard; two empty sets are alike."""
    union = len(one | other)
    return len(one & other) / union if union else 1.0
