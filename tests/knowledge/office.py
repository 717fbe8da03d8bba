"""Office files made for tests: honest ones by their libraries, hostile ones by hand."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence

from docx import Document
from openpyxl import Workbook

WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_RELATIONS = (
    '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship '
    'Id="r1" Target="word/document.xml" '
    'Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument"/></Relationships>'
)


def word(story: Sequence[tuple]) -> bytes:
    """A Word file of (kind, content): `title`, `h1`, `p`, `bold`, `bullet`, `number`, `table` (rows)."""
    document = Document()
    for kind, content in story:
        match kind:
            case "title":
                document.add_heading(content, level=0)
            case "p":
                document.add_paragraph(content)
            case "bold":
                document.add_paragraph().add_run(content).bold = True
            case "bullet":
                document.add_paragraph(content, style="List Bullet")
            case "number":
                document.add_paragraph(content, style="List Number")
            case "table":
                table = document.add_table(rows=0, cols=len(content[0]))
                for row in content:
                    for cell, text in zip(table.add_row().cells, row, strict=True):
                        cell.text = text
            case _:
                document.add_heading(content, level=int(kind[1:]))
    return _saved(document)


def word_xml(body: str, parts: Mapping[str, str] | None = None) -> bytes:
    """A Word file whose body is written by hand; `parts` are further files of its `word` folder."""
    document = f'<w:document xmlns:w="{WORD}"><w:body>{body}</w:body></w:document>'
    files = {"_rels/.rels": _RELATIONS, "word/document.xml": document}
    return archive(files | {f"word/{name}": text for name, text in (parts or {}).items()})


def archive(files: Mapping[str, str | bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target:
        for name, content in files.items():
            target.writestr(name, content)
    return out.getvalue()


def workbook(sheets: Mapping[str, Sequence[Sequence[object]]]) -> bytes:
    book = Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(list(row))
    return _saved(book)


def _saved(document) -> bytes:
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()
