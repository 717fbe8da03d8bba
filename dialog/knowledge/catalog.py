"""The SQLite file that is the truth of an index: documents, chunks, vectors, search terms.

Everything else (the Chroma collection, matrices in memory) can be made again
from it. One transaction replaces one batch of documents, so a reader or a
killed writer sees each document old or new, never a mixture.

    catalog = Catalog(path, read_only=True)
    for row in catalog.chunks(["3f2a..."]): print(row.text)
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from dialog.errors import KnowledgeError
from dialog.knowledge import postings
from dialog.knowledge.records import Loaded
from dialog.knowledge.rows import SCHEMA, ChunkRow, NewChunk, chunk_row, forget, insert
from dialog.values import Document

_HOLDS = """EXISTS (
    SELECT 1 FROM json_each(chunks.metadata) AS field WHERE field.key = ? AND (
        field.value IN ({marks}) OR field.type = 'array' AND EXISTS (
            SELECT 1 FROM json_each(field.value) AS item WHERE item.value IN ({marks}))))"""
_BUSY_TIMEOUT_S = 30.0

Answer = TypeVar("Answer")


class Catalog:
    """One connection a thread; close from anywhere."""

    def __init__(self, path: Path, *, read_only: bool) -> None:
        self.path = path
        self._read_only = read_only
        self._local = threading.local()
        self._lock = threading.Lock()
        self._connections: list[sqlite3.Connection] = []
        try:
            if not read_only and not path.exists():
                self._create()
            self.generation()
        except sqlite3.Error as error:
            self.close()
            raise damaged(path, error) from error

    def close(self) -> None:
        with self._lock:
            for connection in self._connections:
                connection.close()
            self._connections.clear()
            self._local = threading.local()

    def generation(self) -> int:
        """Counts published changes."""
        return int(self._value("SELECT value FROM meta WHERE key = 'generation'"))

    def counts(self) -> tuple[int, int]:
        """How many documents and chunks are published."""
        row = self._query("SELECT (SELECT count(*) FROM documents), (SELECT count(*) FROM chunks)")[0]
        return int(row[0]), int(row[1])

    def content_hashes(self) -> dict[str, tuple[str, str]]:
        """Key of every document -> (origin, content hash)."""
        rows = self._query("SELECT key, origin, content_hash FROM documents")
        return {key: (origin, content_hash) for key, origin, content_hash in rows}

    def given_tenants(self) -> dict[str, str]:
        """Origin of every document whose owner an indexing run named -> that owner."""
        sql = "SELECT origin, given_tenant FROM documents WHERE given_tenant != '' ORDER BY origin"
        return dict(self._query(sql))

    def chunk_ids(self) -> list[str]:
        return [chunk_id for chunk_id, _ in self.ids()]

    def chunk_ids_of(self, keys: Sequence[str]) -> list[str]:
        return [
            row[0]
            for key in keys
            for row in self._query("SELECT id FROM chunks WHERE document = ? ORDER BY number", (key,))
        ]

    def chunks(self, numbers: Sequence[int]) -> list[ChunkRow]:
        """The rows with these numbers, in the order asked for; missing ones are left out."""
        marks = ",".join("?" * len(numbers))
        rows = self._query(f"SELECT * FROM chunks WHERE number IN ({marks})", tuple(numbers))
        found = {row[0]: chunk_row(row) for row in rows}
        return [found[number] for number in numbers if number in found]

    def numbers_by_id(self, ids: Sequence[str]) -> dict[str, int]:
        """Numbers of the chunks with these ids; ids that are not published are left out."""
        marks = ",".join("?" * len(ids))
        return dict(self._query(f"SELECT id, number FROM chunks WHERE id IN ({marks})", tuple(ids)))

    def ids(self) -> list[tuple[str, int]]:
        """(id, number) of every chunk, by id."""
        return self._query("SELECT id, number FROM chunks ORDER BY id")

    def numbers_in(self, language: str) -> list[int]:
        """Chunk numbers of a language, ascending."""
        rows = self._query("SELECT number FROM chunks WHERE language = ? ORDER BY number", (language,))
        return [row[0] for row in rows]

    def units(self, numbers: Sequence[int]) -> dict[int, str]:
        """The document of each chunk; an FAQ entry counts as a document of its own."""
        marks = ",".join("?" * len(numbers))
        rows = self._query(
            f"SELECT number, document, answer_start FROM chunks WHERE number IN ({marks})", tuple(numbers)
        )
        return {row[0]: row[1] if row[2] is None else f"{row[1]}#{row[0]}" for row in rows}

    def numbers_where(self, where: Mapping[str, Any]) -> list[int]:
        """Numbers of the chunks whose metadata holds every given value (or, in a list, one of them)."""
        conditions: list[str] = []
        values: list[Any] = []
        for key, wanted in where.items():
            options = list(wanted) if isinstance(wanted, list | tuple | set | frozenset) else [wanted]
            marks = ",".join("?" * len(options))
            conditions.append(_HOLDS.format(marks=marks))
            values += [key, *options, *options]
        sql = "SELECT number FROM chunks WHERE " + (" AND ".join(conditions) or "1") + " ORDER BY number"
        return [row[0] for row in self._query(sql, tuple(values))]

    def numbers_of(self, document: str) -> list[tuple[int, int, int]]:
        """(number, start, end) of each chunk of a document."""
        sql = "SELECT number, char_start, char_end FROM chunks WHERE document = ? ORDER BY number"
        return self._query(sql, (document,))

    def document(self, key: str) -> Document | None:
        rows = self._query(
            "SELECT source, title, text, content_hash, metadata FROM documents WHERE key = ?", (key,)
        )
        if not rows:
            return None
        source, title, text, content_hash, metadata = rows[0]
        return Document(
            source=source, title=title, text=text, content_hash=content_hash, metadata=json.loads(metadata)
        )

    def vectors(self) -> Iterator[tuple[int, str, bytes]]:
        """(number, chunk id, vector bytes) of every chunk, by number."""
        sql = "SELECT number, id, vector FROM chunks JOIN vectors USING (number) ORDER BY number"
        yield from self._connection().execute(sql)

    def vectors_of(self, numbers: Sequence[int] | None) -> Iterator[tuple[int, bytes]]:
        """(number, vector bytes) of these chunks, of all where None, by number."""
        among = "" if numbers is None else " WHERE number IN (SELECT value FROM json_each(?))"
        values = [] if numbers is None else [json.dumps(list(numbers))]
        yield from self._connection().execute(
            f"SELECT number, vector FROM vectors{among} ORDER BY number", values
        )

    def known_vectors(self, digests: Iterable[str]) -> dict[str, bytes]:
        """Vectors already computed for these digests."""
        found: dict[str, bytes] = {}
        for digest in digests:
            if rows := self._query("SELECT vector FROM vectors WHERE digest = ? LIMIT 1", (digest,)):
                found[digest] = rows[0][0]
        return found

    def postings(self, terms: Sequence[str]) -> Mapping[str, postings.Parts]:
        """Where each term stands, for `postings.decode`; a term that never occurred is left out."""
        return self._read(lambda connection: postings.find(connection, terms))

    def facets(self) -> list[tuple[int, int, str, str, int, int, int]]:
        """(number, terms, tenant, locale, valid from, valid until, updated) of every chunk, by number."""
        sql = "SELECT number, num_terms, tenant, locale, valid_from, valid_until, updated FROM facets"
        return self._query(f"{sql} ORDER BY number")

    def document_frequencies(self, wanted: Sequence[str]) -> dict[str, int]:
        """In how many chunks each term occurs; absent terms are left out."""
        return self._read(lambda connection: postings.frequencies(connection, wanted))

    def vocabulary(self, first: str) -> list[str]:
        """Every term that begins with this character."""
        return self._read(lambda connection: postings.vocabulary(connection, first))

    def replace(
        self,
        documents: Sequence[tuple[Loaded, Sequence[NewChunk]]],
        *,
        removed: Sequence[str] = (),
        given_tenant: str | None = None,
    ) -> None:
        """Publish new versions of documents and forget the keys in `removed`, all or nothing.

        `given_tenant` is the owner the run names, kept so that a later run does not forget it.
        """
        segment = postings.Segment()
        with self.transaction() as connection:
            for key in [*removed, *(loaded.key for loaded, _ in documents)]:
                forget(connection, key, segment)
            for loaded, chunks in documents:
                insert(connection, loaded, chunks, segment, given_tenant=given_tenant)
            segment.write(connection)
            postings.merge(connection)
            connection.execute("UPDATE meta SET value = value + 1 WHERE key = 'generation'")

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Everything this thread reads inside comes from one published state."""
        connection = self._connection()
        connection.execute("BEGIN")
        try:
            yield
        finally:
            connection.execute("COMMIT")

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        connection = self._connection()
        try:
            connection.execute("BEGIN IMMEDIATE")
            yield connection
            connection.execute("COMMIT")
        except sqlite3.Error as error:
            _roll_back(connection)
            raise KnowledgeError(f"cannot write {str(self.path)!r}: {error}") from error
        except BaseException:
            _roll_back(connection)
            raise

    def optimise(self) -> None:
        """Merge small segments of postings and fold the log into the file; after a writing run."""
        with self.transaction() as connection:
            postings.merge(connection, is_at_rest=True)
        connection.executescript("PRAGMA incremental_vacuum")  # `execute` stops after the first free page
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def _create(self) -> None:
        connection = self._connection()
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.executescript(f"BEGIN;{SCHEMA}COMMIT;")

    def _connection(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._connect()
            self._local.connection = connection
            with self._lock:
                self._connections.append(connection)
        return connection

    def _connect(self) -> sqlite3.Connection:
        if not self._read_only:
            connection = _open(f"{self.path.absolute().as_uri()}?mode=rwc")
            connection.execute("PRAGMA synchronous = NORMAL")
            return connection
        connection = _open(f"{self.path.absolute().as_uri()}?mode=ro")
        try:
            # By default 2 MB: the terms of a large index are then read from the system again and again.
            connection.execute("PRAGMA cache_size = -32768")
            connection.execute("SELECT 1 FROM meta")
        except sqlite3.OperationalError:
            # A write-ahead-logged file in a folder we may not write to: it cannot change under us either.
            connection.close()
            connection = _open(f"{self.path.absolute().as_uri()}?mode=ro&immutable=1")
        return connection

    def _query(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        return self._read(lambda connection: connection.execute(sql, values).fetchall())

    def _read(self, read: Callable[[sqlite3.Connection], Answer]) -> Answer:
        try:
            return read(self._connection())
        except sqlite3.DatabaseError as error:
            raise damaged(self.path, error) from error

    def _value(self, sql: str, values: Sequence[Any] = ()) -> Any:
        rows = self._query(sql, values)
        if not rows:
            raise damaged(self.path, "it holds no generation")
        return rows[0][0]


def damaged(path: Path, problem: object) -> KnowledgeError:
    return KnowledgeError(
        f"the knowledge index {str(path)!r} cannot be read: {problem}; "
        "make it again from its documents with: instructrec index PATH... --rebuild"
    )


def _open(uri: str) -> sqlite3.Connection:
    return sqlite3.connect(
        uri, uri=True, timeout=_BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False
    )


def _roll_back(connection: sqlite3.Connection) -> None:
    if connection.in_transaction:
        connection.execute("ROLLBACK")
