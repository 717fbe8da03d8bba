"""The durable entries of a conversation: what must survive, one frozen value a kind.

Entries know their parent and nothing else; the tree over them is
`dialog.conversation`, their meaning is folded by `dialog.state`, the store
keeps them. An entry is never changed or deleted by a turn.

    said = UserSaid(id=new_id(), parent=conversation.head_id, time=now, text="Where is my parcel?")
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field, JsonValue

from dialog.instructions import Instruction
from dialog.values import HandoffStatus, Language, Reply, Value


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


class ActionEntry(EntryBase):
    """A step in the life of an action; `action_id` is the same for all of them (`dialog.actions`)."""

    action_id: str = Field(min_length=1)


class ActionProposed(ActionEntry):
    """Code asked for an action; nothing is done by it alone."""

    kind: Literal["action_proposed"] = "action_proposed"
    name: str
    arguments: dict[str, JsonValue]
    reason: str = ""
    needs_approval: bool = True


class ActionDecided(ActionEntry):
    """Somebody allowed the action or refused it; `by` is their name."""

    kind: Literal["action_decided"] = "action_decided"
    approved: bool
    by: str
    reason: str = ""


class ActionDone(ActionEntry):
    """The end of an action: its result, or the error why it was not done."""

    kind: Literal["action_done"] = "action_done"
    result: JsonValue = None
    error: str | None = None


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
    | Summarised
    | ActionProposed
    | ActionDecided
    | ActionDone,
    Field(discriminator="kind"),
]


def new_id(
    *, clock_ns: Callable[[], int] = time.time_ns, random_bytes: Callable[[int], bytes] = os.urandom
) -> str:
    """A fresh opaque id: 32 hex digits that sort by the time they were made.

    The first half is nanoseconds since 1970, the second half is random.
    """
    return f"{clock_ns():016x}{random_bytes(8).hex()}"
