"""How free conversations go: turns, loops, goals met, and how long they stay on the transcript's script.

All count conversations (each seed's run is one); forced replay has none, so
there they are n/a. The script is left where the user, for what the agent said,
has to say something else than the transcript's user did.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dialog.metrics.judged import Course, JudgedTurn
from dialog.metrics.ratio import divided

if TYPE_CHECKING:
    from dialog.metrics.metric import Floats

Courses = Sequence[Course]
"""Of the turns of one conversation, in order; the last has `ended`."""


@dataclass(frozen=True)
class ByConversation:
    """A mean over conversations; `part` is None where the metric does not apply to one."""

    name: str
    unit: str
    higher_is_better: bool | None
    signature: str
    part: Callable[[Courses], float | None]
    size: int = 2

    def tally(self, turns: Sequence[JudgedTurn]) -> Floats:
        parts = [self.part(courses) for courses in _conversations(turns)]
        known = [part for part in parts if part is not None]
        return np.array([sum(known), float(len(known))])

    def value(self, sums: Floats) -> Floats:
        return divided(sums[..., 0], sums[..., 1])


def turns() -> ByConversation:
    """Mean turns of a conversation."""
    return ByConversation("turns", "turns", None, "per:conversation", lambda courses: float(len(courses)))


def loops() -> ByConversation:
    """Share of conversations that ended because the agent said the same three times."""
    return ByConversation(
        "loops", "share", False, "same-words:3|per:conversation", lambda courses: courses[-1].ended == "loop"
    )


def goals_met() -> ByConversation:
    """Mean share of the user's goals that were met."""
    return ByConversation(
        "goals_met",
        "share",
        True,
        "rules:replay.free|per:conversation",
        lambda courses: courses[-1].goals_met,
    )


def diverged() -> ByConversation:
    """Share of conversations that left the script."""
    return ByConversation(
        "diverged", "share", None, "same-words|per:conversation", lambda courses: courses[-1].is_off_script
    )


def turns_on_script() -> ByConversation:
    """Mean turns before a conversation left the script: the number of the turn of divergence, from 0.

    One that never did counts with all of its turns.
    """
    return ByConversation("turns_on_script", "turns", None, "same-words|per:conversation", _on_script)


def _on_script(courses: Courses) -> float | None:
    if courses[0].is_off_script is None:
        return None
    return float(sum(not course.is_off_script for course in courses))


def _conversations(turns: Sequence[JudgedTurn]) -> Iterator[Courses]:
    for key in sorted({(turn.conversation_id, turn.seed) for turn in turns}):
        of_it = sorted((t for t in turns if (t.conversation_id, t.seed) == key), key=lambda t: t.turn)
        courses = [turn.course for turn in of_it if turn.course is not None]
        if courses:
            yield courses
