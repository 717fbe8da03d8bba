"""What a converter gives: pieces in reading order, and what it could not read.

Plain dataclasses, so that the converting process starts without pydantic; the
reading side checks what comes back (`dialog.knowledge.readers.converted`).

    Converted(pieces=[heading("Returns", level=1), Piece("text", "Within 30 days.", page=1)])
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

PieceKind = Literal["heading", "text", "list", "table", "sheet"]


class Unreadable(Exception):
    """No text can be had from the file; the message says why, and what to do where something can be done."""


@dataclass(frozen=True)
class Piece:
    """A heading, paragraph, list item or table. `rows` are a table's or sheet's cells, header first.

    `numbers` are the sheet's own row numbers, a number a row.
    """

    kind: PieceKind
    text: str = ""
    level: int = 0
    rows: list[list[str]] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)
    page: int | None = None
    last_page: int | None = None


@dataclass(frozen=True)
class Converted:
    """A file's text. `notes` say what of it could not be read."""

    pieces: list[Piece]
    title: str = ""
    notes: list[str] = field(default_factory=list)


def heading(text: str, *, level: int, page: int | None = None) -> Piece:
    return Piece("heading", " ".join(text.split()), level=level, page=page)


def ranges(numbers: list[int]) -> str:
    """`[1, 2, 3, 7]` as `1-3, 7`; the rest counted where there are very many runs."""
    runs: list[list[int]] = []
    for number in sorted(numbers):
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    shown = [f"{first}" if first == last else f"{first}-{last}" for first, last in runs[:20]]
    return ", ".join(shown) + (f" and {len(runs) - 20} more" if len(runs) > 20 else "")
