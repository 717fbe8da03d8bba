"""Keeping a store in order: delete, retention, backup.

prune(database, older_than=now - timedelta(days=90), max_bytes=None)
backup(database, Path("conversations-2026-01-31.db"))
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing, suppress
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, delete, func, select

from dialog.entries import Entry
from dialog.errors import StoreError
from dialog.store.codec import load
from dialog.store.database import Database
from dialog.store.keys import keep_id, key_of, restore_id, timestamp
from dialog.store.quick import cursor_of
from dialog.store.schema import actions, conversations, entries
from dialog.store.words import drop, rebuild
from dialog.values import Value


class Pruned(Value):
    """What a prune removed and what remains; bytes are those of the recorded entries."""

    deleted: tuple[str, ...]
    deleted_bytes: int
    kept_conversations: int
    kept_bytes: int


def delete_conversation(database: Database, conversation_id: str) -> bool:
    """Remove a conversation with all its entries for good; False if there is none."""
    with database.writing() as connection:
        wanted = select(conversations.c.num).where(conversations.c.key == key_of(conversation_id))
        num = connection.execute(wanted.with_for_update()).scalar_one_or_none()
        if num is not None:
            _remove(connection, num, conversation_id)
    if num is not None:
        _leave_no_trace(database)
    return num is not None


def prune(database: Database, *, older_than: datetime | None, max_bytes: int | None) -> Pruned:
    """Remove conversations not active since `older_than`, then the least recently active beyond `max_bytes`.

    Raises:
        ValueError: `max_bytes` is negative.
    """
    if max_bytes is not None and max_bytes < 0:
        raise ValueError(f"max_bytes must be at least 0, not {max_bytes}")
    columns = (conversations.c.num, conversations.c.id, conversations.c.num_bytes, conversations.c.updated)
    with database.writing() as connection:
        rows = connection.execute(
            select(*columns).order_by(conversations.c.updated, conversations.c.num)
        ).all()
        remaining = sum(row.num_bytes for row in rows)
        deleted: list[str] = []
        deleted_bytes = 0
        for row in rows:
            is_old = older_than is not None and row.updated < timestamp(older_than)
            if not is_old and (max_bytes is None or remaining <= max_bytes):
                continue
            _remove(connection, row.num, restore_id(row.id))
            deleted.append(restore_id(row.id))
            deleted_bytes += row.num_bytes
            remaining -= row.num_bytes
    if deleted:
        _leave_no_trace(database, give_space_back=True)
    return Pruned(
        deleted=tuple(deleted),
        deleted_bytes=deleted_bytes,
        kept_conversations=len(rows) - len(deleted),
        kept_bytes=remaining,
    )


def num_bytes(database: Database) -> int:
    """Bytes of all recorded entries."""
    with database.reading() as connection:
        return int(
            connection.execute(select(func.coalesce(func.sum(conversations.c.num_bytes), 0))).scalar_one()
        )


def _leave_no_trace(database: Database, *, give_space_back: bool = False) -> None:
    """Let go of deleted words in the index and of old pages in the log.

    What another process keeps busy is left for the next time.
    """
    if database.dialect != "sqlite" or database.path is None:
        return
    statements = ["INSERT INTO entry_words (entry_words) VALUES ('optimize')"]
    statements += ["VACUUM"] if give_space_back else []
    with closing(sqlite3.connect(database.path, timeout=1.0, isolation_level=None)) as connection:
        try:
            connection.execute("PRAGMA secure_delete=ON")
            for statement in [*statements, "PRAGMA wal_checkpoint(TRUNCATE)"]:
                connection.execute(statement)
        except sqlite3.OperationalError as error:
            if error.sqlite_errorname not in ("SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_FULL"):
                raise StoreError(f"{database.where}: {error}") from error


def backup(database: Database, target: Path) -> None:
    """A consistent copy while others read and write; whole at `target` or not there at all.

    Raises:
        StoreError: `target` exists or cannot be written, or the store is not SQLite.
    """
    if database.dialect != "sqlite":
        raise StoreError(f"{database.where} is backed up by the server's own means: pg_dump")
    if target.exists():
        raise StoreError(f"backup {str(target)!r} exists; name another file")
    unfinished = target.with_name(target.name + ".unfinished")
    unfinished.unlink(missing_ok=True)
    try:
        with (
            closing(database.engine.raw_connection()) as pooled,
            closing(sqlite3.connect(unfinished)) as copy,
        ):
            source = pooled.driver_connection
            assert isinstance(source, sqlite3.Connection)
            source.backup(copy, pages=1024)
            copy.execute("PRAGMA journal_mode=DELETE")
        with unfinished.open("rb") as written:
            os.fsync(written.fileno())
        os.replace(unfinished, target)
    except (OSError, sqlite3.Error) as error:
        unfinished.unlink(missing_ok=True)
        raise StoreError(f"backup to {str(target)!r} failed: {error}") from error


def _remove(connection: Connection, num: int, id: str) -> None:
    rows = connection.execute(
        select(entries.c.seq, entries.c.body).where(entries.c.conversation == num)
    ).all()
    readable: list[tuple[int, Entry]] = []
    for seq, body in rows:
        with suppress(StoreError):  # damaged, or of a newer version
            readable.append((seq, load(body, where=f"conversation {id!r}")))
    drop(cursor_of(connection), readable)
    connection.execute(
        delete(actions).where(actions.c.conversation_id == keep_id(id), actions.c.status == "done")
    )
    connection.execute(delete(entries).where(entries.c.conversation == num))
    connection.execute(delete(conversations).where(conversations.c.num == num))
    if len(readable) < len(rows):  # nobody knows its words, and its number may be given again
        rebuild(cursor_of(connection))
