"""The tables as they are now; how an older store gets them is `dialog.store.migrations`.

    conversations   one row a conversation: where its head is, and what a list shows
    entries         the record; `position` orders the entries of a conversation
    actions         the outbox: what must happen exactly once
    settings        small named values: deployment instructions, learned choices
    schema_info     the version of all this

Ids never stand in a column that is compared: `dialog.store.keys` makes keys of
them. `entries.body` is the entry's JSON and the only truth; the columns beside
it are for finding it.

A commit costs what it writes, page by page, so nothing is kept in order that a
turn would have to move: a list is sorted by `hour`, the beginning of `updated`,
of which a conversation changes one an hour, and within it when it is read.
`conversations.turn` is the turn of the head (None in rows an older version
wrote), so that the next entry finds its place without looking.
"""

from __future__ import annotations

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
    text,
)

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
    Column("hour", String(13), nullable=False, server_default=""),
    Column("turn", String(64)),
    Index("conversations_by_hour", "hour"),
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


def create(connection: Connection) -> None:
    """All tables, in an empty database."""
    metadata.create_all(connection)
    dialect = connection.dialect.name
    connection.execute(text(SEARCH_TABLE[dialect]))
    if dialect in SEARCH_INDEX:
        connection.execute(text(SEARCH_INDEX[dialect]))
