"""The tables, and how an older store becomes a newer one.

    conversations   one row a conversation: where its head is, and what a list shows
    entries         the record; `position` orders the entries of a conversation
    actions         the outbox: what must happen exactly once
    settings        small named values: deployment instructions, learned choices
    schema_info     the version of all this

Ids never stand in a column that is compared: `dialog.store.keys` makes keys of
them. `entries.body` is the entry's JSON and the only truth; the columns beside
it are for finding it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    insert,
    inspect,
    select,
    text,
    update,
)

from dialog.errors import StoreError

Step = Callable[[Connection], None]

metadata = MetaData()
_Serial = BigInteger().with_variant(Integer, "sqlite")

conversations = Table(
    "conversations",
    metadata,
    Column("num", _Serial, primary_key=True),
    Column("key", String(64), nullable=False, unique=True),
    Column("id", Text, nullable=False),
    Column("head", Text),
    Column("tip", Text),
    Column("version", Integer, nullable=False),
    Column("num_entries", Integer, nullable=False),
    Column("num_turns", Integer, nullable=False),
    Column("num_bytes", BigInteger, nullable=False),
    Column("title", Text, nullable=False),
    Column("created", String(32), nullable=False),
    Column("updated", String(32), nullable=False),
    Index("conversations_by_update", "updated", "num"),
    sqlite_autoincrement=True,
)

entries = Table(
    "entries",
    metadata,
    Column("seq", _Serial, primary_key=True),
    Column("conversation", _Serial, ForeignKey("conversations.num"), nullable=False),
    Column("position", Integer, nullable=False),
    Column("key", String(64), nullable=False),
    Column("kind", String(32), nullable=False),
    Column("turn", String(64)),
    Column("num_turns", Integer, nullable=False),
    Column("turn_key", String(64)),
    Column("body", Text, nullable=False),
    UniqueConstraint("conversation", "position"),
    UniqueConstraint("conversation", "key"),
    sqlite_autoincrement=True,
)
Index(
    "entries_by_turn_key",
    entries.c.conversation,
    entries.c.turn_key,
    unique=True,
    sqlite_where=entries.c.turn_key.is_not(None),
    postgresql_where=entries.c.turn_key.is_not(None),
)

actions = Table(
    "actions",
    metadata,
    Column("seq", _Serial, primary_key=True),
    Column("key", String(64), nullable=False, unique=True),
    Column("id", Text, nullable=False),
    Column("conversation_id", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("payload", Text, nullable=False),
    Column("status", String(16), nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("worker", Text),
    Column("lease_until", String(32)),
    Column("result", Text),
    Index("actions_by_status", "status", "seq"),
    sqlite_autoincrement=True,
)

settings = Table(
    "settings",
    metadata,
    Column("name", String(200), primary_key=True),
    Column("value", Text, nullable=False),
    Column("version", Integer, nullable=False),
)

schema_info = Table("schema_info", metadata, Column("version", Integer, nullable=False))

SEARCH_TABLE = {
    "sqlite": "CREATE VIRTUAL TABLE entry_words USING fts5(words, content='', tokenize='unicode61')",
    "postgresql": "CREATE TABLE entry_words (rowid BIGINT PRIMARY KEY, words TSVECTOR NOT NULL)",
}
SEARCH_INDEX = {"postgresql": "CREATE INDEX entry_words_by_word ON entry_words USING gin (words)"}


def _create(connection: Connection) -> None:
    metadata.create_all(connection)
    dialect = connection.dialect.name
    connection.execute(text(SEARCH_TABLE[dialect]))
    if dialect in SEARCH_INDEX:
        connection.execute(text(SEARCH_INDEX[dialect]))


MIGRATIONS: tuple[Step, ...] = (_create,)
"""Step n brings version n to n + 1. A step that was released is never changed; a new one is added."""


def migrate(connection: Connection, *, where: str, steps: Sequence[Step] = MIGRATIONS) -> None:
    """Bring the schema up to date within the caller's transaction.

    Raises:
        StoreError: the store was made by a newer version of this package.
    """
    version = _known_version(connection, where=where, newest=len(steps))
    if version == len(steps):
        return
    for step in steps[version:]:
        step(connection)
    if version == 0:
        connection.execute(insert(schema_info).values(version=len(steps)))
    else:
        connection.execute(update(schema_info).values(version=len(steps)))


def check(connection: Connection, *, where: str) -> None:
    """Raise StoreError unless the schema is exactly this version's: for a store that cannot be migrated."""
    version = _known_version(connection, where=where, newest=len(MIGRATIONS))
    if version < len(MIGRATIONS):
        raise StoreError(
            f"{where} has schema version {version} and is read-only; make it writable once to bring it up "
            f"to version {len(MIGRATIONS)}"
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
