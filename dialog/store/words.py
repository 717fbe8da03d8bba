"""The full-text index: which words stand in which entry.

PostgreSQL indexes an entry when it is recorded. SQLite, where one writer holds
up the others, indexes in batches: every `BATCH` entries while recording, and
what is left when somebody searches. Either way a search sees everything.

    with database.quick_writing() as cursor: catch_up(cursor)
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import text

from dialog.entries import Entry, HumanSaid, Replied, UserSaid
from dialog.store.codec import load
from dialog.store.quick import Cursor, Quick
from dialog.text import words

INDEXED_CHARS = 20_000
"""Of a longer message, only the beginning is found. What is indexed must stay computable to be dropped
again: a change here needs a migration that builds the index anew."""

BATCH = 256

_INSERT = Quick(
    text("INSERT INTO entry_words (rowid, words) VALUES (:seq, :words)"),
    postgresql_statement=text(
        "INSERT INTO entry_words (rowid, words) VALUES (:seq, to_tsvector('simple', :words))"
    ),
)
_DELETE = Quick(
    text("INSERT INTO entry_words (entry_words, rowid, words) VALUES ('delete', :seq, :words)"),
    postgresql_statement=text("DELETE FROM entry_words WHERE rowid = :seq AND :words = :words"),
)
_CLEAR = Quick(
    text("INSERT INTO entry_words (entry_words) VALUES ('delete-all')"),
    postgresql_statement=text("DELETE FROM entry_words"),
)
_NEWEST = Quick(text("SELECT coalesce(max(rowid), 0) FROM entry_words"))
_UNINDEXED = Quick(
    text(
        "SELECT seq, body FROM entries WHERE seq > :after "
        "AND kind IN ('user_said', 'replied', 'human_said') ORDER BY seq LIMIT :batch"
    )
)


def said(entry: Entry) -> str | None:
    """What an entry lets a reader read; None if nobody said anything in it."""
    match entry:
        case UserSaid() | HumanSaid():
            return entry.text
        case Replied():
            return entry.reply.text
        case _:
            return None


def indexed_words(entry: Entry) -> str | None:
    """The words of an entry, separated by blanks; "" if what was said has none, None if nothing was said."""
    shown = said(entry)
    if shown is None:
        return None
    found = words(shown[:INDEXED_CHARS].encode("utf-8", "replace").decode("utf-8"))
    return " ".join(found).replace("\0", " ")


def index_new(cursor: Cursor, recorded: Sequence[tuple[int, Entry]]) -> None:
    """Index what was just recorded, by `seq`, at once or when a batch is full."""
    if cursor.dialect == "sqlite":
        if any(seq % BATCH == 0 for seq, _ in recorded):
            catch_up(cursor)
        return
    for seq, entry in recorded:
        _add(cursor, seq, entry)


def catch_up(cursor: Cursor) -> None:
    """Index every entry that is not yet; nothing to do in PostgreSQL."""
    if cursor.dialect != "sqlite":
        return
    while _index_after(cursor, _newest(cursor)):
        pass


def is_behind(cursor: Cursor) -> bool:
    """True if entries wait to be indexed."""
    if cursor.dialect != "sqlite":
        return False
    return bool(cursor.rows(_UNINDEXED, after=_newest(cursor), batch=1))


def drop(cursor: Cursor, recorded: Sequence[tuple[int, Entry]]) -> None:
    """Forget entries, by `seq`; those that were never indexed are left alone."""
    newest = _newest(cursor)
    for seq, entry in recorded:
        found = indexed_words(entry)
        if found is not None and seq <= newest:
            cursor.run(_DELETE, seq=seq, words=found)


def rebuild(cursor: Cursor) -> None:
    """Build the index anew from the record."""
    cursor.run(_CLEAR)
    after = 0
    while reached := _index_after(cursor, after):
        after = reached


def _index_after(cursor: Cursor, after: int) -> int:
    """Index a batch beyond `after`; the `seq` it reached, 0 if there was nothing."""
    reached = 0
    for seq, body in cursor.rows(_UNINDEXED, after=after, batch=BATCH):
        _add(cursor, seq, load(body, where=f"entry {seq}"))
        reached = seq
    return reached


def _add(cursor: Cursor, seq: int, entry: Entry) -> None:
    found = indexed_words(entry)
    if found is not None:
        cursor.run(_INSERT, seq=seq, words=found)


def _newest(cursor: Cursor) -> int:
    return int(cursor.rows(_NEWEST)[0][0])
