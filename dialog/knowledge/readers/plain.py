"""Plain text: paragraphs between blank lines; short unpunctuated lines above a paragraph are its heading.

Also the shared last step of every reader: text and blocks to a `Loaded`.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any

from dialog.knowledge.documents import RawFile
from dialog.knowledge.encoding import NotText, decode
from dialog.knowledge.records import Block, Loaded, Skip
from dialog.values import Document

_PARAGRAPH = re.compile(r"[^\n]+(?:\n(?![ \t]*\n)[^\n]+)*")
_ENDS_OPEN = re.compile(r"[\w)）\]”\"'?？]\s*$")
_MAX_HEADING_CHARS = 90


def read_plain(file: RawFile) -> Iterator[Loaded | Skip]:
    """One document, titled by its file name."""
    text = decode(file.data).text
    title = PurePosixPath(file.source).stem
    yield loaded(file, text=text, title=title, blocks=plain_blocks(text))


def plain_blocks(text: str, *, offset: int = 0, path: tuple[str, ...] = ()) -> list[Block]:
    """Blocks of the paragraphs of `text`; spans are shifted by `offset`.

    A line counts as a heading when it is short, does not end like a sentence
    and has text right below it: the way help pages look once their markup is
    gone.
    """
    blocks: list[Block] = []
    heading: tuple[str, ...] = ()
    for paragraph in _PARAGRAPH.finditer(text):
        start, end = _stripped(text, *paragraph.span())
        if start >= end:
            continue
        first_line_end = text.find("\n", start, end)
        first_line = text[start : first_line_end if first_line_end >= 0 else end].strip()
        if _is_heading(first_line):
            heading = (first_line,)
            if 0 <= first_line_end < end:
                start, _ = _stripped(text, first_line_end, end)
        blocks.append(Block(kind="text", start=offset + start, end=offset + end, path=path + heading))
    return blocks


def loaded(
    file: RawFile,
    *,
    text: str,
    title: str,
    blocks: list[Block],
    metadata: Mapping[str, Any] | None = None,
    record: str | None = None,
) -> Loaded:
    """A document of `file`; with `record`, the one of that name inside it.

    Raises:
        NotText: there is no text in it.
    """
    if not blocks:
        raise NotText("holds no text")
    metadata = dict(metadata or {})
    suffix = f"#{record}" if record else ""
    digest = hashlib.sha256(repr((title, sorted(metadata.items()), text)).encode("utf-8", "replace"))
    document = Document(
        source=file.source + suffix,
        title=title.strip() or PurePosixPath(file.source).stem,
        text=text,
        content_hash=digest.hexdigest(),
        metadata=metadata,
    )
    return Loaded(key=file.key + suffix, origin=file.key, document=document, blocks=tuple(blocks))


def _is_heading(line: str) -> bool:
    return 0 < len(line) <= _MAX_HEADING_CHARS and bool(_ENDS_OPEN.search(line))


def _stripped(text: str, start: int, end: int) -> tuple[int, int]:
    piece = text[start:end]
    return start + len(piece) - len(piece.lstrip()), start + len(piece.rstrip())
