"""One page's characters in reading order: rows of cells, columns of prose one after the other.

Characters at one height form a line; a line breaks into segments at wide gaps.
Where a gutter parts two blocks of full lines, the left block is read before the
right one; where short segments stand beside each other, they are a row's cells.

    [row.text for row in reading_order(glyphs)]
"""

from __future__ import annotations

import itertools
import re
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from dialog.knowledge.convert.shape import is_cjk

_SAME_LINE = 0.45
"""Heights that differ by less than this, in font sizes, are one line: a superscript still is."""
_SPACE = 0.17
_SEGMENT_GAP = 1.4
"""A gap this wide, in font sizes, ends a segment; justified lines stay below it."""
_MARKER_GAP = 5.0
_MARKER = re.compile(r"[•●○■□▪◦‣⁃·◆►▶➢✓\uf0b7\ufffd*–—-]|[(（]?\w{1,2}[.)）、]")
"""What stands before a list item, a tab away from it."""
UNMAPPED = "\ufffd"
"""The text of a character that the file gives no meaning; in front of a line it is a bullet."""
_MIN_COLUMN_LINES = 4
_MAX_CROSSING = 0.35
_MIN_FULL_SHARE = 0.25
"""Share of a column's characters that stand in full lines."""
_MIN_LINE_CHARS = 12
_MAX_COLUMN_DEPTH = 4


@dataclass(frozen=True)
class Glyph:
    """A character; `y` is the bottom of its box, upwards from the page's foot."""

    text: str
    x0: float
    x1: float
    y: float
    size: float
    is_bold: bool


@dataclass(frozen=True)
class Rule:
    """A line drawn on the page, the border of a cell: `at` an x between two heights, or at a height."""

    at: float
    start: float
    end: float


@dataclass(frozen=True)
class Rules:
    """The lines of a page."""

    vertical: tuple[Rule, ...] = ()
    horizontal: tuple[Rule, ...] = ()

    def beside(self, y: float) -> list[Rule]:
        return [rule for rule in self.vertical if rule.start <= y <= rule.end]

    def around(self, x: float, y: float) -> tuple[float, float] | None:
        """Heights of the nearest lines below and above a place; None if there are not both."""
        heights = [rule.at for rule in self.horizontal if rule.start <= x <= rule.end]
        below = max((height for height in heights if height <= y), default=None)
        above = min((height for height in heights if height > y), default=None)
        return None if below is None or above is None else (below, above)


@dataclass(frozen=True)
class Segment:
    """Characters of one line without a wide gap between them."""

    text: str
    x0: float
    x1: float
    y: float
    size: float
    is_bold: bool


@dataclass(frozen=True)
class Row:
    """Segments at one height, from left to right. `left:right` is the extent of the column it stands in.

    `box` are the lines drawn below and above it, where there are any.
    """

    cells: tuple[Segment, ...]
    left: float
    right: float
    box: tuple[float, float] | None = None

    @property
    def text(self) -> str:
        return " ".join(cell.text for cell in self.cells)

    @property
    def y(self) -> float:
        return max(cell.y for cell in self.cells)

    @property
    def size(self) -> float:
        return max(self.cells, key=lambda cell: len(cell.text)).size

    @property
    def is_bold(self) -> bool:
        return all(cell.is_bold for cell in self.cells)

    @property
    def x0(self) -> float:
        return self.cells[0].x0

    @property
    def x1(self) -> float:
        return self.cells[-1].x1


_NO_RULES = Rules()


def reading_order(glyphs: Sequence[Glyph], rules: Rules = _NO_RULES) -> list[Row]:
    """The rows of a page in the order they are read; empty if there is no visible character."""
    found = [segment for line in _lines(glyphs) for segment in _segments(line, rules)]
    segments = [segment for segment in found if segment.text.strip()]
    return _ordered(segments, rules, _MAX_COLUMN_DEPTH)


def _lines(glyphs: Sequence[Glyph]) -> list[list[Glyph]]:
    """Top to bottom; each from left to right."""
    lines: list[list[Glyph]] = []
    for glyph in sorted(glyphs, key=lambda glyph: -glyph.y):
        if lines and lines[-1][0].y - glyph.y < _SAME_LINE * min(glyph.size, lines[-1][0].size):
            lines[-1].append(glyph)
        else:
            lines.append([glyph])
    return [sorted(line, key=lambda glyph: glyph.x0) for line in lines]


def _segments(line: Sequence[Glyph], rules: Rules) -> list[Segment]:
    middle = line[0].y + line[0].size / 2
    borders = [rule.at for rule in rules.beside(middle)]
    found: list[Segment] = []
    open_glyphs: list[Glyph] = []
    text = ""
    spaced = False
    for glyph in line:
        if not glyph.text.strip():
            spaced = True
            continue
        if open_glyphs:
            last = open_glyphs[-1]
            gap = (glyph.x0 - last.x1) / max(glyph.size, last.size)
            if glyph.text == last.text and glyph.x0 - last.x0 < 0.3 * max(last.x1 - last.x0, 0.1):
                continue  # printed twice, slightly shifted, to look bold
            is_apart = gap > (_MARKER_GAP if _MARKER.fullmatch(text) else _SEGMENT_GAP)
            if is_apart or any(_middle(last) < x < _middle(glyph) for x in borders):
                found.append(_segment(open_glyphs, text))
                open_glyphs, text = [], ""
            elif spaced or (gap > _SPACE and not (is_cjk(glyph.text) and is_cjk(last.text) and gap < 0.6)):
                text += " "
        open_glyphs.append(glyph)
        text += glyph.text
        spaced = False
    return [*found, _segment(open_glyphs, text)] if open_glyphs else found


def _middle(glyph: Glyph) -> float:
    return (glyph.x0 + glyph.x1) / 2


def _segment(glyphs: Sequence[Glyph], text: str) -> Segment:
    if text.startswith(f"{UNMAPPED} "):
        text = f"•{text[1:]}"
    text = text.replace(UNMAPPED, "")
    num_bold = sum(glyph.is_bold for glyph in glyphs)
    return Segment(
        text=text,
        x0=glyphs[0].x0,
        x1=max(glyph.x1 for glyph in glyphs),
        y=statistics.median_low(glyph.y for glyph in glyphs),
        size=round(statistics.median_low(glyph.size for glyph in glyphs), 1),
        is_bold=num_bold > len(glyphs) / 2,
    )


def _ordered(segments: Sequence[Segment], rules: Rules, depth: int) -> list[Row]:
    if not segments:
        return []
    left, right = min(s.x0 for s in segments), max(s.x1 for s in segments)
    rows = [Row(tuple(cells), left, right, _box(cells, rules)) for cells in _rows(segments)]
    gutter = _gutter(segments, rules) if depth else None
    if gutter is None:
        return rows
    result: list[Row] = []
    for crosses, band in itertools.groupby(rows, lambda row: any(s.x0 < gutter < s.x1 for s in row.cells)):
        members = list(band)
        if crosses:
            result += members
            continue
        for side in _sides([cell for row in members for cell in row.cells], gutter):
            result += _ordered(side, rules, depth - 1)
    return result


def _box(cells: Sequence[Segment], rules: Rules) -> tuple[float, float] | None:
    first = cells[0]
    return rules.around((first.x0 + first.x1) / 2, first.y + first.size / 2)


def _rows(segments: Sequence[Segment]) -> list[list[Segment]]:
    rows: list[list[Segment]] = []
    for segment in sorted(segments, key=lambda s: -s.y):
        if rows and rows[-1][0].y - segment.y < _SAME_LINE * min(segment.size, rows[-1][0].size):
            rows[-1].append(segment)
        else:
            rows.append([segment])
    return [sorted(row, key=lambda s: s.x0) for row in rows]


def _gutter(segments: Sequence[Segment], rules: Rules) -> float | None:
    """Where the page parts into columns of prose, crossed by few lines; None if it does not.

    A border drawn between the two sides makes them a table's.
    """
    best: tuple[int, float] | None = None
    for start in sorted({round(segment.x0) for segment in segments})[1:]:
        edge = start - 1.0
        left, right = _sides(segments, edge)
        num_crossing = sum(s.x0 < edge < s.x1 for s in segments)
        if min(len(left), len(right)) < _MIN_COLUMN_LINES or num_crossing > _MAX_CROSSING * len(segments):
            continue
        num_full = min(_num_full(left), _num_full(right))
        if num_full < _MIN_COLUMN_LINES or _is_border(edge, left, rules):
            continue
        if best is None or num_full - num_crossing > best[0]:
            best = num_full - num_crossing, edge
    return best[1] if best else None


def _sides(segments: Sequence[Segment], gutter: float) -> tuple[list[Segment], list[Segment]]:
    left = [segment for segment in segments if segment.x1 <= gutter]
    return left, [segment for segment in segments if segment.x0 >= gutter]


def _num_full(segments: Sequence[Segment]) -> int:
    """How many lines fill their column and hold several words, if enough do: a table's cells do not."""
    full = _full(segments)
    num_chars = sum(len(s.text) for s in segments)
    return len(full) if sum(len(s.text) for s in full) >= _MIN_FULL_SHARE * num_chars else 0


def _full(segments: Sequence[Segment]) -> list[Segment]:
    widths = sorted(s.x1 - s.x0 for s in segments)
    usual = widths[-1 - len(widths) // 20]
    return [s for s in segments if s.x1 - s.x0 > 0.8 * usual and len(s.text) >= _MIN_LINE_CHARS]


def _is_border(edge: float, left: Sequence[Segment], rules: Rules) -> bool:
    """Whether most full lines on the left have a border at their right: they are a table's cells."""
    inner = max(segment.x1 for segment in left)
    drawn = [rule for rule in rules.vertical if inner - 1 <= rule.at <= edge + 2]
    full = _full(left)
    bordered = sum(any(rule.start <= s.y + s.size / 2 <= rule.end for rule in drawn) for s in full)
    return bordered > 0.5 * len(full)
