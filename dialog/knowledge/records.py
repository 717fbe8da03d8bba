"""The room's own values: what a reader hands to the chunker, the chunker to the index.

Every span is half-open, in characters of the document's text, and
`text[start:end]` is always exactly what is meant.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from dialog.values import Document, Language, Value

IN_PART = "not_read"
"""Key of a document's metadata: what could not be read of it. Its chunks do not carry it."""

BlockKind = Literal["text", "list", "table", "code", "faq"]


@dataclass(frozen=True)
class Block:
    """A piece of a document that its author set apart: a paragraph, a list item, a table, an FAQ entry."""

    kind: BlockKind
    start: int
    end: int
    path: tuple[str, ...] = ()
    answer: tuple[int, int] | None = None
    source: str | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Loaded:
    """A document as read. `key` identifies it for good; `origin` is the file it came from."""

    key: str
    origin: str
    document: Document
    blocks: tuple[Block, ...]


class Skip(Value):
    """Something that was not indexed, and why.

    `unread` is true where its content could not be looked at: what the index
    holds of it stays. `in_part` is true where the rest of the document is indexed.
    """

    source: str
    reason: str
    unread: bool = False
    in_part: bool = False


@dataclass(frozen=True)
class TextChunk:
    """One retrievable piece of a document; `text` is `document.text[start:end]`.

    `path` (title and headings; of an FAQ entry its question) joins only what is embedded and indexed.
    """

    id: str
    text: str
    start: int
    end: int
    path: tuple[str, ...]
    language: Language
    source: str
    metadata: Mapping[str, Any]
    answer: tuple[int, int] | None = None

    @property
    def heading(self) -> str:
        return " > ".join(self.path)

    @property
    def embedded(self) -> str:
        """What the embedder sees; an FAQ entry's text holds its question already."""
        return f"{self.heading}\n{self.text}" if self.path and not self.answer else self.text


class IndexReport(Value):
    """What an indexing run did, in documents; `num_chunks` is what the index holds now.

    `notices` are about what was indexed, but not all as its author meant it.
    """

    added: int = 0
    changed: int = 0
    removed: int = 0
    unchanged: int = 0
    skipped: tuple[Skip, ...] = ()
    notices: tuple[Skip, ...] = ()
    num_documents: int = 0
    num_chunks: int = 0
    num_embedded: int = 0
    seconds: float = 0.0
