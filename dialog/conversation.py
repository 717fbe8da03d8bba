"""The durable record: a tree of immutable entries and a head that moves over it.

Entries are what must survive; the store keeps them, `dialog.state` folds them.
Undo, edit and fork never delete: they move the head.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import Field

from dialog.instructions import Instruction
from dialog.values import HandoffStatus, Language, Reply, Value

Item = TypeVar("Item")


class EntryBase(Value):
    """What every entry has: its id, its parent's (None for a root), and when it was made (UTC)."""

    id: str = Field(min_length=1)
    parent: str | None
    time: datetime


class UserSaid(EntryBase):
    """The user's words, exactly. `turn_key` makes a repeated request the same turn."""

    kind: Literal["user_said"] = "user_said"
    text: str
    turn_key: str | None = None


class Replied(EntryBase):
    """The agent's reply, also when interrupted or fixed."""

    kind: Literal["replied"] = "replied"
    reply: Reply


class HumanSaid(EntryBase):
    """What a person answered while the conversation was in their hands."""

    kind: Literal["human_said"] = "human_said"
    text: str
    author: str


class InstructionSet(EntryBase):
    """An instruction joins the stack, or replaces the one with the same id; `active` False removes it."""

    kind: Literal["instruction_set"] = "instruction_set"
    instruction: Instruction
    active: bool = True


class SlotSet(EntryBase):
    """A slot got a value; `source` is the entry it was read from. None clears it."""

    kind: Literal["slot_set"] = "slot_set"
    name: str
    value: Any
    source: str


class IntentSet(EntryBase):
    """What the user wants, as a skill understood it."""

    kind: Literal["intent_set"] = "intent_set"
    intent: str | None
    confidence: float = Field(ge=0, le=1)


class SkillEntered(EntryBase):
    """A skill took over; None gives the conversation back to the router."""

    kind: Literal["skill_entered"] = "skill_entered"
    skill: str | None


class HandedOff(EntryBase):
    """The conversation goes to a person: `waiting` until one takes it, then `human`."""

    kind: Literal["handed_off"] = "handed_off"
    status: HandoffStatus
    reason: str = ""
    briefing: str = ""
    timeout_s: float | None = None


class Resumed(EntryBase):
    """The agent has the conversation again; nothing said in between enters later prompts."""

    kind: Literal["resumed"] = "resumed"
    reason: str = ""


class Rated(EntryBase):
    """What somebody thought of a reply: `score` in [-1, 1]; `better` is their own wording."""

    kind: Literal["rated"] = "rated"
    reply_id: str
    score: float = Field(ge=-1, le=1)
    reason: str = ""
    better: str | None = None


class Summarised(EntryBase):
    """A derived view of older turns; `covers` names the entries it stands for."""

    kind: Literal["summarised"] = "summarised"
    text: str
    covers: tuple[str, ...]
    language: Language


Entry = Annotated[
    UserSaid
    | Replied
    | HumanSaid
    | InstructionSet
    | SlotSet
    | IntentSet
    | SkillEntered
    | HandedOff
    | Resumed
    | Rated
    | Summarised,
    Field(discriminator="kind"),
]


class Head(Value):
    """Where a conversation stands: `head` is the current entry, `tip` the end of its branch (for redo).

    `version` grows by one with every append or move; stores compare it.
    """

    conversation_id: str
    head: str | None
    tip: str | None
    version: int = Field(ge=0)


class ConversationSummary(Value):
    """A line of `history list`."""

    id: str
    title: str
    num_turns: int
    created: datetime
    updated: datetime


class Page(Value, Generic[Item]):
    """Some items of a longer list, and where the next page begins (None at the end)."""

    items: tuple[Item, ...]
    cursor: str | None = None
