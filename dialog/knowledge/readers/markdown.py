"""Markdown: YAML front matter as metadata, headings as path, paragraphs, lists, tables and code as blocks.

The text stays the file's own, front matter included, so a span in a citation
can be looked up in the file.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator
from itertools import accumulate
from pathlib import PurePosixPath
from typing import Any

import yaml
from markdown_it import MarkdownIt
from markdown_it.token import Token

from dialog.knowledge.documents import RawFile
from dialog.knowledge.encoding import decode
from dialog.knowledge.readers.plain import loaded
from dialog.knowledge.records import Block, BlockKind, Loaded, Skip

_FRONT_MATTER = re.compile(r"\A---[ \t]*\n(.*?\n)?(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.S)
_MARKUP = re.compile(r"!?\[([^\]]*)\]\([^)]*\)|[*_`~]{1,3}(?=\S)|(?<=\S)[*_`~]{1,3}|<[^>]{1,200}>")
_LEAF_KINDS: dict[str, BlockKind] = {
    "paragraph_open": "text",
    "table_open": "table",
    "fence": "code",
    "code_block": "code",
    "blockquote_open": "text",
    "list_item_open": "list",
}


def read_markdown(file: RawFile) -> Iterator[Loaded | Skip]:
    """One document, titled by its front matter, its first top heading or its file name."""
    text = decode(file.data).text
    yield markdown_document(file, text, title=None)


def markdown_document(
    file: RawFile,
    text: str,
    *,
    title: str | None,
    metadata: dict[str, Any] | None = None,
    record: str | None = None,
) -> Loaded:
    """A document from Markdown text; `title` None takes it from the text."""
    body_start, front = split_front_matter(text)
    blocks = markdown_blocks(text, body_start)
    named = title or str(front.pop("title", "") or "") or _first_heading(text, body_start)
    return loaded(
        file,
        text=text,
        title=named or PurePosixPath(file.source).stem,
        blocks=blocks,
        metadata={**front, **(metadata or {})},
        record=record,
    )


def split_front_matter(text: str) -> tuple[int, dict[str, Any]]:
    """Where the body starts and the metadata above it; (0, {}) where there is none or it is malformed."""
    match = _FRONT_MATTER.match(text)
    if not match:
        return 0, {}
    try:
        content = yaml.safe_load(match.group(1) or "")
    except (yaml.YAMLError, ValueError, RecursionError):
        return 0, {}
    if not isinstance(content, dict):
        return (match.end(), {}) if content is None else (0, {})
    plain = {str(key): _plain(value) for key, value in content.items()}
    return match.end(), {key: value for key, value in plain.items() if value is not None}


def markdown_blocks(text: str, start: int = 0) -> list[Block]:
    """Blocks of `text[start:]` with the headings above each as its path.

    A heading with nothing below it is a block itself: it may be all there is
    to know.
    """
    body = text[start:]
    line_starts = list(accumulate((len(line) + 1 for line in body.split("\n")), initial=start))
    blocks: list[Block] = []
    path: list[tuple[int, str]] = []
    pending: Block | None = None
    for token in _leaves(_PARSER.parse(body)):
        assert token.map is not None
        span = _trimmed(text, line_starts[token.map[0]], _line_end(line_starts, token.map[1], len(text)))
        if span is None:
            continue
        if token.type == "heading_open":
            level = int(token.tag[1:])
            if pending and level <= path[-1][0]:
                blocks.append(pending)
            above = [(depth, name) for depth, name in path if depth < level]
            pending = Block(kind="text", start=span[0], end=span[1], path=tuple(name for _, name in above))
            path = [*above, (level, _heading_text(text[slice(*span)]))]
            continue
        pending = None
        names = tuple(name for _, name in path if name)
        blocks.append(Block(kind=_LEAF_KINDS[token.type], start=span[0], end=span[1], path=names))
    if pending:
        blocks.append(pending)
    return blocks


_PARSER = MarkdownIt("commonmark").enable("table").disable("inline")


def _leaves(tokens: list[Token]) -> Iterator[Token]:
    """Headings and the outermost blocks; a list gives its items."""
    depth_taken: int | None = None
    for token in tokens:
        if depth_taken is not None:
            if token.nesting == -1 and token.level == depth_taken:
                depth_taken = None
            continue
        if token.map is None:
            continue
        if token.type in _LEAF_KINDS or token.type == "heading_open":
            yield token
            if token.nesting == 1:
                depth_taken = token.level
        elif token.type == "html_block":
            yield Token("paragraph_open", "p", 0, map=token.map)


def _line_end(line_starts: list[int], line: int, length: int) -> int:
    return line_starts[line] if line < len(line_starts) else length


def _trimmed(text: str, start: int, end: int) -> tuple[int, int] | None:
    piece = text[start:end]
    left, right = start + len(piece) - len(piece.lstrip()), start + len(piece.rstrip())
    return (left, right) if left < right else None


def _heading_text(line: str) -> str:
    line = line.split("\n")[0].strip().lstrip("#").rstrip("#")
    return _MARKUP.sub(lambda match: match.group(1) or "", line).strip()


def _first_heading(text: str, start: int) -> str:
    for token in _leaves(_PARSER.parse(text[start:])):
        if token.type == "heading_open" and token.tag == "h1" and token.map is not None:
            return _heading_text("\n".join(text[start:].split("\n")[slice(*token.map)]))
    return ""


def _plain(value: object) -> Any:
    """A value JSON can carry: a scalar, a date as ISO text, a list of scalars; None for anything else.

    Nothing nested: YAML aliases can make a few lines expand without end.
    """
    if isinstance(value, list):
        return [scalar for item in value if (scalar := _scalar(item)) is not None]
    return _scalar(value)


def _scalar(value: object) -> str | int | float | bool | None:
    if isinstance(value, datetime.date):
        return value.isoformat()
    return value if isinstance(value, str | int | float | bool) else None
