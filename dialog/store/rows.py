"""The conversations table as the record's reader and writer see it: one row, one head.

with database.quick_reading() as cursor: row = find_row(cursor, "c-42")
"""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import bindparam, select

from dialog.heads import Head
from dialog.store.keys import key_of, restore_id
from dialog.store.quick import Cursor, Quick
from dialog.store.schema import conversations


class ConversationRow(NamedTuple):
    """The columns of `conversations`, in the table's order."""

    num: int
    key: str
    id: str
    head: str | None
    tip: str | None
    version: int
    num_entries: int
    num_turns: int
    num_bytes: int
    title: str
    created: str
    updated: str
    hour: str
    turn: str | None


assert list(ConversationRow._fields) == list(conversations.c.keys())

_BY_KEY = select(conversations).where(conversations.c.key == bindparam("wanted"))
_FIND = Quick(_BY_KEY)
_LOCK = Quick(_BY_KEY.with_for_update())


def find_row(cursor: Cursor, conversation_id: str) -> ConversationRow | None:
    """The conversation's row; None for an unknown id."""
    rows = cursor.rows(_FIND, wanted=key_of(conversation_id))
    return ConversationRow(*rows[0]) if rows else None


def lock_row(cursor: Cursor, conversation_id: str) -> ConversationRow | None:
    """The row, kept from other writers until the transaction ends."""
    rows = cursor.rows(_LOCK, wanted=key_of(conversation_id))
    return ConversationRow(*rows[0]) if rows else None


def head_of(conversation_id: str, row: ConversationRow) -> Head:
    """Where the row says the conversation stands."""
    return Head(
        conversation_id=conversation_id,
        head=restore_id(row.head) if row.head is not None else None,
        tip=restore_id(row.tip) if row.tip is not None else None,
        version=row.version,
    )
