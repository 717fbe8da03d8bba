"""The one way into the record: entries added and the head moved in a single transaction.

written = append(database, "c-42", [said], expected_head=head, now=utc_now())
written.head, written.entries
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError

from dialog.conversation import Head
from dialog.entries import Entry, UserSaid
from dialog.errors import DuplicateTurn, StaleHead, StoreError
from dialog.store.codec import Dumped, dump
from dialog.store.database import Database
from dialog.store.keys import keep_id, key_of, one_line, timestamp
from dialog.store.outbox import NewAction, enqueue
from dialog.store.schema import conversations, entries
from dialog.store.search import add_to_index

TITLE_CHARS = 80

# Statements are built once: building them took longer than running them.
_ROW = select(conversations).where(conversations.c.key == bindparam("wanted")).with_for_update()
_NEW_ROW = {
    "sqlite": sqlite.insert(conversations).on_conflict_do_nothing().returning(conversations),
    "postgresql": postgresql.insert(conversations).on_conflict_do_nothing().returning(conversations),
}
_PLACES = select(entries.c.key, entries.c.turn, entries.c.num_turns).where(
    entries.c.conversation == bindparam("num"), entries.c.key.in_(bindparam("keys", expanding=True))
)
_NEW_ENTRY = insert(entries).returning(entries.c.seq)
_NEW_ENTRIES = insert(entries).returning(entries.c.seq, sort_by_parameter_order=True)
_MOVE = (
    update(conversations)
    .where(conversations.c.num == bindparam("row_num"))
    .values(
        {
            name: bindparam(name)
            for name in (
                "head",
                "tip",
                "version",
                "num_entries",
                "num_turns",
                "num_bytes",
                "title",
                "updated",
            )
        }
    )
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
        with database.writing() as connection:
            row = _claimed_row(connection, conversation_id, expected_head, now=now)
            places = _places(connection, row.num, dumped, wanted=head)
            rows = _entry_rows(row, dumped, places)
            _insert_entries(connection, rows, dumped)
            moved = _head_after(conversation_id, row, new, head=head, tip=tip)
            _check_known(connection, row.num, moved, new)
            _update_row(connection, row, rows, dumped, moved=moved, places=places, now=now)
            enqueue(connection, conversation_id, actions)
    except IntegrityError as error:
        raise _clash(database, conversation_id, new, error) from error
    return Written(head=moved, entries=tuple(one.entry for one in dumped), num=row.num)


def _claimed_row(
    connection: Connection, conversation_id: str, expected: Head | None, *, now: datetime
) -> Row[Any]:
    """The conversation's row, locked, at the expected version; made if it is to be new."""
    key = key_of(conversation_id)
    row = connection.execute(_ROW, {"wanted": key}).first()
    if row is None:
        if expected is not None:
            raise StaleHead(f"conversation {conversation_id!r} was deleted; load it again")
        fresh = {
            "key": key,
            "id": keep_id(conversation_id),
            "version": 0,
            "num_entries": 0,
            "num_turns": 0,
            "num_bytes": 0,
            "title": "",
            "created": timestamp(now),
            "updated": timestamp(now),
        }
        row = connection.execute(_NEW_ROW[connection.dialect.name], fresh).first()
        if row is not None:
            return row
        row = connection.execute(_ROW, {"wanted": key}).one()  # another machine made it in this moment
    found = row.version
    if expected is None or expected.version != found:
        known = "as not yet begun" if expected is None else f"at version {expected.version}"
        raise StaleHead(
            f"conversation {conversation_id!r} is at version {found}, it was expected {known}; "
            "load it again and retry"
        )
    return row


def _places(
    connection: Connection, num: int, dumped: Sequence[Dumped], *, wanted: str | None
) -> dict[str, _Place]:
    """The place of each new entry, of their recorded parents and of the wanted head, by entry id."""
    new = {one.entry.id for one in dumped}
    outside = {one.entry.parent for one in dumped} | {wanted}
    keys = {key_of(one): one for one in outside if one is not None and one not in new}
    places: dict[str, _Place] = {}
    if keys:
        for row in connection.execute(_PLACES, {"num": num, "keys": list(keys)}):
            places[keys[row.key]] = _Place(row.turn, row.num_turns)
    for one in dumped:
        entry = one.entry
        if entry.parent is not None and entry.parent not in places:
            raise ValueError(f"entry {entry.id!r} follows {entry.parent!r}, which is not recorded")
        before = places[entry.parent] if entry.parent is not None else _Place(None, 0)
        if entry.id in places:
            raise ValueError(f"entry {entry.id!r} is already recorded")
        is_turn = isinstance(entry, UserSaid)
        places[entry.id] = _Place(key_of(entry.id), before.num_turns + 1) if is_turn else before
    return places


def _entry_rows(
    row: Row[Any], dumped: Sequence[Dumped], places: dict[str, _Place]
) -> list[dict[str, object]]:
    return [
        {
            "conversation": row.num,
            "position": row.num_entries + at,
            "key": key_of(one.entry.id),
            "kind": one.entry.kind,
            "turn": places[one.entry.id].turn,
            "num_turns": places[one.entry.id].num_turns,
            "turn_key": _turn_key(one.entry),
            "body": one.body,
        }
        for at, one in enumerate(dumped)
    ]


def _turn_key(entry: Entry) -> str | None:
    return key_of(entry.turn_key) if isinstance(entry, UserSaid) and entry.turn_key else None


def _insert_entries(connection: Connection, rows: list[dict[str, object]], dumped: Sequence[Dumped]) -> None:
    if not rows:
        return
    statement, values = (_NEW_ENTRY, rows[0]) if len(rows) == 1 else (_NEW_ENTRIES, rows)
    seqs = connection.execute(statement, values).scalars().all()
    add_to_index(connection, [(seq, one.entry) for seq, one in zip(seqs, dumped, strict=True)])


def _head_after(
    conversation_id: str, row: Row[Any], new: Sequence[Entry], *, head: str | None, tip: str | None
) -> Head:
    target = head if head is not None else new[-1].id if new else None
    end = tip if tip is not None else target
    return Head(conversation_id=conversation_id, head=target, tip=end, version=row.version + 1)


def _check_known(connection: Connection, num: int, moved: Head, new: Sequence[Entry]) -> None:
    """The head and the tip must be entries of the conversation."""
    missing = {one for one in (moved.head, moved.tip) if one is not None} - {entry.id for entry in new}
    if not missing:
        return
    keys = {key_of(one): one for one in missing}
    found = connection.execute(_PLACES, {"num": num, "keys": list(keys)})
    unknown = set(keys) - {row.key for row in found}
    if unknown:
        raise ValueError(
            f"conversation {moved.conversation_id!r} has no entry {keys[unknown.pop()]!r} to move its head to"
        )


def _update_row(
    connection: Connection,
    row: Row[Any],
    rows: list[dict[str, object]],
    dumped: Sequence[Dumped],
    *,
    moved: Head,
    places: dict[str, _Place],
    now: datetime,
) -> None:
    first_said = next((one.entry.text for one in dumped if isinstance(one.entry, UserSaid)), "")
    connection.execute(
        _MOVE,
        {
            "row_num": row.num,
            "head": keep_id(moved.head) if moved.head is not None else None,
            "tip": keep_id(moved.tip) if moved.tip is not None else None,
            "version": moved.version,
            "num_entries": row.num_entries + len(rows),
            "num_turns": places[moved.head].num_turns if moved.head is not None else 0,
            "num_bytes": row.num_bytes + sum(len(one.body.encode("utf-8")) for one in dumped),
            "title": row.title or one_line(first_said, limit=TITLE_CHARS),
            "updated": timestamp(now),
        },
    )


def _clash(
    database: Database, conversation_id: str, new: Sequence[Entry], error: IntegrityError
) -> Exception:
    """Which rule of the record an entry broke."""
    keys = [entry.turn_key for entry in new if isinstance(entry, UserSaid) and entry.turn_key]
    problem = str(error.orig)
    if keys and ("turn_key" in problem):
        return DuplicateTurn(
            f"conversation {conversation_id!r} already has the turn {keys[0]!r}; its reply is find_turn's"
        )
    if "entries" in problem:
        return ValueError(f"an entry is already recorded in conversation {conversation_id!r}: {problem}")
    return StoreError(f"{database.where}: {problem}")
