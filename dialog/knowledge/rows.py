"""The tables of an index and how documents and chunks become their rows.

segment = Segment()
forget(connection, key, segment)
insert(connection, loaded, chunks, segment)
segment.write(connection)
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass
from typing import Any

from dialog.knowledge import postings
from dialog.knowledge.facets import read_facets
from dialog.knowledge.records import Loaded, TextChunk
from dialog.knowledge.segment import terms
from dialog.values import Language

SCHEMA = f"""
CREATE TABLE meta (key TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
INSERT INTO meta VALUES ('generation', 0);
CREATE TABLE documents (
    key TEXT PRIMARY KEY, origin TEXT NOT NULL, source TEXT NOT NULL, title TEXT NOT NULL,
    content_hash TEXT NOT NULL, text TEXT NOT NULL, metadata TEXT NOT NULL,
    given_tenant TEXT -- by the run that read it; NULL where it said nothing
);
CREATE INDEX documents_origin ON documents(origin);
CREATE TABLE chunks (
    number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE,
    document TEXT NOT NULL REFERENCES documents(key),
    source TEXT NOT NULL, heading TEXT NOT NULL, text TEXT NOT NULL, language TEXT NOT NULL,
    char_start INTEGER NOT NULL, char_end INTEGER NOT NULL, answer_start INTEGER, answer_end INTEGER,
    metadata TEXT NOT NULL
);
CREATE INDEX chunks_document ON chunks(document);
CREATE TABLE facets (
    number INTEGER PRIMARY KEY REFERENCES chunks(number), num_terms INTEGER NOT NULL,
    tenant TEXT NOT NULL, locale TEXT NOT NULL,
    valid_from INTEGER NOT NULL, valid_until INTEGER NOT NULL, updated INTEGER NOT NULL
);
CREATE TABLE vectors (
    number INTEGER PRIMARY KEY REFERENCES chunks(number), digest TEXT NOT NULL, vector BLOB NOT NULL
);
CREATE INDEX vectors_digest ON vectors(digest);
{postings.SCHEMA}"""


@dataclass(frozen=True)
class ChunkRow:
    """A chunk as stored. `char_start:char_end` and the answer's span index the document's text."""

    number: int
    id: str
    document: str
    source: str
    heading: str
    text: str
    language: Language
    char_start: int
    char_end: int
    answer_start: int | None
    answer_end: int | None
    metadata: Mapping[str, Any]

    @property
    def answer(self) -> str | None:
        if self.answer_start is None or self.answer_end is None:
            return None
        return self.text[self.answer_start - self.char_start : self.answer_end - self.char_start]


@dataclass(frozen=True)
class NewChunk:
    """A chunk to store, with the digest of what was embedded and the float32 vector's bytes."""

    chunk: TextChunk
    digest: str
    vector: bytes


def chunk_row(row: tuple[Any, ...]) -> ChunkRow:
    return ChunkRow(*(*row[:11], json.loads(row[11])))


def forget(connection: sqlite3.Connection, key: str, segment: postings.Segment) -> None:
    rows = connection.execute("SELECT number, heading, text FROM chunks WHERE document = ?", (key,))
    for number, heading, text in rows.fetchall():
        segment.remove([*terms(heading), *terms(text)])
        connection.execute("DELETE FROM vectors WHERE number = ?", (number,))
        connection.execute("DELETE FROM facets WHERE number = ?", (number,))
    connection.execute("DELETE FROM chunks WHERE document = ?", (key,))
    connection.execute("DELETE FROM documents WHERE key = ?", (key,))


def insert(
    connection: sqlite3.Connection,
    loaded: Loaded,
    chunks: Sequence[NewChunk],
    segment: postings.Segment,
    *,
    given_tenant: str | None = None,
) -> None:
    document = loaded.document
    connection.execute(
        "INSERT INTO documents VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            loaded.key,
            loaded.origin,
            document.source,
            document.title,
            document.content_hash,
            document.text,
            json_text(document.metadata),
            given_tenant,
        ),
    )
    for new in chunks:
        chunk = new.chunk
        start, end = chunk.answer or (None, None)
        values = (chunk.id, loaded.key, chunk.source, chunk.heading, chunk.text, chunk.language)
        number = connection.execute(
            "INSERT INTO chunks VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (*values, chunk.start, chunk.end, start, end, json_text(chunk.metadata)),
        ).lastrowid
        assert number is not None
        connection.execute("INSERT INTO vectors VALUES (?, ?, ?)", (number, new.digest, new.vector))
        heading, body = terms(chunk.heading), terms(chunk.text)
        segment.add(number, heading=heading, body=body)
        facets = astuple(read_facets(chunk.metadata).facets)
        connection.execute(
            "INSERT INTO facets VALUES (?, ?, ?, ?, ?, ?, ?)", (number, len(heading) + len(body), *facets)
        )


def json_text(value: Mapping[str, Any]) -> str:
    return json.dumps(dict(value), ensure_ascii=False, sort_keys=True)
