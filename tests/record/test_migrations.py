"""Stores that an older version made."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import insert, text

from dialog.conversation import Conversation
from dialog.store import open_store
from dialog.store.keys import keep_id, key_of
from dialog.store.migrations import MIGRATIONS, VERSION, migrate
from dialog.store.open import open_database
from dialog.store.schema import schema_info
from dialog.testing.making import replied, said
from tests.record.making import talked

STAMP = "2026-01-31T10:20:30.000000+00:00"
FIRST_VERSION = """
CREATE TABLE conversations (num INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, key VARCHAR(64) NOT NULL UNIQUE,
  id TEXT NOT NULL, head TEXT, tip TEXT, version INTEGER NOT NULL, num_entries INTEGER NOT NULL,
  num_turns INTEGER NOT NULL, num_bytes BIGINT NOT NULL, title TEXT NOT NULL, created VARCHAR(32) NOT NULL,
  updated VARCHAR(32) NOT NULL);
CREATE INDEX conversations_by_update ON conversations (updated, num);
CREATE TABLE entries (seq INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, conversation INTEGER NOT NULL
  REFERENCES conversations (num), position INTEGER NOT NULL, key VARCHAR(64) NOT NULL,
  kind VARCHAR(32) NOT NULL, turn VARCHAR(64), num_turns INTEGER NOT NULL, turn_key VARCHAR(64),
  body TEXT NOT NULL, UNIQUE (conversation, position), UNIQUE (conversation, key));
CREATE UNIQUE INDEX entries_by_turn_key ON entries (conversation, turn_key) WHERE turn_key IS NOT NULL;
CREATE TABLE actions (seq INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, key VARCHAR(64) NOT NULL UNIQUE,
  id TEXT NOT NULL, conversation_id TEXT NOT NULL, name TEXT NOT NULL, payload TEXT NOT NULL,
  status VARCHAR(16) NOT NULL, attempt INTEGER NOT NULL, worker TEXT, lease_until VARCHAR(32), result TEXT);
CREATE INDEX actions_by_status ON actions (status, seq);
CREATE TABLE settings (name VARCHAR(200) NOT NULL PRIMARY KEY, value TEXT NOT NULL, version INTEGER NOT NULL);
CREATE TABLE schema_info (version INTEGER NOT NULL);
INSERT INTO schema_info VALUES (1);
CREATE VIRTUAL TABLE entry_words USING fts5(words, content='', tokenize='unicode61');
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A store with a conversation of three turns."""
    with open_store(url(tmp_path / "conversations.db")) as store:
        store.add(talked(3, id="c0"))
    return tmp_path / "conversations.db"


def url(path: Path) -> str:
    return f"sqlite:///{path}"


def test_store_of_the_first_version_keeps_everything(tmp_path: Path) -> None:
    """Its tables stand here as that version made them."""
    path = tmp_path / "first.db"
    said_body = said(Conversation.empty("c"), "Where is it? 在哪里？")
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executescript(FIRST_VERSION)
        connection.execute(
            "INSERT INTO conversations VALUES (7, ?, ?, ?, ?, 1, 1, 1, 10, 'old', ?, ?)",
            (
                key_of("c"),
                keep_id("c"),
                *[keep_id(said_body.id)] * 2,
                *[STAMP] * 2,
            ),
        )
        connection.execute(
            "INSERT INTO entries VALUES (41, 7, 0, ?, 'user_said', ?, 1, NULL, ?)",
            (key_of(said_body.id), key_of(said_body.id), said_body.model_dump_json()),
        )
    with open_store(url(path)) as store:
        conversation = store.load("c")
        assert conversation.turns()[0].user == "Where is it? 在哪里？"
        store.append("c", [replied(conversation, "Tomorrow. 明天。")], expected_head=conversation.head)
        assert [one.id for one in store.list(limit=5).items] == ["c"]
        assert [hit.conversation_id for hit in store.search("哪里")] == ["c"]
    with open_store(url(path)) as store:
        assert store.load("c").turns()[0].reply == "Tomorrow. 明天。"


def test_migration_brings_an_older_store_up_to_date(path: Path) -> None:
    database = open_database(url(path))
    steps = (
        *MIGRATIONS,
        lambda connection: connection.execute(text("ALTER TABLE settings ADD COLUMN note TEXT")),
    )
    for _ in range(2):
        with database.writing() as connection:
            migrate(connection, where="the store", steps=steps)
    with database.reading() as connection:
        assert connection.execute(text("SELECT version FROM schema_info")).scalars().all() == [1 + len(steps)]
        connection.execute(text("SELECT note FROM settings"))
    database.close()


def test_failed_migration_changes_nothing(path: Path) -> None:
    database = open_database(url(path))
    steps = (
        *MIGRATIONS,
        lambda connection: connection.execute(text("ALTER TABLE settings ADD COLUMN note TEXT")),
        lambda connection: connection.execute(insert(schema_info).values(version=None)),
    )
    with pytest.raises(Exception, match="NOT NULL"), database.writing() as connection:
        migrate(connection, where="the store", steps=steps)
    with database.reading() as connection:
        assert connection.execute(text("SELECT version FROM schema_info")).scalars().all() == [VERSION]
    database.close()
    with open_store(url(path)) as store:
        assert store.load("c0").num_turns == 3
