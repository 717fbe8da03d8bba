"""The turn as a skill holds it: the grounded answer, and the skill's own ways to speak and to take note.

What a skill notes (intent, slots, who has the conversation) becomes durable
with the reply, in one append, or not at all.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from dialog.answering import Answering
from dialog.draft import Handing
from dialog.entries import IntentSet, SkillEntered, SlotSet, new_id
from dialog.events import Event, Notice, PromptReady, Retrieved, TextDelta
from dialog.instructions import Instruction
from dialog.shown import recent_messages, search
from dialog.skill import Tools
from dialog.state import DialogState
from dialog.values import FinishReason, Message, Mode, SearchResult


@dataclass(frozen=True)
class TurnInHand(Answering):
    """Implements `dialog.skill.SkillTurn`; `asked` stands in for the user's words where it is not None."""

    asked: str | None = None

    @property
    def text(self) -> str:
        return super().text if self.asked is None else self.asked

    @property
    def found(self) -> SearchResult | None:
        return self.result

    @cached_property
    def history(self) -> Sequence[Message]:
        return recent_messages(self.request)

    @property
    def state(self) -> DialogState:
        return self.draft.state

    @property
    def tools(self) -> Tools:
        assert self.parts.tools is not None, "an agent's parts bring tools"
        return self.parts.tools

    def answer(self, instruction: str = "", *, question: str | None = None) -> Iterator[Event]:
        told = self._told(instruction)
        if question is None or question == self.text:
            yield from told.grounded()
            return
        result = search(self.parts, self.request, self.draft, query=question)
        if result is not None:
            yield Retrieved(result=result)
        yield from replace(told, asked=question, result=result).grounded()

    def generate(self, instruction: str = "") -> Iterator[Event]:
        told = replace(self._told(instruction), result=None)
        languages = self.parts.model.info.languages
        if self.language in (*languages, "und"):
            yield from told.unchecked()
            return
        yield PromptReady(fit=self.nothing_shown())
        yield Notice(text=f"the model does not write {self.language!r}; set model.name to one that does")
        yield from self.draft.say("abstain", finish_reason="abstained")

    def _told(self, instruction: str) -> TurnInHand:
        """This turn, in which the model is also told something."""
        if not instruction.strip():
            return self
        one = Instruction(id="skill", text=instruction, source="skill", scope="turn")
        return replace(self, told=(*self.told, one))

    def say(
        self, text: str, *, mode: Mode = "fixed", finish_reason: FinishReason = "stop"
    ) -> Iterator[Event]:
        """Empty text says nothing."""
        self.draft.mode, self.draft.finish_reason = mode, finish_reason
        yield PromptReady(fit=self.nothing_shown())
        if text:
            yield TextDelta(text=text)

    def note_intent(self, intent: str | None, confidence: float) -> None:
        self.draft.noted.append(IntentSet(**self._stamp(), intent=intent, confidence=confidence))

    def set_slot(self, name: str, value: Any) -> None:
        self.draft.noted.append(SlotSet(**self._stamp(), name=name, value=value, source=self.request.said.id))

    def enter(self, skill: str | None) -> None:
        self.draft.noted.append(SkillEntered(**self._stamp(), skill=skill))

    def hand_off(self, reason: str, *, briefing: str | None = None) -> Iterator[Event]:
        self.draft.handing = Handing(reason, briefing)
        yield PromptReady(fit=self.nothing_shown())
        yield from self.draft.say("handing", finish_reason="handed_off")

    def _stamp(self) -> dict[str, Any]:
        """Of a new entry; its parent is set when it is recorded."""
        return {"id": new_id(), "parent": self.request.said.id, "time": datetime.now(UTC)}
