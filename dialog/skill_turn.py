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
from dialog.events import Event, PromptReady, Retrieved, TextDelta
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

    def answer(self, *, question: str | None = None) -> Iterator[Event]:
        if question is None or question == self.text:
            yield from super().answer()
            return
        result = search(self.parts, self.request, self.draft, query=question)
        if result is not None:
            yield Retrieved(result=result)
        yield from replace(self, asked=question, result=result).answer()

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
