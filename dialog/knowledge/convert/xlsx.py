"""Workbooks: every visible sheet as rows of text, numbers as the sheet shows them.

Formulas count by the value they were saved with. Hidden sheets and rows that
are empty are left out; the former are named. Macros, charts and pictures are ignored.
"""

from __future__ import annotations

import datetime
import io
import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException

from dialog.knowledge.convert.package import open_package
from dialog.knowledge.convert.pieces import Converted, Piece, Unreadable, heading

MAX_ROWS = 100_000
"""Rows with content, in all sheets together."""
MAX_COLUMNS = 256
MAX_EMPTY_ROWS = 10_000
"""After so many empty rows in a row nothing more is looked for in a sheet."""
_DECIMALS = re.compile(r"0\.(0+)")
_CURRENCY = re.compile(r"\[\$([^\]-]{1,4})|([$€£¥￥])")


def convert(data: bytes) -> Converted:
    """An `.xlsx` file's sheets; a sheet's name is the heading above it.

    Raises:
        Unreadable: encrypted, old, damaged, beyond the bounds, or empty.
    """
    package = open_package(data, kind="Excel workbook", suffix=".xlsx")
    if not any(name.startswith("xl/") for name in package.archive.namelist()):
        raise Unreadable("is not an Excel workbook; it is another kind of file")
    for part in package.archive.namelist():
        if part.endswith((".xml", ".rels")):
            package.check(part)
    try:
        workbook = load_workbook(io.BytesIO(data), read_only=True, data_only=True, keep_links=False)
    except InvalidFileException as error:
        raise Unreadable(f"is not an Excel workbook: {error}") from error
    pieces: list[Piece] = []
    notes: list[str] = []
    left = MAX_ROWS
    for sheet in workbook.worksheets:
        if sheet.sheet_state != "visible":
            notes.append(f"sheet {sheet.title!r} is hidden and was not read")
            continue
        sheet.reset_dimensions()
        rows, problem = _rows(sheet, left)
        left -= len(rows)
        if problem:
            notes.append(f"sheet {sheet.title!r} {problem}")
        if rows:
            pieces.append(heading(sheet.title, level=1))
            numbers, cells = zip(*rows, strict=True)
            pieces.append(Piece("sheet", text=sheet.title, rows=list(cells), numbers=list(numbers)))
    if not pieces:
        raise Unreadable("holds no cells with text" + "".join(f"; {note}" for note in notes))
    return Converted(pieces, notes=notes)


def _rows(sheet: Any, limit: int) -> tuple[list[tuple[int, list[str]]], str]:
    """(row number, cells) of the rows that say something, and what was left out."""
    found: list[tuple[int, list[str]]] = []
    num_empty, too_wide = 0, False
    for number, row in enumerate(sheet.iter_rows(), 1):
        too_wide = too_wide or any(cell.value is not None for cell in row[MAX_COLUMNS:])
        cells = [_shown(cell.value, getattr(cell, "number_format", "")) for cell in row[:MAX_COLUMNS]]
        while cells and not cells[-1]:
            cells.pop()
        num_empty = 0 if cells else num_empty + 1
        if num_empty > MAX_EMPTY_ROWS:
            rest = _next_filled(sheet, number)
            return (
                found,
                f"is read up to row {number - num_empty}; text below {num_empty} empty rows is not" * rest,
            )
        if cells and len(found) >= limit:
            return found, f"is read up to row {number - 1}; a workbook is read up to {MAX_ROWS} rows"
        if cells:
            found.append((number, cells))
    return found, f"is read up to column {MAX_COLUMNS}" if too_wide else ""


def _next_filled(sheet: Any, after: int) -> bool:
    rows: Iterator[tuple[Any, ...]] = sheet.iter_rows(min_row=after + 1, values_only=True)
    return any(value is not None for row in rows for value in row)


def _shown(value: object, number_format: str) -> str:
    """A cell as people see it: `15%` for 0.15 in a percentage format, `2025-01-02` for a date."""
    match value:
        case None:
            return ""
        case bool():
            return "TRUE" if value else "FALSE"
        case datetime.datetime():
            if value.time() == datetime.time():
                return value.date().isoformat()
            return value.replace(microsecond=0, tzinfo=None).isoformat(" ")
        case datetime.date() | datetime.time():
            return value.isoformat()
        case int() | float():
            return _number(value, number_format)
        case _:
            lines = (" ".join(line.split()) for line in str(value).split("\n"))
            return "\n".join(filter(None, lines))


def _number(value: int | float, number_format: str) -> str:
    positive = number_format.split(";")[0]
    decimals = _DECIMALS.search(positive)
    if "%" in positive:
        return f"{_plain(round(value * 100, len(decimals.group(1)) if decimals else 6))}%"
    text = f"{value:.{len(decimals.group(1))}f}" if decimals else _plain(value)
    if match := _CURRENCY.search(positive):
        return f"{match.group(1) or match.group(2)}{text}"
    return text


def _plain(value: int | float) -> str:
    """Without exponent or the noise of binary fractions."""
    text = f"{Decimal(f'{value:.12g}'):f}" if isinstance(value, float) else str(value)
    return text.rstrip("0").rstrip(".") if "." in text else text
