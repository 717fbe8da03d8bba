"""Word documents: headings, paragraphs, lists and tables in order, as their reader sees them.

Insertions are read, deletions and hidden text are not; a footnote follows its
mark in brackets; text boxes come after the paragraph they hang on. Macros,
embedded files, pictures, comments, page headers and footers are left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.etree.ElementTree import Element

from dialog.knowledge.convert.docx_styles import Numbering, Styles, flag, value
from dialog.knowledge.convert.package import Package, open_package
from dialog.knowledge.convert.pieces import Converted, Piece, Unreadable, heading
from dialog.knowledge.convert.shape import by_bold_lines

_TRANSPARENT = {
    "sdt",
    "sdtContent",
    "ins",
    "moveTo",
    "hyperlink",
    "smartTag",
    "customXml",
    "fldSimple",
    "dir",
}
_CHARACTERS = {"tab": " ", "br": "\n", "cr": "\n", "noBreakHyphen": "-", "softHyphen": ""}
_OUTSIDE = {
    "del",
    "moveFrom",
    "Fallback",
    "txbxContent",
    "instrText",
    "delText",
    "rPr",
    "pPr",
    "pict",
    "object",
}


def convert(data: bytes) -> Converted:
    """A `.docx` file's text.

    Raises:
        Unreadable: encrypted, old, damaged, beyond the bounds, or without text.
    """
    package = open_package(data, kind="Word document", suffix=".docx")
    main = next((p for kind, p in package.relations("").values() if kind == "officeDocument"), "")
    root = package.xml(main or "word/document.xml")
    body = root.find("body")
    if root.tag != "document" or body is None:
        raise Unreadable("is not a Word document; it is another kind of Office file")
    reading = _Reading.of(package, main)
    pieces = list(reading.blocks(body))
    if not any(piece.kind == "heading" for piece in pieces):
        pieces = by_bold_lines(pieces, reading.bold)
    if not any(piece.text.strip() or piece.rows for piece in pieces):
        raise Unreadable("holds no text; a scan needs text recognition (OCR) first")
    return Converted(pieces, title=reading.title)


@dataclass
class _Reading:
    """A document being read; `bold` are the paragraphs that are bold throughout."""

    styles: Styles
    numbering: Numbering
    footnotes: dict[str, Element]
    title: str = ""
    bold: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, package: Package, main: str) -> _Reading:
        parts = {kind: path for kind, path in package.relations(main).values() if package.has(path)}

        def root(kind: str) -> Element:
            return package.xml(parts[kind]) if kind in parts else Element(kind)

        footnotes = {note.get("id", ""): note for note in root("footnotes").iter("footnote")}
        return cls(Styles(root("styles")), Numbering(root("numbering")), footnotes)

    def blocks(self, parent: Element) -> Iterator[Piece]:
        for element in parent:
            if element.tag == "p":
                yield from self._paragraph(element)
            elif element.tag == "tbl":
                yield from self._table(element)
            elif element.tag in _TRANSPARENT:
                yield from self.blocks(element)
            elif element.tag == "AlternateContent":
                yield from self.blocks(choice) if (choice := element.find("Choice")) is not None else ()

    def _paragraph(self, paragraph: Element) -> Iterator[Piece]:
        text = self._text(paragraph)
        properties = paragraph.find("pPr")
        style = value(properties, "pStyle")
        level = self.styles.level(style, properties)
        if text and self.styles.is_title(style) and not self.title:
            self.title = " ".join(text.split())
        if text and level:
            yield heading(text, level=level)
        elif text and (marker := self.numbering.marker(properties, self.styles.list_of(style))):
            indent, sign = marker
            yield Piece("list", f"{'  ' * indent}{sign} " + text.replace("\n", "\n" + "  " * (indent + 1)))
        elif text:
            if self._is_bold(paragraph, style):
                self.bold.add(text)
            yield Piece("text", text)
        for box in _outermost(paragraph, "txbxContent"):
            yield from self.blocks(box)

    def _table(self, table: Element) -> Iterator[Piece]:
        """A table of one column is layout: its content is read as text."""
        rows = [list(_through(row, "tc")) for row in _through(table, "tr")]
        if all(len(row) <= 1 for row in rows):
            for row in rows:
                for cell in row:
                    yield from self.blocks(cell)
            return
        lines: list[list[str]] = []
        for row in rows:
            line: list[str] = []
            for cell in row:
                properties = cell.find("tcPr")
                text = self._cell(cell)
                merged = None if properties is None else properties.find("vMerge")
                if merged is not None and merged.get("val", "continue") == "continue" and lines:
                    text = lines[-1][len(line)] if len(line) < len(lines[-1]) else ""
                span = min(int(value(properties, "gridSpan") or 1), 64)
                line += [text, *[""] * (span - 1)]
            lines.append(line)
        yield Piece("table", rows=lines)

    def _cell(self, cell: Element) -> str:
        lines = []
        for piece in self.blocks(cell):
            lines += [" ".join(filter(None, row)) for row in piece.rows] or [piece.text]
        return "\n".join(filter(None, lines))

    def _text(self, element: Element) -> str:
        lines = "".join(self._characters(element)).split("\n")
        return "\n".join(filter(None, (" ".join(line.split()) for line in lines)))

    def _characters(self, parent: Element) -> Iterator[str]:
        for element in parent:
            if element.tag == "t":
                yield element.text or ""
            elif element.tag in _CHARACTERS:
                yield _CHARACTERS[element.tag]
            elif element.tag == "footnoteReference":
                note = self.footnotes.get(element.get("id", ""))
                text = " ".join(self._text(p) for p in note.iter("p")).strip() if note is not None else ""
                yield f" ({text})" if text else ""
            elif element.tag == "r" and flag(element.find("rPr"), "vanish"):
                continue
            elif element.tag not in _OUTSIDE:
                yield from self._characters(element)

    def _is_bold(self, paragraph: Element, style: str) -> bool:
        runs = [run for run in paragraph.iter("r") if "".join(self._characters(run)).strip()]
        return bool(runs) and all(flag(run.find("rPr"), "b", self.styles.is_bold(style)) for run in runs)


def _through(parent: Element, tag: str) -> Iterator[Element]:
    """Children called `tag`, also inside of what only wraps them."""
    for element in parent:
        if element.tag == tag:
            yield element
        elif element.tag in _TRANSPARENT:
            yield from _through(element, tag)


def _outermost(parent: Element, tag: str) -> Iterator[Element]:
    for element in parent:
        if element.tag == tag:
            yield element
        elif element.tag != "Fallback":
            yield from _outermost(element, tag)
