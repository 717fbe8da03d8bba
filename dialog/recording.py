"""Between a turn and the record: the entries a turn begins and ends with, and how to find them again."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice

from dialog.conversation import Conversation
from dialog.draft import Outcome
from dialog.entries import Entry, HandedOff, Replied, Summarised, UserSaid, new_id
from dialog.state import visible_turns_back
from dialog.values import Reply

_BRIEFING_TURNS = 3


def said(text: str, *, after: Conversation, turn_key: str | None = None) -> UserSaid:
    """The user's words as the entry that follows the head of `after`."""
    return UserSaid(id=new_id(), parent=after.head_id, time=datetime.now(UTC), text=text, turn_key=turn_key)


def last_said(conversation: Conversation) -> UserSaid:
    """The newest message on the path. Raises ValueError if there is none."""
    for entry in conversation.entries_back():
        if isinstance(entry, UserSaid):
            return entry
    raise ValueError(f"conversation {conversation.id!r} has no message to answer")


def said_with_key(conversation: Conversation, turn_key: str) -> UserSaid | None:
    """The message that was sent under `turn_key`, on whatever branch."""
    entries = reversed(conversation.entries())
    return next((e for e in entries if isinstance(e, UserSaid) and e.turn_key == turn_key), None)


def answer_to(conversation: Conversation, message: UserSaid) -> Reply | None:
    """The newest complete reply to `message`; an interrupted or failed one does not count."""
    for entry in reversed(conversation.entries()):
        if isinstance(entry, Replied) and entry.reply.turn_id == message.id:
            return None if entry.reply.finish_reason in ("interrupted", "error") else entry.reply
    return None


def outcome_entries(conversation: Conversation, outcome: Outcome) -> Iterator[Entry]:
    """What a turn leaves behind, as entries that follow the head: summary, reply, hand-off."""
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
    if outcome.hand_off:
        yield HandedOff(
            id=new_id(),
            parent=replied.id,
            time=now,
            status="waiting",
            reason="no answer was found",
            briefing=briefing_of(conversation),
        )


def briefing_of(conversation: Conversation) -> str:
    """What a person who takes over should know: the last exchanges, word for word."""
    last = list(islice(visible_turns_back(conversation), _BRIEFING_TURNS))
    return "\n".join(f"> {turn.user}" + (f"\n{turn.reply}" if turn.reply else "") for turn in reversed(last))
