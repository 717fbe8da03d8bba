"""Tables: CSV, TSV and XLSX, a message a row or an exchange a row.

The rows of a conversation stand together. Columns are told by their names in
English and Chinese, given (`--columns`, `--column`) or asked for; further
columns of a conversation's first row become `meta`.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from typing import Any

from corpora.columns import is_enough, role_of, settled, told_by
from corpora.decoding import open_text
from corpora.files import Source
from corpora.formats import BadRecord, Columns, Found, ReadOptions, bad, present, transcript
from corpora.schema import BadLine
from corpora.sheets import is_workbook, workbook_rows
from corpora.speakers import GUESSED, Side, roles_of
from corpora.times import parse_time
from dialog.errors import CorpusError

MAX_CELL_CHARS = 8_000_000
MAX_ROWS = 20_000
_DELIMITERS = ",;\t|"
_TAG_JOINTS = re.compile(r"[;；|,，]")
Row = tuple[int, Sequence[Any]]


@dataclass(frozen=True)
class Table:
    """Rows with a header."""

    name: str = "csv"
    loses: tuple[str, ...] = ("colours, formulas and further sheets of a workbook",)

    def sniff(self, source: Source) -> bool:
        """A workbook, or text whose first line names columns that we know, or a file named as a table."""
        try:
            if is_workbook(source):
                return True
            with _rows(source) as rows:
                header = _header(next(rows, (0, ()))[1])
        except (CorpusError, csv.Error):
            return False
        by_name = source.path.name.removesuffix(".gz").lower().endswith((".csv", ".tsv"))
        return len(header) > 1 and (by_name or is_enough(told_by(header)))

    def read(self, source: Source, options: ReadOptions) -> Iterator[Found | BadLine]:
        """The conversations, in order."""
        line = 0
        try:
            with _rows(source) as rows:
                line, first = next(rows, (0, ()))
                header = _header(first)
                if not header:
                    raise CorpusError("has no header; name its columns in the first row", path=source.path)
                columns = settled(header, options.columns, options.ask, path=source.path)
                makes = _messages if columns.text and columns.speaker and columns.conversation else _exchanges
                yield from makes(source, header, columns, rows, options)
        except csv.Error as error:
            raise CorpusError(
                f"is no table: {error}; check its quotes", path=source.path, line=line
            ) from error


def _messages(
    source: Source, header: list[str], columns: Columns, rows: Iterator[Row], options: ReadOptions
) -> Iterator[Found | BadLine]:
    key = header.index(columns.conversation or "")
    for found, grouped in groupby(rows, key=lambda row: str(_cell(row[1], key)).strip()):
        together: list[Row] = []
        num_rows = 0
        for row in grouped:
            num_rows += 1
            if num_rows <= MAX_ROWS:
                together.append(row)
        line = together[0][0]
        if not found:
            yield bad(source, line, f"{num_rows} rows without a {columns.conversation!r}; fill it in")
        elif num_rows > MAX_ROWS:
            yield bad(
                source, line, f"conversation {found!r} has {num_rows} rows; at most {MAX_ROWS} are read"
            )
        else:
            yield _checked(source, line, partial(_conversation, found, header, columns, together, options))


def _exchanges(
    source: Source, header: list[str], columns: Columns, rows: Iterator[Row], options: ReadOptions
) -> Iterator[Found | BadLine]:
    for number, (line, row) in enumerate(rows, start=1):
        yield _checked(source, line, partial(_exchange, f"{source.stem}-{number}", header, columns, row))


def _conversation(
    id: str, header: list[str], columns: Columns, rows: Sequence[Row], options: ReadOptions
) -> Found:
    def value(row: Row, column: str | None) -> str:
        return _text(_cell(row[1], header.index(column))) if column else ""

    notes: list[str] = []
    speakers = [value(row, columns.speaker) for row in rows]
    roles: dict[str, Side] = {}
    for word in dict.fromkeys(speakers):
        if side := role_of(word, columns, options.agents):
            roles[word] = side
    if unknown := [word for word in dict.fromkeys(speakers) if word not in roles]:
        if not all(unknown):
            raise BadRecord(f"a row of conversation {id!r} says nobody in {columns.speaker!r}; fill it in")
        others, guessed = roles_of(list(dict.fromkeys(speakers)), agents=options.agents)
        roles = others | roles
        notes += [GUESSED] * guessed
    messages = []
    for row, speaker in zip(rows, speakers, strict=True):
        time = _cell(row[1], header.index(columns.time)) if columns.time else None
        when = parse_time(time)
        notes += ["a time is not read"] * (when is None and bool(_text(time).strip()))
        named = value(row, columns.name) or (speaker if speaker in unknown else "")
        content = value(row, columns.text)
        messages.append({"role": roles[speaker], "content": content, **present(name=named, time=when)})
    tags, meta = _besides(header, columns, rows[0][1])
    return Found(transcript(id, messages, tags=tags, meta=meta), notes=tuple(notes))


def _exchange(id: str, header: list[str], columns: Columns, row: Sequence[Any]) -> Found:
    def value(column: str | None) -> str:
        return _text(_cell(row, header.index(column))) if column else ""

    asked, replied = value(columns.question), value(columns.answer)
    if not asked.strip() or not replied.strip():
        raise BadRecord(f"has no {columns.answer if asked.strip() else columns.question!r}; fill it in")
    messages = [{"role": "user", "content": asked}, {"role": "assistant", "content": replied}]
    tags, meta = _besides(header, columns, row)
    return Found(transcript(value(columns.conversation) or id, messages, tags=tags, meta=meta))


def _besides(
    header: list[str], columns: Columns, row: Sequence[Any]
) -> tuple[tuple[str, ...], dict[str, Any]]:
    """The tags of a row, and its other columns under their own names."""
    used = {columns.conversation, columns.speaker, columns.text, columns.time, columns.name, columns.tags}
    used |= {columns.question, columns.answer, columns.customer}
    customer = _text(_cell(row, header.index(columns.customer))) if columns.customer else ""
    tags = _text(_cell(row, header.index(columns.tags))) if columns.tags else ""
    rest = {name: _text(_cell(row, at)) for at, name in enumerate(header) if name and name not in used}
    return tuple(filter(None, map(str.strip, _TAG_JOINTS.split(tags)))), present(customer=customer, **rest)


def _checked(source: Source, line: int, make: Callable[[], Found]) -> Found | BadLine:
    try:
        found = make()
    except ValueError as error:
        return bad(source, line, str(error))
    return Found(found.transcript, line, found.notes)


@contextmanager
def _rows(source: Source) -> Iterator[Iterator[Row]]:
    """Rows that are not blank, each with its line or number."""
    if is_workbook(source):
        with workbook_rows(source) as rows:
            yield _solid(rows)
        return
    csv.field_size_limit(MAX_CELL_CHARS)
    with open_text(source) as text:
        first = text.readline(1 << 16)
        delimiter = max(_DELIMITERS, key=first.count)
    with open_text(source) as text:
        reader = csv.reader(text, delimiter=delimiter)
        yield _solid(_numbered(reader))


def _numbered(reader: Any) -> Iterator[Row]:
    line = 1
    for row in reader:
        yield line, row
        line = reader.line_num + 1


def _solid(rows: Iterator[Row]) -> Iterator[Row]:
    return (row for row in rows if any(_text(cell).strip() for cell in row[1]))


def _header(row: Sequence[Any]) -> list[str]:
    return [_text(cell).strip() for cell in row]


def _cell(row: Sequence[Any], at: int) -> Any:
    return row[at] if at < len(row) else None


def _text(cell: Any) -> str:
    return "" if cell is None else str(cell)


READER = Table()
