"""PDF files: the characters of every page with their places, by pdfminer.

What becomes of them is decided elsewhere: `page.reading_order` puts a page's
characters into rows, `pdf_blocks.pieces` makes headings, paragraphs and tables
of the rows of all pages. Pages without text (scans), rotated characters
(watermarks) and characters that the file gives no meaning are reported.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from pdfminer.converter import PDFLayoutAnalyzer
from pdfminer.layout import LTChar, LTContainer, LTCurve, LTPage, LTRect
from pdfminer.pdfdocument import PDFDocument, PDFPasswordIncorrect
from pdfminer.pdfinterp import PDFPageInterpreter, PDFResourceManager
from pdfminer.pdfpage import PDFPage
from pdfminer.pdfparser import PDFParser
from pdfminer.psexceptions import PSException
from pdfminer.utils import decode_text

from dialog.knowledge.convert.page import UNMAPPED, Glyph, Row, Rule, Rules, reading_order
from dialog.knowledge.convert.pdf_blocks import pieces
from dialog.knowledge.convert.pdf_margins import without_margins
from dialog.knowledge.convert.pieces import Converted, Unreadable, ranges

MAX_PAGES = 5_000
MAX_PAGE_GLYPHS = 100_000
MAX_PAGE_RULES = 2_000
_NO_TEXT = "no text (scanned or blank)"
_MIN_RULE_LENGTH = 6.0
_MAX_RULE_WIDTH = 2.0
_MAX_TILT = 0.02
_MAX_UNMAPPED_SHARE = 0.3


@dataclass(frozen=True)
class _Page:
    """A page's rows; `problem` says why they are none, or not all."""

    rows: list[Row]
    problem: str = ""


def convert(data: bytes) -> Converted:
    """A PDF's text.

    Raises:
        Unreadable: encrypted, damaged, or without a page that holds text.
    """
    document = _opened(data)
    pages: list[_Page] = []
    notes: list[str] = []
    for number, page in enumerate(_pages(document)):
        if number >= MAX_PAGES:
            notes.append(f"only the first {MAX_PAGES} pages are read")
            break
        pages.append(page)
    if not pages:
        raise Unreadable("holds no pages, or is damaged")
    if not any(page.rows for page in pages):
        reasons = "; ".join(sorted({page.problem for page in pages if page.problem}))
        raise Unreadable(f"holds {reasons}; it needs text recognition (OCR) first")
    bodies = without_margins([page.rows for page in pages])
    pages = [
        replace(page, problem=page.problem or _NO_TEXT) if page.rows and not body else page
        for page, body in zip(pages, bodies, strict=True)
    ]
    for problem in sorted({page.problem for page in pages} - {""}):
        affected = [number for number, page in enumerate(pages, 1) if page.problem == problem]
        notes.append(f"page{'s' * (len(affected) > 1)} {ranges(affected)}: {problem}")
    return Converted(pieces(bodies), title=_title(document), notes=notes)


def _opened(data: bytes) -> PDFDocument:
    try:
        return PDFDocument(PDFParser(io.BytesIO(data)))
    except PDFPasswordIncorrect as error:
        raise Unreadable("is encrypted; save it without a password") from error
    except PSException as error:
        raise Unreadable(f"is damaged: {error or type(error).__name__}") from error


def _pages(document: PDFDocument) -> Iterator[_Page]:
    """Every page; one that cannot be interpreted is a page with a problem."""
    resources = PDFResourceManager(caching=True)
    device = _Collector(resources)
    interpreter = PDFPageInterpreter(resources, device)
    for page in PDFPage.create_pages(document):
        device.begin()
        try:
            interpreter.process_page(page)
        except (MemoryError, RecursionError):
            raise
        except Exception as error:  # pdfminer raises whatever a broken page leads it to
            yield _Page([], problem=f"damaged content ({type(error).__name__})")
            continue
        yield device.finish()


class _Collector(PDFLayoutAnalyzer):
    """Keeps the upright characters of a page; pdfminer's own layout analysis is not run."""

    def __init__(self, resources: PDFResourceManager) -> None:
        super().__init__(resources, laparams=None)
        self.begin()

    def begin(self) -> None:
        self._glyphs: list[Glyph] = []
        self._vertical: set[Rule] = set()
        self._horizontal: set[Rule] = set()
        self._num_seen = self._num_unmapped = self._num_rotated = 0

    def receive_layout(self, ltpage: LTPage) -> None:
        self._collect(ltpage, ltpage.bbox)

    def finish(self) -> _Page:
        if self._num_seen > MAX_PAGE_GLYPHS:
            return _Page([], problem=f"more than {MAX_PAGE_GLYPHS} characters on a page")
        if self._num_unmapped > _MAX_UNMAPPED_SHARE * max(self._num_seen, 1):
            return _Page([], problem="only fonts that do not say which characters they show")
        rules = Rules(tuple(self._vertical), tuple(self._horizontal))
        rows = reading_order(self._glyphs, rules)
        return _Page(rows, problem="" if rows else _NO_TEXT)

    def _collect(self, container: LTContainer[Any], bounds: tuple[float, float, float, float]) -> None:
        for item in container:
            if isinstance(item, LTContainer):
                self._collect(item, bounds)
            elif isinstance(item, LTChar):
                self._num_seen += 1
                if self._num_seen <= MAX_PAGE_GLYPHS:
                    self._keep(item, bounds)
            elif isinstance(item, LTCurve) and len(self._vertical) + len(self._horizontal) < MAX_PAGE_RULES:
                self._vertical |= _edges(item.x0, item.x1, item.y0, item.y1, isinstance(item, LTRect))
                self._horizontal |= _edges(item.y0, item.y1, item.x0, item.x1, isinstance(item, LTRect))

    def _keep(self, item: LTChar, bounds: tuple[float, float, float, float]) -> None:
        text = item.get_text().replace("\xa0", " ").replace("\0", "")
        across, tilt = abs(item.matrix[0]), abs(item.matrix[1])
        middle = (item.y0 + item.y1) / 2
        if text.startswith("(cid:"):
            self._num_unmapped += 1
            text = UNMAPPED
        if tilt > _MAX_TILT * max(across, 1e-6):
            self._num_rotated += 1
        elif text and bounds[0] <= item.x0 <= bounds[2] and bounds[1] <= middle <= bounds[3]:
            name = item.fontname.lower()
            self._glyphs.append(
                Glyph(
                    text=text,
                    x0=item.x0,
                    x1=max(item.x1, item.x0),
                    y=item.y0,
                    size=max(item.size, 0.1),
                    is_bold=any(word in name for word in ("bold", "black", "heavy", "demi")),
                )
            )


def _edges(low: float, high: float, start: float, end: float, is_box: bool) -> set[Rule]:
    """Of a line, or of a box drawn or filled: its edges in one direction, at `low` and `high`."""
    if end - start < _MIN_RULE_LENGTH:
        return set()
    if high - low <= _MAX_RULE_WIDTH:
        return {Rule(round(low, 1), round(start, 1), round(end, 1))}
    return {Rule(round(at, 1), round(start, 1), round(end, 1)) for at in (low, high)} if is_box else set()


def _title(document: PDFDocument) -> str:
    """The title in the document's own properties; programs leave file names and placeholders there."""
    for info in document.info:
        title = info.get("Title")
        if isinstance(title, bytes):
            text = decode_text(title).replace("\0", "").strip()
            is_filler = text.lower() in ("", "untitled", "anonymous") or text.lower().startswith("microsoft ")
            if not is_filler and not text.lower().endswith(
                (".doc", ".docx", ".pdf", ".indd", ".xls", ".xlsx")
            ):
                return text[:300]
    return ""
