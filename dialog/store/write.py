"""The one way into the record: entries added and the head moved in a single transaction.

written = append(database, "c-42", [said], expected_head=head, now=utc_now())
written.head, written.entries
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import BindParameter, bindparam, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from dialog.entries import Entry, UserSaid
from dialog.errors import DuplicateTurn, StaleHead, StoreError
from dialog.heads import Head
from dialog.store.codec import Dumped, dump
from dialog.store.database import Database
from dialog.store.keys import hour_of, keep_id, key_of, one_line, restore_id, timestamp
from dialog.store.outbox import NewAction, enqueue
from dialog.store.quick import Cursor, Quick
from dialog.store.rows import ConversationRow, lock_row
from dialog.store.schema import conversations, entries
from dialog.store.words import index_new

TITLE_CHARS = 80

_FRESH: dict[str, BindParameter[Any]] = {
    name: bindparam(name) for name in ConversationRow._fields if name not in ("num", "head", "tip", "turn")
}
_NEW_ROW = Quick(
    sqlite.insert(conversations).values(_FRESH).on_conflict_do_nothing().returning(conversations),
    postgresql_statement=postgresql.insert(conversations)
    .values(_FRESH)
    .on_conflict_do_nothing()
    .returning(conversations),
)
_PLACE = Quick(
    select(entries.c.turn, entries.c.num_turns).where(
        entries.c.conversation == bindparam("num"), entries.c.key == bindparam("wanted")
    )
)
_ENTRY_COLUMNS = ("conversation", "position", "key", "kind", "turn", "num_turns", "turn_key", "body")
_NEW_ENTRY = Quick(
    insert(entries).values({name: bindparam(name) for name in _ENTRY_COLUMNS}).returning(entries.c.seq)
)
_MOVED = ("head", "tip", "version", "num_entries", "num_turns", "num_bytes", "title", "updated", "turn")
_MOVE = Quick(
    update(conversations)
    .where(conversations.c.num == bindparam("row_num"))
    .values({name: bindparam(name) for name in _MOVED})
)


_NEW_HOUR = Quick(
    update(conversations)
    .where(conversations.c.num == bindparam("row_num"))
    .values(hour=bindparam("new_hour"))
)


@dataclass(frozen=True)
class Written:
    """The new head, the entries as they will be read again, and the conversation's row number."""

    head: Head
    entries: tuple[Entry, ...]
    num: int


@dataclass(frozen=True)
class _Place:
    """Which turn an entry belongs to, and how many user turns lead to it."""

    turn: str | None
    num_turns: int


def append(
    database: Database,
    conversation_id: str,
    new: Sequence[Entry],
    *,
    expected_head: Head | None,
    head: str | None,
    tip: str | None,
    actions: Sequence[NewAction],
    now: datetime,
) -> Written:
    """Add entries and move the head, all or nothing. See `SqlStore.append`."""
    dumped = [dump(entry) for entry in new]
    if expected_head is None and not new:
        raise ValueError(f"nothing to append to the new conversation {conversation_id!r}")
    try:
        with database.quick_writing() as cursor:
            row = _claimed_row(cursor, conversation_id, expected_head, now=now)
            moved = _head_after(conversation_id, row, new, head=head, tip=tip)
            places = _places(cursor, row, dumped, moved)
            _insert_entries(cursor, row, dumped, places)
            _update_row(cursor, row, dumped, moved=moved, places=places, now=now)
            enqueue(cursor, conversation_id, actions)
    except database.driver.IntegrityError as error:
        raise _clash(database, conversation_id, new, error) from error
    return Written(head=moved, entries=tuple(one.entry for one in dumped), num=row.num)


def _claimed_row(
    cursor: Cursor, conversation_id: str, expected: Head | None, *, now: datetime
) -> ConversationRow:
    """The conversation's row, locked, at the expected version; made if it is to be new."""
    row = lock_row(cursor, conversation_id)
    if row is None:
        if expected is not None:
            raise StaleHead(f"conversation {conversation_id!r} was deleted; load it again")
        made = cursor.rows(
            _NEW_ROW,
            key=key_of(conversation_id),
            id=keep_id(conversation_id),
            version=0,
            num_entries=0,
            num_turns=0,
            num_bytes=0,
            title="",
            created=timestamp(now),
            updated=timestamp(now),
            hour=hour_of(timestamp(now)),
        )
        if made:
            return ConversationRow(*made[0])
        row = lock_row(cursor, conversation_id)  # another machine made it in this moment
        assert row is not None
    if expected is None or expected.version != row.version:
        known = "as not yet begun" if expected is None else f"at version {expected.version}"
        raise StaleHead(
            f"conversation {conversation_id!r} is at version {row.version}, it was expected {known}; "
            "load it again and retry"
        )
    return row


def _places(cursor: Cursor, row: ConversationRow, dumped: Sequence[Dumped], moved: Head) -> dict[str, _Place]:
    """The places of the new entries, of the recorded ones they follow, and of the head and tip."""
    places: dict[str, _Place] = {}
    if row.head is not None and row.turn is not None:
        places[restore_id(row.head)] = _Place(row.turn, row.num_turns)

    def place(id: str) -> _Place | None:
        if id not in places:
            for turn, num_turns in cursor.rows(_PLACE, num=row.num, wanted=key_of(id)):
                places[id] = _Place(turn, num_turns)
        return places.get(id)

    for one in dumped:
        entry = one.entry
        before = _Place(None, 0) if entry.parent is None else place(entry.parent)
        if before is None:
            raise ValueError(f"entry {entry.id!r} follows {entry.parent!r}, which is not recorded")
        if entry.id in places:
            raise ValueError(f"entry {entry.id!r} is already recorded")
        is_turn = isinstance(entry, UserSaid)
        places[entry.id] = _Place(key_of(entry.id), before.num_turns + 1) if is_turn else before
    for end in (moved.head, moved.tip):
        if end is not None and place(end) is None:
            raise ValueError(
                f"conversation {moved.conversation_id!r} has no entry {end!r} to move its head to"
            )
    return places


def _insert_entries(
    cursor: Cursor, row: ConversationRow, dumped: Sequence[Dumped], places: dict[str, _Place]
) -> None:
    recorded: list[tuple[int, Entry]] = []
    for at, one in enumerate(dumped):
        place = places[one.entry.id]
        rows = cursor.rows(
            _NEW_ENTRY,
            conversation=row.num,
            position=row.num_entries + at,
            key=key_of(one.entry.id),
            kind=one.entry.kind,
            turn=place.turn,
            num_turns=place.num_turns,
            turn_key=_turn_key(one.entry),
            body=one.body,
        )
        recorded.append((rows[0][0], one.entry))
    index_new(cursor, recorded)


def _turn_key(entry: Entry) -> str | None:
    return key_of(entry.turn_key) if isinstance(entry, UserSaid) and entry.turn_key else None


def _head_after(
    conversation_id: str, row: ConversationRow, new: Sequence[Entry], *, head: str | None, tip: str | None
) -> Head:
    target = head if head is not None else new[-1].id if new else None
    end = tip if tip is not None else target
    return Head(conversation_id=conversation_id, head=target, tip=end, version=row.version + 1)


def _update_row(
    cursor: Cursor,
    row: ConversationRow,
    dumped: Sequence[Dumped],
    *,
    moved: Head,
    places: dict[str, _Place],
    now: datetime,
) -> None:
    updated = timestamp(now)
    end = places[moved.head] if moved.head is not None else _Place(None, 0)
    first_said = next((one.entry.text for one in dumped if isinstance(one.entry, UserSaid)), "")
    cursor.run(
        _MOVE,
        row_num=row.num,
        head=keep_id(moved.head) if moved.head is not None else None,
        tip=keep_id(moved.tip) if moved.tip is not None else None,
        version=moved.version,
        num_entries=row.num_entries + len(dumped),
        num_turns=end.num_turns,
        num_bytes=row.num_bytes + sum(len(one.body.encode("utf-8")) for one in dumped),
        title=row.title or one_line(first_said, limit=TITLE_CHARS),
        updated=updated,
        turn=end.turn,
    )
    if row.hour != hour_of(updated):
        cursor.run(_NEW_HOUR, row_num=row.num, new_hour=hour_of(updated))


def _clash(database: Database, conversation_id: str, new: Sequence[Entry], error: Exception) -> Exception:
    """Which rule of the record an entry broke."""
    keys = [entry.turn_key for entry in new if isinstance(entry, UserSaid) and entry.turn_key]
    problem = str(error)
    if keys and ("turn_key" in problem):
        return DuplicateTurn(
            f"conversation {conversation_id!r} already has the turn {keys[0]!r}; its reply is find_turn's"
        )
    if "entries" in problem:
        return ValueError(f"an entry is already recorded in conversation {conversation_id!r}: {problem}")
    return StoreError(f"{database.where}: {problem}")
