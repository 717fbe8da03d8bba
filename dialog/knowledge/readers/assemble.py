"""Pieces of a converted file to one text and its blocks, with the headings above each as path.

text, blocks, skips = assembled(converted, source="terms.pdf")
assert text[blocks[0].start : blocks[0].end]
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dialog.knowledge.convert.pieces import Converted, Piece
from dialog.knowledge.facets import facet_name
from dialog.knowledge.readers.rows import known_columns
from dialog.knowledge.records import Block, BlockKind
from dialog.text import detect_language

_MAX_LISTED = 1_000
_HEADER_SEARCH = 10
"""A sheet's header is looked for in so many first rows: titles and remarks often stand above it."""


def assembled(converted: Converted) -> tuple[str, list[Block], dict[str, str]]:
    """The text, its blocks, and what is not among them: place in the file ("" for no one place) to reason."""
    writing = _Writing(converted.notes)
    has_headings = any(piece.kind == "heading" for piece in converted.pieces)
    sample = " ".join(piece.text for piece in converted.pieces[:50])
    in_chinese = detect_language(sample) == "zh"
    page = None
    for piece in converted.pieces:
        if not has_headings and piece.page and piece.page != page:
            page = piece.page
            writing.path = [(1, f"第 {page} 页" if in_chinese else f"Page {page}")]
        writing.add(piece)
    writing.end_section(0)
    return "".join(writing.parts).strip("\n") + "\n", writing.blocks, writing.unread


class _Writing:
    """The text so far, the headings in force, and a heading that nothing stands below yet."""

    def __init__(self, notes: Sequence[str]) -> None:
        self.parts: list[str] = []
        self.position = 0
        self.blocks: list[Block] = []
        self.unread = {"": "; ".join(notes)} if notes else {}
        self.path: list[tuple[int, str]] = []
        self.bare: tuple[int, Block] | None = None
        self.last_kind = ""
        self.sheet = ""

    def add(self, piece: Piece) -> None:
        match piece.kind:
            case "heading":
                self._heading(piece)
            case "table" | "sheet":
                self._table(piece)
            case "text" | "list":
                self._block(piece.kind, _clean(piece.text), metadata=_pages(piece))
        self.last_kind = piece.kind

    def end_section(self, level: int) -> None:
        """A heading with nothing below it is kept as text: it may be all there is to know."""
        if self.bare and level <= self.bare[0]:
            self.blocks.append(self.bare[1])
        self.bare = None

    def _heading(self, piece: Piece) -> None:
        self.end_section(piece.level)
        self.path = [(level, name) for level, name in self.path if level < piece.level]
        name = _clean(piece.text)
        start, end = self._write(f"{'#' * min(piece.level, 6)} {name}")
        self.bare = piece.level, Block("text", start, end, path=self._names(), metadata=_pages(piece))
        self.path.append((piece.level, name))

    def _table(self, piece: Piece) -> None:
        self.sheet = piece.text if piece.kind == "sheet" else ""
        rows = [[_clean(cell) for cell in row] for row in piece.rows]
        numbers = piece.numbers or list(range(1, len(rows) + 1))
        top = _header(rows)
        for above in rows[:top]:
            self._block("text", " ".join(filter(None, above)), metadata=self._origin(piece))
        table = list(zip(numbers[top:], rows[top:], strict=True))
        if not table:
            return
        columns = known_columns(tuple(table[0][1]))
        if {"question", "answer"} <= columns.keys():
            self._faq(table, columns, piece)
        elif piece.kind == "sheet" or any(map(facet_name, table[0][1])):
            self._records(table, piece)
        else:
            self._block("table", _markdown([row for _, row in table]), metadata=self._origin(piece))

    def _faq(self, table: list[tuple[int, list[str]]], columns: Mapping[str, str], piece: Piece) -> None:
        header = table[0][1]
        for number, cells in table[1:]:
            row = dict(zip(reversed(header), reversed(_filled(cells, len(header))), strict=True))
            question, answer = row[columns["question"]], row[columns["answer"]]
            if not question or not answer:
                missing = "answer" if question else "question"
                place = f":{self.sheet}:{number}" if self.sheet else f":{question or answer!r}"
                if len(self.unread) < _MAX_LISTED:
                    self.unread[place] = f"has no {missing}"
                continue
            used = {columns["question"], columns["answer"], columns.get("source"), columns.get("updated")}
            metadata = {name: cell for name, cell in row.items() if name and cell and name not in used}
            if updated := row.get(columns.get("updated", "")):
                metadata["updated"] = updated
            start, end = self._write(f"{question}\n{answer}")
            self.blocks.append(
                Block(
                    kind="faq",
                    start=start,
                    end=end,
                    path=(question,),
                    answer=(end - len(answer), end),
                    source=row.get(columns.get("source", "")) or None,
                    metadata={**metadata, **self._origin(piece)},
                )
            )
            self.bare = None

    def _records(self, table: list[tuple[int, list[str]]], piece: Piece) -> None:
        """Rows readable by themselves, as those of a CSV file; a lone header is a row too."""
        header = table[0][1]
        if len(table) == 1 or len(header) == 1:
            for _, cells in table:
                self._block("table", " ".join(filter(None, cells)), metadata=self._origin(piece))
            return
        for i, (_, cells) in enumerate(table[1:]):
            names = header + [""] * (len(cells) - len(header))
            filled = [(n, c.replace("\n", " ")) for n, c in zip(names, cells, strict=False) if c]
            line = "; ".join(f"{name}: {cell}" if name else cell for name, cell in filled)
            own = {name: cell for name, cell in filled if facet_name(name)}  # whose it is, when it holds
            self._block("table", line, metadata={**own, **self._origin(piece)}, tight=i > 0)

    def _block(
        self, kind: BlockKind, text: str, *, metadata: Mapping[str, Any], tight: bool | None = None
    ) -> None:
        if not text.strip():
            return
        if tight is None:
            tight = kind == self.last_kind == "list"
        start, end = self._write(text, tight=tight)
        self.blocks.append(Block(kind, start, end, path=self._names(), metadata=metadata))
        self.bare = None

    def _write(self, text: str, *, tight: bool = False) -> tuple[int, int]:
        """Append a piece; its span without surrounding white space."""
        between = "" if not self.parts else "\n" if tight else "\n\n"
        start = self.position + len(between)
        self.parts.append(between + text)
        self.position = start + len(text)
        return start, self.position

    def _names(self) -> tuple[str, ...]:
        return tuple(name for _, name in self.path if name)

    def _origin(self, piece: Piece) -> dict[str, Any]:
        return {"sheet": self.sheet} if self.sheet else _pages(piece)


def _pages(piece: Piece) -> dict[str, Any]:
    if not piece.page:
        return {}
    pages = list(range(piece.page, (piece.last_page or piece.page) + 1))
    return {"page": pages if len(pages) > 1 else piece.page}


def _header(rows: Sequence[Sequence[str]]) -> int:
    """Which row is the header: one with an FAQ's columns, else the first of several cells."""
    first = list(rows[:_HEADER_SEARCH])
    for i, row in enumerate(first):
        if {"question", "answer"} <= known_columns(tuple(row)).keys():
            return i
    return next((i for i, row in enumerate(first) if sum(map(bool, row)) > 1), 0)


def _markdown(rows: Sequence[Sequence[str]]) -> str:
    width = max(map(len, rows))
    cells = [[cell.replace("\n", " ").replace("|", "\\|") for cell in _filled(row, width)] for row in rows]
    lines = [f"| {' | '.join(row)} |" for row in cells]
    return "\n".join([lines[0], "|" + " --- |" * width, *lines[1:]])


def _filled(row: Sequence[str], width: int) -> list[str]:
    return [*row, *[""] * (width - len(row))][: max(width, 0)]


def _clean(text: str) -> str:
    """What any database takes: no lone surrogates, no zero bytes, no space around."""
    return text.replace("\0", "").encode("utf-8", "replace").decode("utf-8").strip()
