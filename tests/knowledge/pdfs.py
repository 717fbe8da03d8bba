"""PDF files made for tests: realistic pages by a typesetter, and hostile ones by hand."""

from __future__ import annotations

import io
import zlib
from collections.abc import Sequence
from html import escape

from PIL import Image
from pypdf import PdfReader, PdfWriter
from reportlab.lib.enums import TA_JUSTIFY
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import BaseDocTemplate, Frame, PageBreak, PageTemplate, Paragraph, Spacer, Table

HAN_FONT = "STSong-Light"


def _style(name: str, font: str, size: float, **options) -> ParagraphStyle:
    return ParagraphStyle(
        name, fontName=font, fontSize=size, leading=size * 1.35, spaceAfter=size / 2, **options
    )


def typeset(
    story: Sequence[tuple],
    *,
    header: str = "",
    footer: str = "",
    columns: int = 1,
    han: bool = False,
    title: str = "",
) -> bytes:
    """A PDF of (kind, content) pairs: `h1`, `h2`, `p`, `table` (rows), `ruled` (rows), `break`.

    `footer` may hold `{page}`. Chinese text needs `han`, which uses a CID font
    that is named but not embedded.
    """
    if han:
        pdfmetrics.registerFont(UnicodeCIDFont(HAN_FONT))
    body, bold = (HAN_FONT, HAN_FONT) if han else ("Helvetica", "Helvetica-Bold")
    wrap = {"wordWrap": "CJK"} if han else {"alignment": TA_JUSTIFY}
    styles = {
        "h1": _style("h1", bold, 18),
        "h2": _style("h2", bold, 14),
        "p": _style("p", body, 10.5, **wrap),
    }
    grid = [("FONT", (0, 0), (-1, -1), body, 10)]
    ruled = [*grid, ("GRID", (0, 0), (-1, -1), 0.5, "black")]

    gap = 8 * mm
    width = (170 * mm - gap * (columns - 1)) / columns

    def flowable(kind: str, content):
        match kind:
            case "table":
                return Table(content, style=grid, spaceAfter=8, colWidths=45 * mm)
            case "ruled" if columns > 1:
                cells = [[Paragraph(escape(cell), styles["p"]) for cell in row] for row in content]
                return Table(cells, style=ruled, spaceAfter=8, colWidths=(width - 12) / len(content[0]))
            case "ruled":
                return Table(content, style=ruled, spaceAfter=8)
            case "break":
                return PageBreak()
            case "space":
                return Spacer(1, content)
            case _:
                return Paragraph(content, styles[kind])

    def decorate(canvas: Canvas, document) -> None:
        canvas.setFont(body, 8)
        canvas.drawString(20 * mm, 285 * mm, header)
        canvas.drawCentredString(105 * mm, 10 * mm, footer.format(page=document.page))

    out = io.BytesIO()
    document = BaseDocTemplate(out, pagesize=A4, title=title, invariant=1)
    frames = [Frame(20 * mm + i * (width + gap), 20 * mm, width, 255 * mm, id=str(i)) for i in range(columns)]
    document.addPageTemplates(PageTemplate(frames=frames, onPage=decorate))
    document.build([flowable(kind, content) for kind, content in story])
    return out.getvalue()


def scanned(num_pages: int = 1) -> bytes:
    """Pages that are nothing but a picture."""
    out = io.BytesIO()
    canvas = Canvas(out, pagesize=A4, invariant=1)
    for _ in range(num_pages):
        canvas.drawInlineImage(Image.new("L", (40, 40), 128), 0, 0, 500, 700)
        canvas.showPage()
    canvas.save()
    return out.getvalue()


def joined(*files: bytes) -> bytes:
    """The pages of several PDFs in one."""
    writer = PdfWriter()
    for data in files:
        writer.append(PdfReader(io.BytesIO(data)))
    return _written(writer)


def encrypted(data: bytes, password: str, *, owner: str | None = None) -> bytes:
    """Needs `password` to be opened; with "" anybody may read and only `owner` may change it."""
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(data)))
    writer.encrypt(password, owner, algorithm="AES-256")
    return _written(writer)


def minimal(content: bytes, *, font: str = "", extra: Sequence[str] = (), packed: bool = False) -> bytes:
    """One page by hand: content stream, font F1 (default Helvetica), further objects from number 6."""
    body = zlib.compress(content, 9) if packed else content
    packing = "/Filter /FlateDecode " if packed else ""
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R "
        "/Resources << /Font << /F1 5 0 R >> >> >>",
        f"<< {packing}/Length {len(body)} >>\nstream\n".encode() + body + b"\nendstream",
        font or "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        *extra,
    ]
    out = bytearray(b"%PDF-1.4\n")
    places = []
    for number, content_of in enumerate(objects, 1):
        places.append(len(out))
        as_bytes = content_of if isinstance(content_of, bytes) else content_of.encode()
        out += b"%d 0 obj\n%b\nendobj\n" % (number, as_bytes)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % place for place in places)
    out += b"trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, start)
    return bytes(out)


def glyph_coded(text: str, *, with_meaning: bool = True) -> bytes:
    """Text by glyph numbers of an embedded-style font (Identity-H); `with_meaning` adds the ToUnicode map."""
    codes = {character: number for number, character in enumerate(dict.fromkeys(text), 1)}
    shown = "".join(f"{codes[character]:04x}" for character in text)
    pairs = "\n".join(f"<{code:04x}> <{ord(character):04x}>" for character, code in codes.items())
    cmap = (
        "/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /X def "
        "1 begincodespacerange <0000> <ffff> endcodespacerange "
        f"{len(codes)} beginbfchar {pairs} endbfchar endcmap end end"
    )
    meaning = " /ToUnicode 7 0 R" if with_meaning else ""
    return minimal(
        f"BT /F1 12 Tf 60 700 Td <{shown}> Tj ET".encode(),
        font=f"<< /Type /Font /Subtype /Type0 /BaseFont /X /Encoding /Identity-H "
        f"/DescendantFonts [6 0 R]{meaning} >>",
        extra=[
            "<< /Type /Font /Subtype /CIDFontType2 /BaseFont /X /DW 1000 "
            "/CIDSystemInfo << /Registry (Adobe) /Ordering (Identity) /Supplement 0 >> >>",
            f"<< /Length {len(cmap)} >>\nstream\n{cmap}\nendstream",
        ],
    )


def _written(writer: PdfWriter) -> bytes:
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()
