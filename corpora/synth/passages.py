"""Documents as what can be asked about: FAQ entries, and headed sections with what they say first.

    for topic in topics([Path("help-centre")], limit_words=160): ...

An answer is always a verbatim part of its document, never written here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from dialog.knowledge.chunk import chunk_document
from dialog.knowledge.documents import read_sources
from dialog.knowledge.records import Loaded, Skip, TextChunk
from dialog.text import sentences, words
from dialog.values import Language

MIN_ANSWER_WORDS, MAX_ANSWER_WORDS = 5, 80


@dataclass(frozen=True)
class Topic:
    """Something to ask about. `start:end` is the answer in its document's text.

    `question` is an FAQ's own; `heading` is what a section is called.
    """

    passage_id: str
    document: str
    source: str
    title: str
    heading: str
    question: str | None
    answer: str
    start: int
    end: int
    chunk_start: int
    text: str
    language: Language


@dataclass
class Read:
    """The topics of some documents, what could not be read, and how many chunks give no topic."""

    topics: list[Topic] = field(default_factory=list)
    skipped: list[Skip] = field(default_factory=list)
    num_chunks: int = 0
    num_unusable: int = 0


def topics(paths: Sequence[Path], *, limit_words: int) -> Read:
    """Topics in the order of the documents; chunks are those that an index would hold."""
    read = Read()
    for item in read_sources(paths):
        if isinstance(item, Skip):
            read.skipped.append(item)
            continue
        for chunk in chunk_document(item, limit_words=limit_words):
            read.num_chunks += 1
            topic = _topic(item, chunk)
            if topic is None:
                read.num_unusable += 1
            else:
                read.topics.append(topic)
    return read


def _topic(loaded: Loaded, chunk: TextChunk) -> Topic | None:
    """None for a chunk without a heading, a language of ours, or an answer of a fit length."""
    if chunk.language == "und" or not chunk.path:
        return None
    text = loaded.document.text
    start, end = chunk.answer or _leading(text, chunk.start, chunk.end)
    answer = text[start:end]
    if not MIN_ANSWER_WORDS <= len(words(answer)) <= 2 * MAX_ANSWER_WORDS:
        return None
    return Topic(
        passage_id=chunk.id,
        document=loaded.key,
        source=chunk.source,
        title=loaded.document.title,
        heading=chunk.path[-1].split(" / ")[0],
        question=chunk.path[-1] if chunk.answer else None,
        answer=answer,
        start=start,
        end=end,
        chunk_start=chunk.start,
        text=chunk.text,
        language=chunk.language,
    )


def _leading(text: str, start: int, end: int) -> tuple[int, int]:
    """The first sentences, as many as fit; headings at the front are passed over."""
    spans = [(start + left, start + right) for left, right in sentences(text[start:end])]
    while spans and text[spans[0][0] : spans[0][1]].startswith("#"):
        spans.pop(0)
    if not spans:
        return start, start
    stop, num = spans[0][0], 0
    for left, right in spans:
        num += len(words(text[left:right]))
        is_full = num > MAX_ANSWER_WORDS and stop > spans[0][0]
        if is_full or text.startswith("#", left):
            break
        stop = right
    return spans[0][0], stop
