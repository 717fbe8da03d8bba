"""Rows of all pages to headings, paragraphs, list items and tables.

    pieces([rows_of_page_1, rows_of_page_2])

Wrapped lines and divided words are joined, also across pages. A line is a heading when it is set larger
than the body or bold on its own, as long as few lines are.
"""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from dialog.knowledge.convert.page import Row
from dialog.knowledge.convert.pdf_tables import Grid, with_tables
from dialog.knowledge.convert.pieces import Piece, heading
from dialog.knowledge.convert.shape import is_cjk, looks_like_heading, numbered_depth

_LARGER = 1.12
_MAX_HEADING_SHARE = 0.3
_MAX_HEADING_LEVELS = 4
_MAX_HEADING_ROWS = 3
_PARAGRAPH_GAP = 1.25
"""A gap this much wider than the page's usual one starts a paragraph."""
_BULLET = re.compile(r"^\s*(?:[•●○■□▪◦‣⁃·◆►▶➢✓\uf0b7]|[-–—*](?=\s))\s*")
_NUMBER = re.compile(
    r"^\s*(?:\d{1,3}[.)、](?=\D)|[（(](?:\d{1,2}|[一二三四五六七八九十]{1,3}|[a-z])[)）]|[①-⑳])"
)
_SENTENCE_END = re.compile(r"[.!?:;。！？：；…][\"'”’)）】」]*$")
_DIVIDED = re.compile(r"(\w+)[-\u2010\u00ad]$")


@dataclass(frozen=True)
class _Paragraph:
    """Consecutive rows that read as one."""

    rows: tuple[Row, ...]
    page: int
    last_page: int
    kind: str = "text"

    @property
    def size(self) -> float:
        return max(self.rows, key=lambda row: len(row.text)).size

    @property
    def is_bold(self) -> bool:
        return all(row.is_bold for row in self.rows)


@dataclass
class _Words:
    """Words of the document that hold a hyphen: `long-` before `term` keeps it if `long-term` is one."""

    hyphenated: set[str] = field(default_factory=set)

    def joined(self, rows: Sequence[Row]) -> str:
        text = ""
        for row in rows:
            text = self._join(text, row.text.strip()) if text else row.text.strip()
        return text.replace("\u00ad", "")

    def _join(self, left: str, right: str) -> str:
        divided = _DIVIDED.search(left)
        if divided and right[:1].islower() and not divided.group(1).isdigit():
            rest = re.split(r"[^\w-]", right, maxsplit=1)[0]
            whole = f"{divided.group(1)}-{rest}".lower()
            return (left if whole in self.hyphenated else left[:-1]) + right
        if left.endswith(("-", "/")) and not left.endswith((" -", " /")):
            return left + right
        return left + right if is_cjk(left[-1]) and is_cjk(right[0]) else f"{left} {right}"


def pieces(pages: Sequence[Sequence[Row]]) -> list[Piece]:
    """The document; `pages` hold each page's rows in reading order, without what repeats at the edges."""
    inside = re.findall(r"\w+(?:-\w+)+", "\n".join(row.text for rows in pages for row in rows))
    words = _Words({word.lower() for word in inside})
    blocks = list(_continued(_blocks(pages)))
    levels = _Levels.of([block for block in blocks if isinstance(block, _Paragraph)])
    return [_piece(block, levels, words) for block in blocks]


def _piece(block: _Paragraph | Grid, levels: _Levels, words: _Words) -> Piece:
    if isinstance(block, Grid):
        cells = [[words.joined(cell) for cell in row] for row in block.cells]
        return Piece("table", rows=cells, page=block.page, last_page=block.page)
    text = words.joined(block.rows)
    level = levels.of_paragraph(block, text)
    if level:
        return heading(text, level=level, page=block.page)
    if block.kind == "list":
        bullet = _BULLET.match(text)
        text = f"- {text[bullet.end() :]}" if bullet else text
    return Piece("list" if block.kind == "list" else "text", text, page=block.page, last_page=block.last_page)


def _blocks(pages: Sequence[Sequence[Row]]) -> Iterator[_Paragraph | Grid]:
    for number, rows in enumerate(pages, 1):
        usual = _usual_gap(rows)
        for group in with_tables(rows, page=number):
            if isinstance(group, Grid):
                yield group
            else:
                yield from _paragraphs(group, usual, page=number)


def _usual_gap(rows: Sequence[Row]) -> float:
    """The smallest common distance of neighbouring rows, in font sizes; single-spaced by default."""
    gaps = Counter(
        round((upper.y - lower.y) / upper.size, 1)
        for upper, lower in itertools.pairwise(rows)
        if upper.size == lower.size and 0 < upper.y - lower.y < 3 * upper.size
    )
    often = max(gaps.values(), default=0) / 2
    return min((gap for gap, count in gaps.items() if count >= often), default=1.3)


def _paragraphs(rows: Sequence[Row], usual: float, *, page: int) -> Iterator[_Paragraph]:
    open_rows: list[Row] = []
    kind = "text"
    for row in rows:
        if open_rows and _starts_paragraph(open_rows, row, usual, kind):
            yield _Paragraph(tuple(open_rows), page, page, kind)
            open_rows = []
        if not open_rows:
            kind = "list" if _BULLET.match(row.text) or _NUMBER.match(row.text) else "text"
        open_rows.append(row)
    if open_rows:
        yield _Paragraph(tuple(open_rows), page, page, kind)


def _starts_paragraph(above: Sequence[Row], row: Row, usual: float, kind: str) -> bool:
    last = above[-1]
    gap = (last.y - row.y) / last.size
    next_column = gap <= 0
    is_short = last.x1 < last.right - 4 * last.size
    if abs(row.size - last.size) > 0.08 * last.size or row.is_bold != last.is_bold:
        return True
    if _BULLET.match(row.text) or (_NUMBER.match(row.text) and (kind == "list" or _ends(last) or is_short)):
        return True
    if next_column:
        return _ends(last)
    if gap > _PARAGRAPH_GAP * usual:
        return True
    is_indented = row.x0 - last.x0 > 1.2 * row.size and row.x0 - row.left > 1.2 * row.size
    return kind == "text" and (is_indented or (_ends(last) and is_short))


def _ends(row: Row) -> bool:
    return bool(_SENTENCE_END.search(row.text.rstrip()))


def _continued(blocks: Iterator[_Paragraph | Grid]) -> Iterator[_Paragraph | Grid]:
    """A paragraph that runs on at the top of the next page, made one."""
    open_block: _Paragraph | Grid | None = None
    for block in blocks:
        if (
            isinstance(open_block, _Paragraph)
            and isinstance(block, _Paragraph)
            and block.page == open_block.last_page + 1
            and _runs_on(open_block, block)
        ):
            rows = open_block.rows + block.rows
            open_block = replace(open_block, rows=rows, last_page=block.last_page)
            continue
        if open_block:
            yield open_block
        open_block = block
    if open_block:
        yield open_block


def _runs_on(left: _Paragraph, right: _Paragraph) -> bool:
    last, first = left.rows[-1], right.rows[0]
    return (
        abs(left.size - right.size) < 0.1
        and left.is_bold == right.is_bold
        and right.kind == "text"
        and not _ends(last)
        and last.x1 > last.right - 4 * last.size
        and not (looks_like_heading(first.text) and first.text[:1].isdigit())
    )


@dataclass(frozen=True)
class _Levels:
    """The level of each size that is a heading; `bold` that of bold lines of body size, 0 for none."""

    body: float
    by_size: dict[float, int]
    bold: int

    @classmethod
    def of(cls, paragraphs: Sequence[_Paragraph]) -> _Levels:
        sizes: Counter[float] = Counter()
        for row in (row for paragraph in paragraphs for row in paragraph.rows):
            sizes[row.size] += len(row.text)
        if not sizes:
            return cls(0, {}, 0)
        total, body = sum(sizes.values()), sizes.most_common(1)[0][0]
        larger = [size for size in sizes if size > _LARGER * body]
        if sum(sizes[size] for size in larger) > _MAX_HEADING_SHARE * total:
            larger = []
        ranked = sorted(larger, reverse=True)
        by_size = {size: min(rank, _MAX_HEADING_LEVELS) for rank, size in enumerate(ranked, 1)}
        bold = sum(len(row.text) for p in paragraphs if p.is_bold and p.size == body for row in p.rows)
        is_told = 0 < bold <= _MAX_HEADING_SHARE * total
        return cls(body, by_size, min(len(ranked) + 1, _MAX_HEADING_LEVELS + 1) if is_told else 0)

    def of_paragraph(self, paragraph: _Paragraph, text: str) -> int:
        if len(paragraph.rows) > _MAX_HEADING_ROWS or not looks_like_heading(text):
            return 0
        if level := self.by_size.get(paragraph.size, 0):
            return level
        if self.bold and paragraph.is_bold and paragraph.size >= self.body and len(paragraph.rows) == 1:
            return self.bold + numbered_depth(text)
        return 0
