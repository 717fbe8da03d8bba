"""The rows of a workbook's first sheet, read one at a time, no further than an honest workbook goes.

with workbook_rows(source) as rows:
    for number, cells in rows: ...
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, BinaryIO

from corpora.files import Source
from dialog.errors import CorpusError

MAX_UNPACKED_BYTES = 2_000_000_000
MAX_RATIO = 200
FREE_BYTES = 50_000_000
"""A workbook may unpack to this much whatever its size; beyond it, to `MAX_RATIO` times its size."""
MAX_STRINGS_BYTES = 500_000_000
"""Excel keeps texts in one table, which has to be in memory."""
_ZIP = b"PK\x03\x04"
_STRINGS = "xl/sharedStrings.xml"


def is_workbook(source: Source) -> bool:
    """Whether the content is an XLSX file."""
    if source.path.is_dir() or source.head(4) != _ZIP:
        return False
    try:
        with source.open_seekable() as file, zipfile.ZipFile(file) as archive:
            return "xl/workbook.xml" in archive.namelist()
    except zipfile.BadZipFile:
        return False


@contextmanager
def workbook_rows(source: Source) -> Iterator[Iterator[tuple[int, Sequence[Any]]]]:
    """(number from 1, values) of the rows of the first sheet.

    Raises:
        CorpusError: it is damaged, or unpacks to more than it should.
    """
    from openpyxl import load_workbook

    with source.open_seekable() as file:
        _check(source, file)
        try:
            book = load_workbook(file, read_only=True, data_only=True, keep_links=False)
        except Exception as error:  # openpyxl raises what it happens to meet in a damaged file
            problem = f"is a damaged workbook ({type(error).__name__}: {error}); save it again"
            raise CorpusError(problem, path=source.path) from error
        try:
            yield _rows(source, book)
        finally:
            book.close()


def _rows(source: Source, book: Any) -> Iterator[tuple[int, Sequence[Any]]]:
    number = 0
    try:
        for number, cells in enumerate(book.worksheets[0].iter_rows(values_only=True), start=1):
            yield number, cells
    except CorpusError:
        raise
    except Exception as error:  # the sheet's own XML is parsed only here
        problem = f"is damaged after this row ({type(error).__name__}: {error}); save it again"
        raise CorpusError(problem, path=source.path, line=number) from error


def _check(source: Source, file: BinaryIO) -> None:
    with zipfile.ZipFile(file) as archive:
        parts = archive.infolist()
    packed = sum(part.compress_size for part in parts)
    unpacked = sum(part.file_size for part in parts)
    strings = sum(part.file_size for part in parts if part.filename == _STRINGS)
    if unpacked > min(MAX_UNPACKED_BYTES, max(FREE_BYTES, MAX_RATIO * packed)) or strings > MAX_STRINGS_BYTES:
        raise CorpusError("unpacks to far more than its size; save it as CSV", path=source.path)
    file.seek(0)
