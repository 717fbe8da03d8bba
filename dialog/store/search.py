"""Full-text search over the history, in Chinese and English alike.

Texts are indexed as `dialog.text.words` sees them (`dialog.store.words`), so every
Han character is a word of its own and a Chinese clause is found as a phrase.
SQLite keeps the words in FTS5, PostgreSQL in a `tsvector`; neither keeps the text twice.

    search(database, "退货 courier", limit=10)   # both must occur; best match first
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from sqlalchemy import Row, text

from dialog.entries import UserSaid
from dialog.errors import StoreError
from dialog.store.codec import load
from dialog.store.database import Database, Dialect
from dialog.store.keys import key_of, restore_id
from dialog.store.words import INDEXED_CHARS, catch_up, is_behind, said
from dialog.text import is_han, words
from dialog.values import Role, Value

SNIPPET_CHARS = 160

_MATCH = {
    "sqlite": "SELECT rowid, -bm25(entry_words) AS score FROM entry_words WHERE entry_words MATCH :query",
    "postgresql": (
        "SELECT rowid, ts_rank(words, q) AS score FROM entry_words, to_tsquery('simple', :query) AS q "
        "WHERE words @@ q"
    ),
}


class Hit(Value):
    """A message that matches; `snippet` is the text around the first match, on one line."""

    conversation_id: str
    entry_id: str
    role: Role
    snippet: str
    score: float


def search(
    database: Database, query: str, *, limit: int = 20, conversation_id: str | None = None
) -> tuple[Hit, ...]:
    """Messages that contain every part of `query`, best first; none for a query without words.

    A part is what stands between blanks; the words of a part must be neighbours.
    """
    parts = [found for part in query[:INDEXED_CHARS].split() if (found := words(part))]
    if not parts:
        return ()
    matched = _MATCH[database.dialect]
    where = "AND c.key = :key" if conversation_id is not None else ""
    statement = text(
        f"SELECT c.id, e.body, m.score FROM ({matched}) AS m "
        "JOIN entries e ON e.seq = m.rowid JOIN conversations c ON c.num = e.conversation "
        f"WHERE 1 = 1 {where} ORDER BY m.score DESC, e.seq DESC LIMIT :limit"
    )
    values: dict[str, object] = {"query": _expression(parts, database.dialect), "limit": limit}
    if conversation_id is not None:
        values["key"] = key_of(conversation_id)
    _catch_up(database)
    with database.reading() as connection:
        rows = connection.execute(statement, values).all()
    return tuple(_hit(row, [word for part in parts for word in part]) for row in rows)


def _catch_up(database: Database) -> None:
    with database.quick_reading() as cursor:
        if not is_behind(cursor):
            return
    with suppress(StoreError), database.quick_writing() as cursor:  # read-only: search what is indexed
        catch_up(cursor)


def _expression(parts: Iterable[list[str]], dialect: Dialect) -> str:
    """Every word quoted, so that nothing the user types is an operator."""
    if dialect == "sqlite":
        quoted = (" ".join(word.replace('"', " ") for word in part) for part in parts)
        return " AND ".join(f'"{phrase}"' for phrase in quoted)
    phrases = (
        " <-> ".join("'" + word.replace("\\", " ").replace("'", "''") + "'" for word in part)
        for part in parts
    )
    return " & ".join(f"({phrase})" for phrase in phrases)


def _hit(row: Row[Any], wanted: list[str]) -> Hit:
    conversation_id = restore_id(row.id)
    entry = load(row.body, where=f"conversation {conversation_id!r}")
    shown = said(entry) or ""
    return Hit(
        conversation_id=conversation_id,
        entry_id=entry.id,
        role="user" if isinstance(entry, UserSaid) else "assistant",
        snippet=_snippet(shown, wanted),
        score=float(row.score),
    )


def _snippet(shown: str, wanted: list[str]) -> str:
    """The text around the place where the searched words begin."""
    joined = "".join(wanted) if all(is_han(word) for word in wanted) else wanted[0]
    lowered = shown.casefold()
    at = max(lowered.find(joined), lowered.find(wanted[0]) if joined not in lowered else -1, 0)
    start = max(0, at - SNIPPET_CHARS // 4)
    piece = " ".join(shown[start : start + SNIPPET_CHARS].split())
    return ("…" if start else "") + piece + ("…" if start + SNIPPET_CHARS < len(shown) else "")
