"""What the command line prints, and where: results on stdout, remarks and progress on stderr.

Text for a terminal passes `dialog.guard.terminal`; text for a file or a pipe
is written as it is. JSON is one line a value, UTF-8, never escaped to ASCII.

    show("Returns are free within 30 days.")
    show_json(reply)
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from pydantic import BaseModel


def show(text: str) -> None:
    """A line of the result on stdout."""
    print(for_stream(text, sys.stdout))


def show_json(value: BaseModel | dict[str, Any] | list[Any]) -> None:
    """One value as one line of JSON on stdout."""
    content = value if isinstance(value, (dict, list)) else value.model_dump(mode="json")
    print(json.dumps(content, ensure_ascii=False))


def remark(text: str) -> None:
    """A line beside the result, on stderr."""
    print(for_stream(text, sys.stderr), file=sys.stderr)


def table(rows: Sequence[Sequence[str]]) -> str:
    """Rows as left-aligned columns; Chinese characters count as two cells."""
    if not rows:
        return ""
    widths = [max(_cells(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = (
        "  ".join(cell + " " * (width - _cells(cell)) for cell, width in zip(row, widths, strict=True))
        for row in rows
    )
    return "\n".join(line.rstrip() for line in lines)


def for_stream(text: str, stream: TextIO) -> str:
    """`text` as it may be written to `stream`: a terminal gets no control sequences."""
    return clean(text) if stream.isatty() else text


def clean(text: str) -> str:
    """`text` without anything a terminal would obey."""
    from dialog.guard.terminal import safe_text

    return safe_text(text)


def prepare_streams() -> None:
    """Make stdout and stderr able to print any name the file system can hold.

    A path whose bytes are no UTF-8 arrives with lone surrogates; they are
    shown as backslash escapes, which inside JSON strings are JSON's own.
    """
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def _cells(text: str) -> int:
    from unicodedata import east_asian_width

    return sum(2 if east_asian_width(character) in "WF" else 1 for character in text)
