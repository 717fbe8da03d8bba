"""Between a turn and the record: the entries a turn begins and ends with, and how to find them again."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice

from dialog.conversation import Conversation
from dialog.draft import Outcome
from dialog.entries import Entry, HandedOff, InstructionSet, Rated, Replied, Summarised, UserSaid, new_id
from dialog.instructions import Instruction
from dialog.state import fold, visible_turns_back
from dialog.underway import proposal_entries
from dialog.values import Reply
from dialog.wishes import wishes_from_edit, wishes_from_feedback, wishes_in, withdrawn_in

_BRIEFING_TURNS = 3


def said(text: str, *, after: Conversation, turn_key: str | None = None) -> UserSaid:
    """The user's words as the entry that follows the head of `after`."""
    return UserSaid(id=new_id(), parent=after.head_id, time=datetime.now(UTC), text=text, turn_key=turn_key)


def said_entries(message: UserSaid, conversation: Conversation) -> list[Entry]:
    """The user's words, and the standing wishes in them as instructions; all follow the head."""
    entries: list[Entry] = [message]
    withdrawn = withdrawn_in(message.text)
    for instruction in fold(conversation).instructions:
        is_wish = instruction.source in ("wish", "feedback") and instruction.scope != "deployment"
        if is_wish and (instruction.topic in withdrawn or "*" in withdrawn):
            entries.append(_set(entries[-1], instruction, active=False))
    for wish in wishes_in(message.text):
        entries.append(_set(entries[-1], wish, active=True))
    return entries


def rated_entries(rated: Rated, reply: Reply) -> list[Entry]:
    """A rating, and what its reason or the user's own wording of the reply asks for."""
    entries: list[Entry] = [rated]
    wishes = wishes_from_feedback(rated.reason, score=rated.score)
    if rated.better is not None:
        wishes += wishes_from_edit(reply.text, rated.better)
    for wish in wishes:
        entries.append(_set(entries[-1], wish, active=True))
    return entries


def _set(after: Entry, instruction: Instruction, *, active: bool) -> InstructionSet:
    return InstructionSet(
        id=new_id(), parent=after.id, time=after.time, instruction=instruction, active=active
    )


def asked_at(conversation: Conversation, message: UserSaid) -> str:
    """Where `message` is answered from: behind it and the wishes that were heard in it."""
    at = message.id
    while wishes := [one for one in conversation.children(at) if isinstance(one, InstructionSet)]:
        at = wishes[0].id
    return at


def last_said(conversation: Conversation) -> UserSaid:
    """The newest message on the path. Raises ValueError if there is none."""
    for entry in conversation.entries_back():
        if isinstance(entry, UserSaid):
            return entry
    raise ValueError(f"conversation {conversation.id!r} has no message to answer")


def replied_entry(conversation: Conversation, reply_id: str | None = None) -> Replied:
    """The reply called `reply_id`, or the newest on the path. Raises ValueError if there is none."""
    if reply_id is None:
        found = next((entry for entry in conversation.entries_back() if isinstance(entry, Replied)), None)
        if found is None:
            raise ValueError(f"conversation {conversation.id!r} has no reply yet")
        return found
    entry = conversation.entry(reply_id)
    if not isinstance(entry, Replied):
        raise ValueError(f"entry {reply_id!r} is not a reply")
    return entry


def answer_to(conversation: Conversation, message: UserSaid) -> Reply | None:
    """The newest complete reply to `message`; an interrupted or failed one does not count."""
    newest: Reply | None = None
    for entry in _between_turns(conversation, message):
        if isinstance(entry, Replied) and entry.reply.turn_id == message.id:
            newest = entry.reply
    return None if newest is None or newest.finish_reason in ("interrupted", "error") else newest


def _between_turns(conversation: Conversation, message: UserSaid) -> list[Entry]:
    """What follows `message` on any branch up to the user's next words, as it was recorded."""
    found: list[Entry] = []
    at = [message.id]
    while at:
        after = [e for e in conversation.children(at.pop()) if not isinstance(e, UserSaid)]
        found += after
        at += [entry.id for entry in after]
    return conversation.in_order(found)


def outcome_entries(conversation: Conversation, outcome: Outcome) -> Iterator[Entry]:
    """What a turn leaves behind, as entries that follow the head: summary, reply, actions, hand-off."""
    parent, now = conversation.head_id, datetime.now(UTC)
    if outcome.summary is not None:
        summary = Summarised(
            id=new_id(),
            parent=parent,
            time=now,
            text=outcome.summary.text,
            covers=outcome.summary.covers,
            language=outcome.summary.language,
        )
        yield summary
        parent = summary.id
    replied = Replied(id=new_id(), parent=parent, time=now, reply=outcome.reply)
    yield replied
    last: Entry = replied
    for noted in outcome.noted:
        last = noted.model_copy(update={"parent": last.id})
        yield last
    if outcome.proposals:
        unfinished = outcome.reply.finish_reason in ("interrupted", "error")
        refused = "the turn that proposed it did not come to its end" if unfinished else None
        for proposed in proposal_entries(outcome.proposals, after=last, refused=refused):
            last = proposed
            yield proposed
    if outcome.handing is not None:
        yield HandedOff(
            id=new_id(),
            parent=last.id,
            time=now,
            status="waiting",
            reason=outcome.handing.reason,
            briefing=outcome.handing.briefing or briefing_of(conversation),
        )


def briefing_of(conversation: Conversation) -> str:
    """What a person who takes over should know: the last exchanges, word for word."""
    last = list(islice(visible_turns_back(conversation), _BRIEFING_TURNS))
    return "\n".join(f"> {turn.user}" + (f"\n{turn.reply}" if turn.reply else "") for turn in reversed(last))
