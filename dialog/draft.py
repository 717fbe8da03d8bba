"""The reply as it grows during a turn: the one thing of a turn that changes.

A `Draft` takes the turn's events and becomes the `Reply`, whole or cut short.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from dialog.actions import Actions
from dialog.choosing import question
from dialog.conversation import Conversation
from dialog.entries import Entry, IntentSet, SlotSet, UserSaid
from dialog.events import ActionProposed, Event, Notice, PromptReady, SkillCalled, TextDelta
from dialog.instructions import resolve
from dialog.phrases import Occasion, phrase
from dialog.protocols import Cancel, LanguageModel, Retriever
from dialog.settings import Settings
from dialog.skill import Skill, SkillSpec, Tools
from dialog.state import fold
from dialog.structured import Form
from dialog.text import detect_language
from dialog.tuned import Adapting
from dialog.values import (
    Attribution,
    Citation,
    Fingerprint,
    FinishReason,
    FitReport,
    Language,
    Mode,
    Prompt,
    Reply,
    ReplyState,
    Sampling,
    Summary,
    Timings,
)
from dialog.wishes import language_wished

NOTHING_SHOWN = FitReport(limit_tokens=0, used_tokens=0, reserved_tokens=0)
"""The fit of a turn that needed no prompt."""


@dataclass(frozen=True)
class Parts:
    """What a turn works with; opened once by the agent."""

    settings: Settings
    model: LanguageModel
    retriever: Retriever | None
    skills: Sequence[Skill]
    fingerprint: Fingerprint
    actions: Actions = field(default_factory=dict)
    tools: Tools | None = None
    """What skills may open besides."""

    def fingerprint_of(self, conversation_id: str) -> Fingerprint:
        """With the adapters and the decoder that the conversation is answered with."""
        if not isinstance(self.model, Adapting):
            return self.fingerprint
        adapter = " + ".join(self.model.in_use(conversation_id)) or None
        return self.fingerprint.model_copy(update={"adapter": adapter})


@dataclass(frozen=True)
class Request:
    """What is asked: the head of `conversation` is `said`."""

    conversation: Conversation
    said: UserSaid
    sampling: Sampling
    cancel: Cancel
    form: Form | None = None
    """What the reply must be, where it is one for a program."""

    @property
    def language(self) -> Language:
        """The user's language."""
        return language_spoken(self.said.text, self.conversation)


def language_spoken(text: str, conversation: Conversation) -> Language:
    """The language of a message; that of the words before where this one shows none."""
    said = detect_language(text)
    if said != "und":
        return said
    earlier = (detect_language(turn.user) for turn in conversation.turns_back())
    return next((language for language in earlier if language != "und"), "und")


@dataclass(frozen=True)
class Handing:
    """A person is to take over; without a briefing they get the last exchanges."""

    reason: str = "no answer was found"
    briefing: str | None = None


@dataclass(frozen=True)
class Outcome:
    """What a turn leaves to be recorded."""

    reply: Reply
    summary: Summary | None
    handing: Handing | None
    proposals: tuple[ActionProposed, ...] = ()
    noted: tuple[Entry, ...] = ()
    """What the skill understood, in order; parents are set when it is recorded."""


@dataclass
class Draft:
    """What has been said so far, and what it cost."""

    parts: Parts
    request: Request
    text: str = ""
    mode: Mode = "generated"
    finish_reason: FinishReason = "stop"
    skill: str = ""
    handing: Handing | None = None
    noted: list[Entry] = field(default_factory=list)
    summary: Summary | None = None
    citations: list[Citation] = field(default_factory=list)
    unsupported: list[tuple[int, int]] = field(default_factory=list)
    needs: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()
    notices: list[str] = field(default_factory=list)
    proposals: list[ActionProposed] = field(default_factory=list)
    fit: FitReport = NOTHING_SHOWN
    prompt: Prompt | None = None
    """What the model was shown last; None where it was not asked."""
    attribution: tuple[Attribution, ...] | None = None
    retrieve_s: float = 0.0
    render_s: float = 0.0
    prefill_s: float = 0.0
    first_token_s: float = 0.0
    decode_s: float = 0.0
    cached_tokens: int = 0
    reply_tokens: int = 0

    def __post_init__(self) -> None:
        self.started = time.perf_counter()
        self.state = fold(self.request.conversation)
        wished = language_wished(resolve(self.state.instructions).active)
        self.language: Language = self.request.language if wished == "und" else wished
        self.fingerprint = self.parts.fingerprint_of(self.request.conversation.id)

    def take(self, event: Event) -> None:
        """Note what an event says before it is passed on."""
        match event:
            case TextDelta(text=text):
                self.first_token_s = self.first_token_s or time.perf_counter() - self.started
                self.text += text
            case Notice(text=text):
                self.notices.append(text)
            case PromptReady(fit=fit):
                self.fit = fit
            case SkillCalled(skill=skill):
                self.skill = skill
            case ActionProposed():
                self.proposals.append(event)
            case _:
                pass

    def say(self, occasion: Occasion, *, finish_reason: FinishReason = "stop") -> Iterator[Event]:
        """The whole reply is a fixed phrase."""
        self.mode, self.finish_reason = "fixed", finish_reason
        yield TextDelta(text=phrase(occasion, language=self.language))

    def ask_for(self, needs: Sequence[str]) -> Iterator[Event]:
        """The whole reply asks for slots."""
        self.mode, self.finish_reason, self.needs = "fixed", "stop", tuple(needs)
        names = ("、" if self.language == "zh" else ", ").join(name.replace("_", " ") for name in needs)
        yield TextDelta(text=phrase("needs", language=self.language).replace("{names}", names))

    def ask_which(self, specs: Sequence[SkillSpec]) -> Iterator[Event]:
        """The whole reply asks which of two skills is meant."""
        self.mode, self.finish_reason = "fixed", "stop"
        self.choices = tuple(spec.name for spec in specs)
        yield TextDelta(text=question(specs, phrase("which", language=self.language), self.language))

    def reply(self) -> Reply:
        """What is recorded and returned, as things stand."""
        intent, slots = self.understood()
        return Reply(
            text=self.text,
            mode=self.mode,
            finish_reason=self.finish_reason,
            conversation_id=self.request.conversation.id,
            turn_id=self.request.said.id,
            skill=self.skill,
            citations=tuple(self.citations),
            attribution=self.attribution,
            fit=self.fit,
            timings=Timings(
                retrieve_s=self.retrieve_s,
                render_s=self.render_s,
                prefill_s=self.prefill_s,
                first_token_s=self.first_token_s,
                decode_s=self.decode_s,
                prompt_tokens=self.fit.used_tokens,
                cached_tokens=self.cached_tokens,
                reply_tokens=self.reply_tokens,
            ),
            state=ReplyState(
                intent=intent,
                slots=slots,
                skill=self.skill or None,
                handoff="waiting" if self.handing else self.state.handoff.status,
            ),
            fingerprint=self.fingerprint,
            unsupported=tuple(self.unsupported),
            needs=self.needs,
            choices=self.choices,
            notices=tuple(self.notices),
        )

    def outcome(self) -> Outcome:
        if self.finish_reason == "error":
            # A skill that failed half-way may have noted half of what it understood.
            self.noted.clear()
        return Outcome(self.reply(), self.summary, self.handing, tuple(self.proposals), tuple(self.noted))

    def understood(self) -> tuple[str | None, dict[str, Any]]:
        """Intent and slots after what this turn noted."""
        intent = self.state.intent
        slots = {name: slot.value for name, slot in self.state.slots.items()}
        for entry in self.noted:
            match entry:
                case IntentSet():
                    intent = entry.intent
                case SlotSet(name=name, value=None):
                    slots.pop(name, None)
                case SlotSet(name=name, value=value):
                    slots[name] = value
                case _:
                    pass
        return intent, slots
