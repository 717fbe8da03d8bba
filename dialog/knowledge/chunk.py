"""Documents to chunks: along the author's own structure, sized in words, spans exact.

A chunk is a run of neighbouring blocks under one heading, no longer than the
limit; a longer block is cut between sentences, and only a longer sentence
between words. An FAQ entry is always one chunk and never shares it.

    for chunk in chunk_document(loaded, limit_words=160):
        assert chunk.text == loaded.document.text[chunk.start : chunk.end]
"""

from __future__ import annotations

import hashlib
import itertools
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from dialog.knowledge.records import IN_PART, Block, Loaded, TextChunk
from dialog.text import detect_language, sentences, word_spans, words

CHUNKER_VERSION = "2"

_WINDOW_CHARS = 20_000
"""Sentences are looked for in windows of this size, so that a huge line costs linear time."""
_SMALL_SHARE = 0.25
"""A section below this share of the limit joins the next one under the same parent."""
_MAX_WORD_CHARS = 200
_MAX_HEADER_CHARS = 200


def chunk_document(loaded: Loaded, *, limit_words: int) -> list[TextChunk]:
    """Chunks in document order; their ids depend on source and text only, not on position."""
    occurrences: Counter[str] = Counter()
    chunks: list[TextChunk] = []
    for block in _packed(loaded, limit_words):
        text = loaded.document.text[block.start : block.end]
        occurrences[text] += 1
        chunks.append(_chunk(loaded, block, text, occurrence=occurrences[text]))
    return chunks


def _chunk(loaded: Loaded, block: Block, text: str, *, occurrence: int) -> TextChunk:
    document = loaded.document
    above = block.path if block.kind == "faq" else (document.title, *block.path)
    path = tuple(name for i, name in enumerate(above) if name and name not in above[:i])
    identity = "\0".join((document.source, " > ".join(path), text, str(occurrence)))
    return TextChunk(
        id=hashlib.sha256(identity.encode("utf-8", "replace")).hexdigest()[:20],
        text=text,
        start=block.start,
        end=block.end,
        path=path,
        language=detect_language(text),
        source=block.source or document.source,
        metadata={
            **{key: value for key, value in document.metadata.items() if key != IN_PART},
            **block.metadata,
        },
        answer=block.answer,
    )


def _packed(loaded: Loaded, limit_words: int) -> Iterator[Block]:
    """Neighbouring pieces joined up to the limit."""
    text = loaded.document.text
    open_block: Block | None = None
    open_words = 0
    for piece in _pieces(loaded, limit_words):
        num_words = len(words(text[piece.start : piece.end]))
        if (
            open_block
            and open_words + num_words <= limit_words
            and (joined := _joined(open_block, piece, is_small=open_words <= limit_words * _SMALL_SHARE))
        ):
            open_block, open_words = joined, open_words + num_words
            continue
        if open_block:
            yield open_block
        open_block, open_words = piece, num_words
    if open_block:
        yield open_block


def _joined(left: Block, right: Block, *, is_small: bool) -> Block | None:
    """The two as one block, or None if they do not belong together."""
    if "faq" in (left.kind, right.kind) or _without_page(left) != _without_page(right):
        return None
    if left.path == right.path:
        return replace(left, end=right.end, metadata=_spanned(left, right))
    common = _common_prefix(left.path, right.path)
    if is_small and len(common) >= min(len(left.path), len(right.path)) - 1:
        names = [path[-1] for path in (left.path, right.path) if len(path) > len(common)]
        path = (*common, " / ".join(names))
        return replace(left, end=right.end, path=path, metadata=_spanned(left, right))
    return None


def _without_page(block: Block) -> Mapping[str, Any]:
    return {name: value for name, value in block.metadata.items() if name != "page"}


def _spanned(left: Block, right: Block) -> Mapping[str, Any]:
    """The left block's metadata, with the pages of both: a number, or a list of them."""
    found = {page: None for side in (left, right) for page in _pages(side.metadata.get("page"))}
    if len(found) < 2:
        return left.metadata
    return {**left.metadata, "page": list(found)}


def _pages(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _common_prefix(left: tuple[str, ...], right: tuple[str, ...]) -> tuple[str, ...]:
    equal = itertools.takewhile(lambda pair: pair[0] == pair[1], zip(left, right, strict=False))
    return tuple(name for name, _ in equal)


def _pieces(loaded: Loaded, limit_words: int) -> Iterator[Block]:
    """Blocks no longer than the limit; FAQ entries whole whatever their length.

    A table is cut between its rows, and the header joins the path of all but its first part.
    """
    text = loaded.document.text
    for block in loaded.blocks:
        if block.kind == "faq" or len(words(text[block.start : block.end])) <= limit_words:
            yield block
        else:
            header = _header(text[block.start : block.end]) if block.kind == "table" else ()
            for start, end in _cut(text, block.start, block.end, limit_words):
                path = block.path if start == block.start else (*block.path, *header)
                yield replace(block, start=start, end=end, path=path)


def _header(table: str) -> tuple[str, ...]:
    """A Markdown table's column names as one name of a path."""
    first, _, rest = table.partition("\n")
    if not first.startswith("|") or not rest.startswith("|"):
        return ()
    return (first.strip("| ").replace(" | ", ", ")[:_MAX_HEADER_CHARS],)


def _cut(text: str, start: int, end: int, limit_words: int) -> Iterator[tuple[int, int]]:
    """Spans of at most `limit_words` words that cover the block, cut between sentences where possible."""
    open_start = open_end = start
    open_words = 0
    for left, right in _sentence_spans(text, start, end, limit_words):
        num_words = len(words(text[left:right]))
        if open_words and open_words + num_words > limit_words:
            yield open_start, open_end
            open_words = 0
        if not open_words:
            open_start = left
        open_words += num_words
        open_end = right
    if open_words:
        yield open_start, open_end


def _sentence_spans(text: str, start: int, end: int, limit_words: int) -> Iterator[tuple[int, int]]:
    for window in range(start, end, _WINDOW_CHARS):
        piece = text[window : min(end, window + _WINDOW_CHARS)]
        for left, right in sentences(piece):
            if len(words(piece[left:right])) <= limit_words:
                yield window + left, window + right
            else:
                yield from _word_spans(text, window + left, window + right, limit_words)


def _word_spans(text: str, start: int, end: int, limit_words: int) -> Iterator[tuple[int, int]]:
    """A sentence longer than the limit, cut between words; Chinese, between characters."""
    open_start, open_words = start, 0
    for left, right in _atoms(text, start, end):
        num_words = len(words(text[left:right]))
        if open_words and open_words + num_words > limit_words:
            yield open_start, _without_trailing_space(text, open_start, left)
            open_start, open_words = left, 0
        open_words += num_words
    if open_words:
        yield open_start, _without_trailing_space(text, open_start, end)


def _atoms(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Words, each with what stands before it; only a monstrous one is cut."""
    at = start
    for _, word_end in word_spans(text, start, end):
        while word_end - at > _MAX_WORD_CHARS:
            yield at, at + _MAX_WORD_CHARS
            at += _MAX_WORD_CHARS
        if word_end > at:
            yield at, word_end
        at = word_end


def _without_trailing_space(text: str, start: int, end: int) -> int:
    return start + len(text[start:end].rstrip())
