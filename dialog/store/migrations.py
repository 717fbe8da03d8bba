"""How an older store becomes a newer one; a fresh one is made new at once.

    with database.writing() as connection: migrate(connection, where=database.where)

A step that was released is never changed; a new one is added. Steps are frozen
SQL: the tables of `dialog.store.schema` are those of the newest version only.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sqlalchemy import Connection, insert, inspect, select, text, update

from dialog.errors import StoreError
from dialog.store.schema import create, schema_info

Step = Callable[[Connection], None]


def _fewer_pages(connection: Connection) -> None:
    """An append writes fewer pages: no counter of entries, no order of conversations to the microsecond."""
    statements = [
        "ALTER TABLE conversations ADD COLUMN hour VARCHAR(13) NOT NULL DEFAULT ''",
        "ALTER TABLE conversations ADD COLUMN turn VARCHAR(64)",
        "UPDATE conversations SET hour = substr(updated, 1, 13)",
        "DROP INDEX conversations_by_update",
        "CREATE INDEX conversations_by_hour ON conversations (hour)",
    ]
    if connection.dialect.name == "sqlite":
        columns = "seq, conversation, position, key, kind, turn, num_turns, turn_key, body"
        statements += [
            "DROP INDEX entries_by_turn_key",
            "ALTER TABLE entries RENAME TO entries_1",
            "CREATE TABLE entries (seq INTEGER NOT NULL PRIMARY KEY, "
            "conversation INTEGER NOT NULL REFERENCES conversations (num), position INTEGER NOT NULL, "
            "key VARCHAR(64) NOT NULL, kind VARCHAR(32) NOT NULL, turn VARCHAR(64), "
            "num_turns INTEGER NOT NULL, turn_key VARCHAR(64), body TEXT NOT NULL, "
            "UNIQUE (conversation, position), UNIQUE (conversation, key))",
            f"INSERT INTO entries ({columns}) SELECT {columns} FROM entries_1 ORDER BY seq",
            "DROP TABLE entries_1",
            "CREATE UNIQUE INDEX entries_by_turn_key ON entries (conversation, turn_key) "
            "WHERE turn_key IS NOT NULL",
        ]
    for statement in statements:
        connection.execute(text(statement))


MIGRATIONS: tuple[Step, ...] = (_fewer_pages,)
"""The first brings version 1 to version 2, and so on."""

VERSION = 1 + len(MIGRATIONS)


def migrate(connection: Connection, *, where: str, steps: Sequence[Step] = MIGRATIONS) -> None:
    """Bring the schema up to date within the caller's transaction.

    Raises:
        StoreError: the store was made by a newer version of this package.
    """
    newest = 1 + len(steps)
    version = _known_version(connection, where=where, newest=newest)
    if version == newest:
        return
    if version == 0:
        create(connection)
        connection.execute(insert(schema_info).values(version=newest))
        return
    for step in steps[version - 1 :]:
        step(connection)
    connection.execute(update(schema_info).values(version=newest))


def check(connection: Connection, *, where: str) -> None:
    """Raise StoreError unless the schema is exactly this version's: for a store that cannot be migrated."""
    version = _known_version(connection, where=where, newest=VERSION)
    if version < VERSION:
        raise StoreError(
            f"{where} has schema version {version} and is read-only; make it writable once to bring it up "
            f"to version {VERSION}"
        )


def _known_version(connection: Connection, *, where: str, newest: int) -> int:
    version = _version(connection)
    if version > newest:
        raise StoreError(
            f"{where} has schema version {version}, this installation knows {newest}: "
            "a newer instructrec made it; update instructrec, or point store.url elsewhere"
        )
    return version


def _version(connection: Connection) -> int:
    if not inspect(connection).has_table("schema_info"):
        return 0
    return int(connection.execute(select(schema_info.c.version)).scalar_one())
