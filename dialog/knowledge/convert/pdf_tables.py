"""Rows whose cells stand under each other, made tables.

for group in with_tables(rows, page=3):
    match group:
        case Grid(): ...            # header first, cells as the rows they are printed in
        case _: ...                 # rows of text
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from dialog.knowledge.convert.page import Row, Segment

_MIN_ROWS = 2
_WRAP_GAP = 1.45
_MAX_ROW_GAP = 4.0
_MAX_WRAPPED = 12
_MIN_BOXES = 3
_MIN_BOX_SHARE = 0.25
"""Fewer drawn lines than this frame the table and its header, and do not part its rows."""


@dataclass(frozen=True)
class Grid:
    """A table; `cells[i][j]` are the lines of a cell."""

    cells: tuple[tuple[tuple[Row, ...], ...], ...]
    page: int


def with_tables(rows: Sequence[Row], *, page: int) -> Iterator[list[Row] | Grid]:
    """The rows in order, runs of table rows as grids."""
    plain: list[Row] = []
    i = 0
    while i < len(rows):
        run = _run(rows, i)
        grid = _grid(run, page) if sum(len(row.cells) > 1 for row in run) >= _MIN_ROWS else None
        if grid is None:
            plain.append(rows[i])
            i += 1
            continue
        if plain:
            yield plain
            plain = []
        yield grid
        i += len(run)
    if plain:
        yield plain


def _run(rows: Sequence[Row], start: int) -> list[Row]:
    """The rows from `start` that go on as cells; a row of one cell may be the rest of a wrapped one."""
    run: list[Row] = []
    columns: list[tuple[float, float]] = []
    for i, row in enumerate(rows[start:], start):
        if not run and len(row.cells) == 1:
            break
        if run and not 0 < _gap(run[-1], row) <= _MAX_ROW_GAP:
            break
        if len(row.cells) == 1:
            is_part = _gap(run[-1], row) <= _WRAP_GAP or _leads_to_cells(rows[i : i + _MAX_WRAPPED])
            if not ((is_part or (row.box and row.box == run[-1].box)) and _is_rest(row.cells[0], columns)):
                break
        merged = _merged(columns, row.cells)
        if len(row.cells) > 1 and len(merged) < max(2, min(len(columns), len(row.cells))):
            break
        columns = merged
        run.append(row)
    return run


def _leads_to_cells(rows: Sequence[Row]) -> bool:
    """Whether the lone cell that `rows` begin with is the start of one whose row stands below."""
    for upper, lower in itertools.pairwise(rows):
        if not 0 < _gap(upper, lower) <= _WRAP_GAP or upper.box != lower.box:
            return False
        if len(lower.cells) > 1:
            return True
    return False


def _gap(upper: Row, lower: Row) -> float:
    return (upper.y - lower.y) / upper.size


def _is_rest(cell: Segment, columns: Sequence[tuple[float, float]]) -> bool:
    """Whether a lone cell stands within one column, so that it can be the rest of the cell above."""
    touched = [i for i, (left, right) in enumerate(columns) if cell.x0 < right and cell.x1 > left]
    return len(touched) == 1 and cell.x0 >= columns[touched[0]][0] - cell.size


def _merged(columns: Sequence[tuple[float, float]], cells: Sequence[Segment]) -> list[tuple[float, float]]:
    """Extents of the columns once these cells are among them; what overlaps is one column."""
    merged: list[tuple[float, float]] = []
    for left, right in sorted([*columns, *((cell.x0, cell.x1) for cell in cells)]):
        if merged and left < merged[-1][1]:
            merged[-1] = merged[-1][0], max(merged[-1][1], right)
        else:
            merged.append((left, right))
    return merged


def _grid(run: Sequence[Row], page: int) -> Grid | None:
    columns: list[tuple[float, float]] = []
    for row in run:
        columns = _merged(columns, row.cells)
    if len(columns) < 2:
        return None
    is_boxed = len({row.box for row in run} - {None}) >= max(_MIN_BOXES, _MIN_BOX_SHARE * len(run))
    lines: list[list[list[Row]]] = []
    for i, row in enumerate(run):
        places = [_column(cell, columns) for cell in row.cells]
        if i == 0 or not _belongs(row, run[i - 1], is_boxed, 0 not in places or not lines[-1][0]):
            lines.append([[] for _ in columns])
        for place, cell in zip(places, row.cells, strict=True):
            lines[-1][place].append(Row((cell,), row.left, row.right))
    return Grid(tuple(tuple(tuple(cell) for cell in line) for line in lines), page)


def _belongs(row: Row, above: Row, is_boxed: bool, lacks_first: bool) -> bool:
    """Whether two lines are one row: between the same drawn lines, else by distance.

    Of a wrapped cell's lines, the one beside the first column may be the last as well as the first.
    """
    if is_boxed and row.box and above.box:
        return row.box == above.box
    return _gap(above, row) <= _WRAP_GAP and lacks_first


def _column(cell: Segment, columns: Sequence[tuple[float, float]]) -> int:
    middle = (cell.x0 + cell.x1) / 2
    return next(i for i, (left, right) in enumerate(columns) if left <= middle <= right)
