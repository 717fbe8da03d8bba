"""Grounded question answering: the default skill.

In a conversation the turn pipeline does the work (search, generate, check,
quote or admit), and this skill says when it is wanted, which is always, a
little. On records it answers each question by itself, from the documents given
with it or from the knowledge base, in the same words and with citations.

    (output,) = Answer().work([Input(text="Are returns free?")], tools)
    output.text, output.citations, output.abstained
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib.resources import files
from pathlib import Path

from dialog.events import Event
from dialog.skill import SkillSpec, SkillTurn, Tools
from skills.answer.records import Input, Output
from skills.answer.work import answered

_MATCHES_ANYTHING = 0.5


class Answer:
    """Answers from the documents, with citations, or says that it does not know."""

    spec = SkillSpec(
        name="answer",
        description="answer from the documents, with citations",
        input=Input,
        output=Output,
        cases=Path(str(files("skills") / "answer" / "cases.jsonl")),
        titles={"en": "an answer from our documents", "zh": "查询资料"},
    )

    def matches(self, turn: SkillTurn) -> float:
        return _MATCHES_ANYTHING

    def run(self, turn: SkillTurn) -> Iterator[Event]:
        return turn.answer()

    def work(self, items: Sequence[Input], tools: Tools) -> Iterator[Output]:
        for item in items:
            yield answered(item, tools)


__all__ = ["Answer", "Input", "Output"]
