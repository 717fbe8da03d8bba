"""A damaged SQLite file: find out, set it aside, keep what can be read.

The damaged file is renamed, never changed or deleted. Rows that can still be
read move into a fresh database; a conversation that lost entries keeps those
whose ancestors are all there, and its head goes back to the newest of them; one
whose own row is lost is kept under a new name.

    problem = looks_damaged(path)
    if problem: notice = set_aside(path, problem=problem)
"""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, NullPool, create_engine

from dialog.store.database import is_damage, suspect_marker
from dialog.store.keys import hour_of, keep_id, key_of, timestamp
from dialog.store.migrations import migrate
from dialog.store.quick import cursor_of
from dialog.store.words import BATCH, rebuild

_NEW_NAME = "recovered-"
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
    kept = _rescue(aside, path)
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


def _rescue(aside: Path, fresh: Path) -> str:
    """Move what can be read into a fresh store; says how much that was."""
    rows = {table: _readable_rows(aside, table) for table in TABLES}
    _with_schema(fresh, lambda connection: migrate(connection, where=str(fresh)))
    by_conversation: dict[int, list[Row]] = defaultdict(list)
    for row in rows["entries"]:
        if None not in (row["conversation"], row["position"], row["body"]):  # else cut off within the row
            by_conversation[row["conversation"]].append(row)
    lost = sorted(by_conversation.keys() - {row["num"] for row in rows["conversations"]})
    renamed = [_renamed(num, by_conversation[num]) for num in lost]
    counts = {"whole": 0, "in part": 0, "without anything readable": 0}
    with closing(sqlite3.connect(fresh, timeout=60.0)) as connection, connection:
        for conversation in rows["conversations"] + renamed:
            entries = _connected(
                sorted(by_conversation[conversation["num"]], key=lambda row: row["position"])
            )
            conversation = {**conversation, "hour": hour_of(conversation["updated"])}
            is_whole = len(entries) == conversation["num_entries"]
            if not is_whole:
                conversation = _shortened(conversation, entries)
            if is_whole or entries:
                _insert(connection, "conversations", conversation)
            for entry in entries:
                _insert(connection, "entries", entry)
            counts["whole" if is_whole else "in part" if entries else "without anything readable"] += 1
        for table in ("actions", "settings"):
            for row in rows[table]:
                _insert(connection, table, row)
    _with_schema(fresh, lambda connection: rebuild(cursor_of(connection)))
    kept = ", ".join(f"{count} {how}" for how, count in counts.items())
    names = f"; {len(renamed)} lost their name and are called {_NEW_NAME}N now" if renamed else ""
    return f"conversations kept: {kept}{names}"


def _renamed(num: int, entries: list[Row]) -> Row:
    """A row for a conversation whose own is lost: it counts as kept in part, whatever is there of it."""
    stamp = timestamp(datetime.fromtimestamp(0, UTC))
    for row in entries:
        with suppress(ValueError, KeyError, TypeError, RecursionError):
            stamp = timestamp(datetime.fromisoformat(json.loads(row["body"])["time"]))
    name = f"{_NEW_NAME}{num}"
    return {
        "num": num,
        "key": key_of(name),
        "id": keep_id(name),
        "version": 0,
        "num_entries": -1,
        "num_bytes": sum(len(row["body"].encode("utf-8", "replace")) for row in entries),
        "title": "",
        "created": stamp,
        "updated": stamp,
    }


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
        "turn": entries[-1]["turn"] if entries else None,
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
    """At least the last row's number, as far as anything in the file still tells."""
    hints = [
        f"SELECT max(rowid) FROM {table}",
        f"SELECT max(rowid) FROM {table} INDEXED BY sqlite_autoindex_{table}_1",
        f"SELECT seq FROM sqlite_sequence WHERE name = '{table}'",
    ]
    if table == "entries":
        hints += [
            f"SELECT max(id) + {BATCH} FROM entry_words_docsize",
            "SELECT sum(num_entries) FROM conversations",
        ]
    last = 0
    for hint in hints:
        with suppress(sqlite3.DatabaseError):
            row = connection.execute(hint).fetchone()
            last = max(last, int(row[0] or 0) if row else 0)
    return last
