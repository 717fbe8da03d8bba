"""A damaged SQLite file: find out, set it aside, keep what can be read.

The damaged file is renamed, never changed or deleted. Rows that can still be
read move into a fresh database; a conversation that lost entries keeps those
whose ancestors are all there, and its head goes back to the newest of them.

    problem = looks_damaged(path)
    if problem: notice = set_aside(path, problem=problem)
"""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, NullPool, create_engine

from dialog.store.database import is_damage, suspect_marker
from dialog.store.keys import keep_id
from dialog.store.quick import cursor_of
from dialog.store.schema import migrate
from dialog.store.words import rebuild

MAGIC = b"SQLite format 3\0"
TABLES = ("conversations", "entries", "actions", "settings")
Row = dict[str, Any]


def looks_damaged(path: Path, *, thorough: bool = False) -> str | None:
    """What is wrong with the file, or None: quick by default, every page if `thorough`.

    Raises:
        OSError, sqlite3.Error: it cannot be read for a reason that is not damage.
    """
    if not path.exists() or path.stat().st_size == 0:
        return None
    with path.open("rb") as file:
        header = file.read(100)
    if not header.startswith(MAGIC):
        return "it is not an SQLite database"
    if (size := path.stat().st_size) < (expected := _expected_bytes(header)):
        return f"it is cut off: {size} of {expected} bytes"
    try:
        with closing(_connect(path)) as connection:
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
            if thorough:
                result = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
                return None if result == "ok" else str(result).splitlines()[0]
    except sqlite3.Error as error:
        if is_damage(error):
            return str(error)
        raise
    return None


def set_aside(path: Path, *, problem: str, now: datetime | None = None) -> str:
    """Rename the damaged file, rescue its rows into a fresh one at `path`; returns what to tell the user."""
    stamp = (now or datetime.now(UTC)).strftime("%Y%m%dT%H%M%S%f")
    aside = path.with_name(f"{path.name}.damaged-{stamp}")
    for suffix in ("", "-wal", "-shm"):
        part = path.with_name(path.name + suffix)
        if part.exists():
            part.rename(aside.with_name(aside.name + suffix))
    suspect_marker(path).unlink(missing_ok=True)
    whole, partly, unread = _rescue(aside, path)
    kept = f"{whole} conversations kept whole, {partly} in part, {unread} without anything readable"
    return f"{str(path)!r} was damaged ({problem}); it was set aside as {aside.name!r}; {kept}"


def _expected_bytes(header: bytes) -> int:
    """Size by the header; 0 where the header does not vouch for it (an older SQLite wrote last)."""
    page_size = int.from_bytes(header[16:18], "big")
    num_pages = int.from_bytes(header[28:32], "big")
    if header[24:28] != header[92:96]:
        return 0
    return num_pages * (65536 if page_size == 1 else page_size)


def _connect(path: Path) -> sqlite3.Connection:
    mode = "mode=ro" if path.with_name(path.name + "-wal").exists() else "mode=ro&immutable=1"
    connection = sqlite3.connect(f"{path.resolve().as_uri()}?{mode}", uri=True, timeout=60.0)
    connection.row_factory = sqlite3.Row
    connection.text_factory = lambda data: data.decode("utf-8", "replace")
    return connection


def _rescue(aside: Path, fresh: Path) -> tuple[int, int, int]:
    rows = {table: _readable_rows(aside, table) for table in TABLES}
    _with_schema(fresh, lambda connection: migrate(connection, where=str(fresh)))
    by_conversation: dict[int, list[Row]] = defaultdict(list)
    for row in rows["entries"]:
        by_conversation[row["conversation"]].append(row)
    counts = [0, 0, 0]
    with closing(sqlite3.connect(fresh, timeout=60.0)) as connection, connection:
        for conversation in rows["conversations"]:
            entries = _connected(
                sorted(by_conversation[conversation["num"]], key=lambda row: row["position"])
            )
            is_whole = len(entries) == conversation["num_entries"]
            if not is_whole:
                conversation = _shortened(conversation, entries)
            if is_whole or entries:
                _insert(connection, "conversations", conversation)
            for entry in entries:
                _insert(connection, "entries", entry)
            counts[0 if is_whole else 1 if entries else 2] += 1
        for table in ("actions", "settings"):
            for row in rows[table]:
                _insert(connection, table, row)
    _with_schema(fresh, lambda connection: rebuild(cursor_of(connection)))
    return counts[0], counts[1], counts[2]


def _with_schema(path: Path, work: Callable[[Connection], None]) -> None:
    engine = create_engine(
        "sqlite://", creator=lambda: sqlite3.connect(path, timeout=60.0), poolclass=NullPool
    )
    with engine.begin() as connection:
        work(connection)


def _connected(entries: list[Row]) -> list[Row]:
    """The entries that can be read and whose ancestors are all there, in order, without gaps in position."""
    known: set[str | None] = {None}
    kept: list[Row] = []
    for row in entries:
        try:
            body = json.loads(row["body"])
            own, parent = body["id"], body["parent"]
        except (ValueError, KeyError, TypeError, RecursionError):
            continue
        if parent in known:
            known.add(own)
            kept.append({**row, "position": len(kept), "entry_id": own})
    return kept


def _shortened(conversation: Row, entries: list[Row]) -> Row:
    last = keep_id(entries[-1]["entry_id"]) if entries else None
    return {
        **conversation,
        "head": last,
        "tip": last,
        "version": conversation["version"] + 1,
        "num_entries": len(entries),
        "num_turns": entries[-1]["num_turns"] if entries else 0,
    }


def _insert(connection: sqlite3.Connection, table: str, row: Row) -> None:
    columns = [name for name in row if name != "entry_id"]
    marks = ", ".join("?" for _ in columns)
    connection.execute(
        f"INSERT OR IGNORE INTO {table} ({', '.join(columns)}) VALUES ({marks})",
        [row[name] for name in columns],
    )


def _readable_rows(path: Path, table: str) -> list[Row]:
    """Every row that can be read: one scan, and past damage row by row."""
    try:
        with closing(_connect(path)) as connection:
            connection.execute("PRAGMA writable_schema=ON")  # else a file that is cut off is not read at all
            return [_without_rowid(row) for row in _scan(connection, table)]
    except sqlite3.Error:
        return []


def _without_rowid(row: sqlite3.Row) -> Row:
    read = dict(row)
    del read["at"]
    return read


def _scan(connection: sqlite3.Connection, table: str) -> Iterator[sqlite3.Row]:
    after = -1
    highest = _highest(connection, table)
    while True:
        try:
            for row in connection.execute(
                f"SELECT rowid AS at, * FROM {table} WHERE rowid > ? ORDER BY rowid", (after,)
            ):
                after = row["at"]
                yield row
            return
        except sqlite3.DatabaseError as error:
            if not is_damage(error) or after >= highest:
                return
            after += 1


def _highest(connection: sqlite3.Connection, table: str) -> int:
    try:
        row = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = ?", (table,)).fetchone()
    except sqlite3.DatabaseError:
        return 0
    return int(row[0]) if row else 0
