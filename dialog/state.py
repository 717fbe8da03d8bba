"""What a conversation has come to: the pure fold of the entries along the path to its head.

Whatever the agent knows about a conversation, it knows from here: nothing is
kept beside the record, so undo, edit and fork take the state with them. What
was said while a person had the conversation is in the record and in no state.

    state = fold(conversation)
    state.slots["order_no"].value, state.handoff.status
    for turn in visible_turns_back(conversation): ...

Folding continues from the nearest remembered ancestor, so a turn costs the
same at the 10th and at the 10,000th.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, TypeVar, assert_never

from pydantic import Field

from dialog.conversation import Conversation, turns_of
from dialog.entries import (
    ActionEntry,
    Entry,
    HandedOff,
    HumanSaid,
    InstructionSet,
    IntentSet,
    Rated,
    Replied,
    Resumed,
    SkillEntered,
    SlotSet,
    Summarised,
    UserSaid,
)
from dialog.instructions import Instruction
from dialog.tree import Node
from dialog.underway import OpenAction, after
from dialog.values import HandoffStatus, Summary, Turn, Value

V = TypeVar("V", bound=Value)

CHECKPOINT_EVERY = 256


class Slot(Value):
    """A slot's value and the entry it was read from."""

    value: Any
    source: str


class Rating(Value):
    """The newest rating of one reply; `score` in [-1, 1]."""

    score: float
    reason: str = ""
    better: str | None = None


class Handoff(Value):
    """Who has the conversation: `bot -> waiting -> human -> bot`.

    `since` is when the status began, or, while a person has the conversation,
    when something was last said. `timeout_s` counts from there.
    """

    status: HandoffStatus = "bot"
    reason: str = ""
    briefing: str = ""
    since: datetime | None = None
    timeout_s: float | None = None

    def is_expired(self, now: datetime) -> bool:
        """True when nobody came, or the person fell silent, for longer than `timeout_s`."""
        if self.status == "bot" or self.since is None or self.timeout_s is None:
            return False
        return now - self.since > timedelta(seconds=self.timeout_s)

    def may_become(self, status: HandoffStatus) -> bool:
        """The machine's arrows: bot -> waiting or human, waiting -> human or bot, human -> waiting or bot."""
        return status != self.status


class ResumeMarker(Value):
    """The agent got the conversation back: `hidden_messages` were exchanged that it may not see."""

    entry_id: str
    reason: str
    hidden_messages: int
    time: datetime


class DialogState(Value):
    """The state at a head.

    Attributes:
        slots: by name, cleared ones absent.
        instructions: the conversation's stack in the order it was set, conflicts unresolved
            (`dialog.instructions.resolve`); instructions of one turn are gone after it.
        summary: the newest valid one on the path.
        ratings: by reply id.
        actions: those not done, not failed and not refused, by action id (`dialog.underway`).
        resumed: set from a Resumed after a person had the conversation, until the next hand-off.
        num_turns: user turns along the path, hidden ones included.
        hidden_messages: messages exchanged in the current hand-off to a person.
    """

    slots: dict[str, Slot] = Field(default_factory=dict)
    intent: str | None = None
    intent_confidence: float = 0.0
    skill: str | None = None
    instructions: tuple[Instruction, ...] = ()
    instruction_turns: tuple[int | None, ...] = ()
    """For each instruction, the turn (from 0) it is for; None for all."""
    summary: Summary | None = None
    handoff: Handoff = Handoff()
    resumed: ResumeMarker | None = None
    ratings: dict[str, Rating] = Field(default_factory=dict)
    actions: dict[str, OpenAction] = Field(default_factory=dict)
    num_turns: int = 0
    is_answered: bool = True
    hidden_messages: int = 0


EMPTY = DialogState()


def fold(conversation: Conversation) -> DialogState:
    """The state at the head; of an empty conversation, the defaults. Pure: equal paths, equal states."""
    node = conversation.head_node
    if node is None:
        return EMPTY
    arena = conversation.arena
    pending: list[Node] = []
    known: DialogState | None = None
    for ancestor in node.back():
        known = arena.remembered(ancestor)
        if known is not None:
            break
        pending.append(ancestor)
    state = known or EMPTY
    for step in reversed(pending):
        state = advance(state, step)
        if step.depth % CHECKPOINT_EVERY == 0:
            arena.remember(step, state, forever=True)
    arena.remember(node, state)
    return state


def full_fold(conversation: Conversation) -> DialogState:
    """The same as `fold`, from the root and without remembering anything: what `fold` is checked against."""
    state = EMPTY
    for node in list(conversation.nodes_back())[::-1]:
        state = advance(state, node)
    return state


def visible_turns_back(conversation: Conversation) -> Iterator[Turn]:
    """The turns a prompt may show, newest first, read lazily.

    What was said between HandedOff(status="human") and Resumed is left out,
    by whomever it was said; `Turn.index` still counts every turn.
    """
    return turns_of(node for node in conversation.nodes_back() if node.handoff != "human")


def advance(state: DialogState, node: Node) -> DialogState:
    """The state one entry later. Total: any recorded entry has a meaning, if only none."""
    entry = node.entry
    if state.handoff.status == "human" and not isinstance(
        entry, HandedOff | Resumed | Rated | InstructionSet | ActionEntry
    ):
        return _while_human(state, entry)
    match entry:
        case UserSaid():
            return _user_said(state)
        case Replied():
            return _with(state, is_answered=True)
        case HumanSaid():
            return state
        case InstructionSet():
            return _instruction_set(state, entry)
        case SlotSet():
            slots = {name: slot for name, slot in state.slots.items() if name != entry.name}
            if entry.value is not None:
                slots[entry.name] = Slot(value=entry.value, source=entry.source)
            return _with(state, slots=slots)
        case IntentSet():
            return _with(state, intent=entry.intent, intent_confidence=entry.confidence)
        case SkillEntered():
            return _with(state, skill=entry.skill)
        case HandedOff():
            return _handed_off(state, entry)
        case Resumed():
            return _resumed(state, entry)
        case Rated():
            rating = Rating(score=entry.score, reason=entry.reason, better=entry.better)
            return _with(state, ratings={**state.ratings, entry.reply_id: rating})
        case Summarised():
            return _summarised(state, entry, node)
        case ActionEntry():
            return _with(state, actions=after(state.actions, entry))
        case _:
            assert_never(entry)


def _user_said(state: DialogState) -> DialogState:
    kept = [
        (instruction, turn)
        for instruction, turn in zip(state.instructions, state.instruction_turns, strict=True)
        if turn is None or turn >= state.num_turns
    ]
    return _with(
        state,
        num_turns=state.num_turns + 1,
        is_answered=False,
        instructions=tuple(instruction for instruction, _ in kept),
        instruction_turns=tuple(turn for _, turn in kept),
    )


def _instruction_set(state: DialogState, entry: InstructionSet) -> DialogState:
    """While a person has the conversation, wishes read from what is said there are not heard."""
    if state.handoff.status == "human" and entry.active and entry.instruction.source == "wish":
        return state
    kept = [
        (instruction, turn)
        for instruction, turn in zip(state.instructions, state.instruction_turns, strict=True)
        if instruction.id != entry.instruction.id
    ]
    if entry.active:
        current = state.num_turns if state.is_answered else state.num_turns - 1
        kept.append((entry.instruction, current if entry.instruction.scope == "turn" else None))
    return _with(
        state,
        instructions=tuple(instruction for instruction, _ in kept),
        instruction_turns=tuple(turn for _, turn in kept),
    )


def _handed_off(state: DialogState, entry: HandedOff) -> DialogState:
    if entry.status == "bot":
        return _back_to_bot(state, entry, entry.reason)
    before = state.handoff
    timeout_s = entry.timeout_s if entry.timeout_s is not None else before.timeout_s
    handoff = Handoff(
        status=entry.status,
        reason=entry.reason or before.reason,
        briefing=entry.briefing or before.briefing,
        since=entry.time,
        timeout_s=timeout_s,
    )
    return _with(state, handoff=handoff, resumed=None)


def _resumed(state: DialogState, entry: Resumed) -> DialogState:
    return state if state.handoff.status == "bot" else _back_to_bot(state, entry, entry.reason)


def _back_to_bot(state: DialogState, entry: HandedOff | Resumed, reason: str) -> DialogState:
    marker = ResumeMarker(
        entry_id=entry.id, reason=reason, hidden_messages=state.hidden_messages, time=entry.time
    )
    return _with(state, handoff=Handoff(), resumed=marker, hidden_messages=0, is_answered=True)


def _while_human(state: DialogState, entry: Entry) -> DialogState:
    """Only that something was said counts, not what."""
    if not isinstance(entry, UserSaid | HumanSaid):
        return state
    return _with(
        state,
        num_turns=state.num_turns + isinstance(entry, UserSaid),
        hidden_messages=state.hidden_messages + 1,
        handoff=_with(state.handoff, since=entry.time),
    )


def _summarised(state: DialogState, entry: Summarised, node: Node) -> DialogState:
    """A summary holds if all it covers comes before it on the path and was the agent's to see."""
    missing = set(entry.covers)
    for ancestor in node.back():
        if not missing:
            break
        if ancestor.entry.id in missing and ancestor.handoff != "human":
            missing.remove(ancestor.entry.id)
    if missing:
        return state
    summary = Summary(id=entry.id, text=entry.text, covers=entry.covers, language=entry.language)
    return _with(state, summary=summary)


def _with(value: V, **changes: Any) -> V:
    return value.model_copy(update=changes)
