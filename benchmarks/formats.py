"""PDF to text: whether words, order, paragraphs, headings and table rows survive, beside other libraries.

    python -m benchmarks.formats

Half of the sample shop's pages (the half no rule was made on) are typeset as
PDF, in one and in two columns, with a running header and footer, and read
again. `order` is the share of characters
in the right order (longest common subsequence, white space aside);
`paragraphs`, `headings` and `rows` are the shares that come out in one piece
and apart from others. Other libraries are measured where they are installed;
they give plain text, so a heading or row counts for them if it is a line.
"""

from __future__ import annotations

import importlib
import re
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from rapidfuzz.distance import Indel

from benchmarks import markdown, save
from dialog.knowledge.convert.pdf import convert
from dialog.knowledge.documents import RawFile
from dialog.knowledge.readers.markdown import read_markdown
from dialog.knowledge.records import Loaded
from tests.knowledge.pdfs import typeset

EXAMPLES = Path(__file__).parents[1] / "examples" / "shop"
ROUNDS = 3


@dataclass
class Original:
    """A document before it was typeset."""

    name: str
    data: bytes = b""
    story: list[tuple] = field(default_factory=list)
    parts: dict[str, list[str]] = field(
        default_factory=lambda: {"paragraphs": [], "headings": [], "rows": []}
    )
    text: str = ""


def originals(part: int) -> Iterator[Original]:
    """The documents of every second page of the shop; rules were made looking at part 0 only."""
    for language in ("en", "zh"):
        for columns in (1, 2):
            original = Original(f"{language}, {columns} column{'s' * (columns > 1)}")
            for path in sorted(EXAMPLES.glob(f"*.{language}.md"))[part::2]:
                _add(original, path)
            original.text = "".join(t for kind, c in original.story for t in _texts(kind, c))
            original.data = typeset(
                original.story,
                header="示例商店 服务条款" if language == "zh" else "Example Shop - Terms",
                footer="第 {page} 页" if language == "zh" else "Page {page}",
                columns=columns,
                han=language == "zh",
            )
            yield original


def _add(original: Original, path: Path) -> None:
    (loaded,) = read_markdown(RawFile(source=path.name, key=str(path), data=path.read_bytes()))
    assert isinstance(loaded, Loaded)
    shown: tuple[str, ...] = ()
    for block in loaded.blocks:
        for level, name in enumerate(block.path, 1):
            if shown[:level] != block.path[:level]:
                original.story.append((f"h{min(level, 2)}", name))
                original.parts["headings"].append(name)
        shown = block.path
        text = loaded.document.text[block.start : block.end]
        if block.kind == "table":
            rows = [[cell.strip() for cell in line.strip("| ").split("|")] for line in text.split("\n")]
            rows = [row for row in rows if not set("".join(row)) <= {"-", ":", " "}]
            original.story.append(("ruled", rows))
            original.parts["rows"] += [" ".join(row) for row in rows]
        else:
            plain = re.sub(r"[*_`<>&]|^- ", "", " ".join(text.split()))
            original.story.append(("p", f"• {plain}" if block.kind == "list" and text[0] == "-" else plain))
            original.parts["paragraphs"].append(plain)


def _texts(kind: str, content: object) -> list[str]:
    return [cell for row in content for cell in row] if isinstance(content, list) else [str(content)]


def ours(path: Path) -> str:
    lines = []
    for piece in convert(path.read_bytes()).pieces:
        lines += [" ".join(row) for row in piece.rows] or [piece.text.removeprefix("- ")]
    return "\n".join(lines)


def pdfminer(path: Path) -> str:
    text: str = importlib.import_module("pdfminer.high_level").extract_text(path)
    return text


def pypdf(path: Path) -> str:
    return "\n".join(page.extract_text() for page in importlib.import_module("pypdf").PdfReader(path).pages)


def pypdfium2(path: Path) -> str:
    document = importlib.import_module("pypdfium2").PdfDocument(path)
    return "\n".join(page.get_textpage().get_text_range() for page in document)


def pdfplumber(path: Path) -> str:
    with importlib.import_module("pdfplumber").open(path) as document:
        return "\n".join(page.extract_text() for page in document.pages)


def markitdown(path: Path) -> str:
    text: str = importlib.import_module("markitdown").MarkItDown().convert(str(path)).text_content
    return text


def _squeezed(text: str) -> str:
    return re.sub(r"[\s•|#]+", "", text)


def _measured(read: Callable[[Path], str], found: list[Original], folder: Path) -> dict[str, float]:
    values: dict[str, list[float]] = {"order": [], "paragraphs": [], "headings": [], "rows": [], "ms": []}
    for original in found:
        path = folder / f"{original.name}.pdf"
        path.write_bytes(original.data)
        times = []
        for _ in range(ROUNDS):
            start = time.process_time()
            text = read(path)
            times.append((time.process_time() - start) * 1000)
        lines = {_squeezed(line) for line in text.split("\n")}
        values["order"].append(Indel.normalized_similarity(_squeezed(text), _squeezed(original.text)))
        values["ms"].append(statistics.median(times) / original.data.count(b"/Type /Page\n"))
        for part, wanted in original.parts.items():
            values[part].append(sum(_squeezed(text) in lines for text in wanted) / len(wanted))
    return {name: statistics.mean(numbers) for name, numbers in values.items()}


def main() -> None:
    found = list(originals(1))
    rows: list[tuple[object, ...]] = []
    values = {}
    with tempfile.TemporaryDirectory() as folder:
        for read in (ours, pdfminer, pypdf, pypdfium2, pdfplumber, markitdown):
            try:
                measured = _measured(read, found, Path(folder))
            except ImportError:
                continue
            values[read.__name__] = measured
            rows.append((read.__name__, *measured.values()))
    header = ("read by", "order", "paragraphs", "headings", "table rows", "ms a page")
    save("formats", values, table=markdown(header, rows))


if __name__ == "__main__":
    main()
