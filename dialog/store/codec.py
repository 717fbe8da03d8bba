"""Entries as text and back: JSON through the entry models, never anything that runs.

What `dump` accepts, `load` returns unchanged: `dump` reads its own text before
it lets go of it, so nothing is acknowledged that could not be read again.

    load(dump(entry).body, where="conversation 'c-42'")
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import TypeAdapter, ValidationError
from pydantic_core import PydanticSerializationError

from dialog.entries import Entry
from dialog.errors import StoreError

_ENTRY: TypeAdapter[Entry] = TypeAdapter(Entry)
_ENTRIES: TypeAdapter[list[Entry]] = TypeAdapter(list[Entry])


@dataclass(frozen=True)
class Dumped:
    """An entry's JSON, and the entry as it will be read from it."""

    body: str
    entry: Entry


def dump(entry: Entry) -> Dumped:
    """The entry as JSON.

    Raises:
        ValueError: it holds something JSON cannot (nested too deeply, not plain data).
    """
    try:
        body = entry.model_dump_json()
        return Dumped(body, _ENTRY.validate_json(body))
    except (PydanticSerializationError, ValidationError):
        pass
    try:  # lone surrogates: not UTF-8, but what the user typed
        body = json.dumps(entry.model_dump(mode="json"))
        return Dumped(body, _ENTRY.validate_python(json.loads(body)))
    except (ValueError, TypeError, RecursionError) as error:
        raise ValueError(
            f"{entry.kind} entry {entry.id!r} cannot be recorded: {str(error).splitlines()[0]}; "
            "its values must be plain JSON data nested less than 200 deep"
        ) from error


def load(body: str, *, where: str) -> Entry:
    """The entry of a body.

    Raises:
        StoreError: it is damaged, or of a kind that only a newer version knows.
    """
    try:
        return _ENTRY.validate_json(body)
    except ValidationError as error:
        try:
            return _ENTRY.validate_python(json.loads(body))
        except (ValueError, RecursionError):
            raise StoreError(f"{where}: {_problem(error)}") from error


def load_all(bodies: Sequence[str], *, where: str) -> list[Entry]:
    """The entries of many bodies, in order; quicker than one by one."""
    try:
        entries = _ENTRIES.validate_json("[" + ",".join(bodies) + "]")
    except ValidationError:
        entries = []
    if len(entries) == len(bodies):
        return entries
    return [load(body, where=f"{where}, entry {at}") for at, body in enumerate(bodies)]


def _problem(error: ValidationError) -> str:
    first = error.errors(include_url=False)[0]
    if first["type"] == "union_tag_invalid":
        kind = first.get("ctx", {}).get("tag")
        return f"an entry of kind {kind!r} was written by a newer version of instructrec; update to read it"
    place = ".".join(str(part) for part in first["loc"])
    found = f"{place or 'body'}: {first['msg']}"
    return f"the entry is damaged ({found}); restore a backup or delete the conversation"
