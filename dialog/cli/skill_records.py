"""The records a skill works on, from a JSONL or a CSV file; every one is checked before any is used.

A line of JSONL is the skill's input; the header of a CSV names its fields, and
an empty cell means that the field is not given. `id`, where the input has no
such field, goes with the record to its output.

    read = read_records("reviews.csv", Input, skip_bad=2)
    read.records[0].item, read.bad
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, JsonValue, ValidationError

from dialog.actions import problems_of
from dialog.errors import CorpusError

ID = "id"
_OF_TRANSCRIPTS = ("state", "tags", "meta")
"""What a transcript (`data convert`) has beside its messages; skills do not read it."""
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class Record:
    """A valid input, the line it begins on, and its id if it has one beside the input."""

    line: int
    item: BaseModel
    id: JsonValue = None


@dataclass(frozen=True)
class Records:
    """What a file holds: the records in order, the bad lines that were skipped, and a hash of its bytes."""

    records: tuple[Record, ...]
    bad: tuple[CorpusError, ...]
    sha256: str


def read_records(path: Path, model: type[BaseModel], *, skip_bad: int = 0) -> Records:
    """The records of a file, `.csv` or JSONL.

    Args:
        model: the shape of a record.
        skip_bad: how many malformed lines may be left out; they are in `bad`.

    Raises:
        CorpusError: the file cannot be read, holds no record, or has more bad lines than that.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise CorpusError(
            f"cannot be read: {error.strerror}; name a readable JSONL or CSV file", path=path
        ) from error
    rows = _csv_rows if path.suffix.lower() == ".csv" else _json_rows
    records: list[Record] = []
    bad: list[CorpusError] = []
    for line, row in rows(content.removeprefix(_BOM), path, model):
        try:
            records.append(record_of(row, model, path=path, line=line))
        except CorpusError as error:
            bad.append(error)
            if len(bad) > skip_bad:
                raise
    if not records:
        raise CorpusError(f"holds no record; one has {_fields(model)}", path=path)
    return Records(tuple(records), tuple(bad), hashlib.sha256(content).hexdigest())


def record_of(row: object, model: type[BaseModel], *, path: Path, line: int) -> Record:
    """One record, checked. Raises CorpusError with its place; `row` may be one, found on the way."""
    if isinstance(row, CorpusError):
        raise row
    if not isinstance(row, Mapping):
        raise CorpusError(
            f"a {type(row).__name__}, not an object; a record has {_fields(model)}", path=path, line=line
        )
    known = _names(model)
    beside = {ID, *(_OF_TRANSCRIPTS if "messages" in known else ())} - known
    if unknown := sorted(set(row) - known - beside):
        raise CorpusError(
            f"unknown field {unknown[0]!r}; a record has {_fields(model)}", path=path, line=line
        )
    given = {name: value for name, value in row.items() if name not in beside}
    try:
        return Record(line, model.model_validate(given), row.get(ID) if ID in beside else None)
    except ValidationError as error:
        raise CorpusError(
            f"{problems_of(error)}; a record has {_fields(model)}", path=path, line=line
        ) from error


def _json_rows(content: bytes, path: Path, model: type[BaseModel]) -> Iterator[tuple[int, object]]:
    for number, line in enumerate(content.split(b"\n"), start=1):
        if not line.strip():
            continue
        try:
            yield number, json.loads(line.decode())
        except UnicodeDecodeError as error:
            problem = f"not UTF-8 at byte {error.start}; convert it first"
            yield number, CorpusError(problem, path=path, line=number)
        except (json.JSONDecodeError, RecursionError) as error:
            problem = f"not JSON: {error}; write one object a line"
            yield number, CorpusError(problem, path=path, line=number)


def _csv_rows(content: bytes, path: Path, model: type[BaseModel]) -> Iterator[tuple[int, object]]:
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        raise CorpusError(f"not UTF-8 at byte {error.start}; convert it first", path=path) from error
    reader = csv.reader(io.StringIO(text, newline=""))
    header = [name.strip() for name in next(_lines(reader, path), ())]
    texts = text_fields(model)
    begins = reader.line_num + 1
    for cells in _lines(reader, path):
        line, begins = begins, reader.line_num + 1
        if not cells:
            continue
        if len(cells) != len(header):
            problem = f"{len(cells)} cells under {len(header)} columns; quote cells that hold commas"
            yield line, CorpusError(problem, path=path, line=line)
            continue
        filled = {name: cell for name, cell in zip(header, cells, strict=True) if cell}
        yield line, {name: cell if name in texts else _read(cell) for name, cell in filled.items()}


def _lines(reader: Any, path: Path) -> Iterator[list[str]]:
    """The rows of a CSV reader. Raises CorpusError where it is no CSV."""
    while True:
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise CorpusError(
                f"not CSV: {error}; quote it properly", path=path, line=reader.line_num
            ) from error
        yield row


def _read(cell: str) -> object:
    """A cell of a field that is not text: JSON where it is JSON, else as it stands."""
    try:
        return json.loads(cell)
    except (json.JSONDecodeError, RecursionError):
        return cell


def text_fields(model: type[BaseModel]) -> set[str]:
    """The names of the fields that take text, `id` among them where it only goes along."""
    properties = model.model_json_schema()["properties"]
    return ({ID} - _names(model)) | {
        name
        for name, schema in properties.items()
        if "string" in {schema.get("type"), *(one.get("type") for one in schema.get("anyOf", ()))}
    }


def _names(model: type[BaseModel]) -> set[str]:
    return set(model.model_fields)


def _fields(model: type[BaseModel]) -> str:
    return listed_fields(model) or "no fields"


def listed_fields(model: type[BaseModel] | None) -> str:
    """The fields of a model in order, those that may be left out with `?`; empty without a model."""
    fields: Iterable[tuple[str, Any]] = model.model_fields.items() if model is not None else ()
    return ", ".join(name if field.is_required() else f"{name}?" for name, field in fields)
