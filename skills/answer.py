"""Grounded question answering: the default skill.

The turn pipeline does the work (search, generate, check, quote or admit); this
skill says when it is wanted, which is always, a little.
"""

from __future__ import annotations

from collections.abc import Iterator

from dialog.events import Event
from dialog.skill import SkillSpec, SkillTurn

_MATCHES_ANYTHING = 0.5


class Answer:
    """Answers from the documents, with citations, or says that it does not know."""

    spec = SkillSpec(name="answer", description="answer from the documents, with citations")

    def matches(self, turn: SkillTurn) -> float:
        return _MATCHES_ANYTHING

    def run(self, turn: SkillTurn) -> Iterator[Event]:
        return turn.answer()
