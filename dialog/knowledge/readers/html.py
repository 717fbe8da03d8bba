"""HTML: its visible text as Markdown, so that headings, lists and tables survive.

Spans index that text, not the markup. Scripts, styles, navigation and hidden
parts are left out; nothing is fetched.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator

from bs4 import BeautifulSoup
from markdownify import MarkdownConverter

from dialog.knowledge.documents import RawFile
from dialog.knowledge.encoding import decode
from dialog.knowledge.readers.markdown import markdown_document
from dialog.knowledge.records import Loaded, Skip

_CHARSET = re.compile(rb"<meta[^>]{0,200}charset=[\"']?\s*([\w-]{2,20})", re.I)
_INVISIBLE = ["script", "style", "noscript", "template", "nav", "svg", "iframe", "head", "form", "button"]
_CONVERTER = MarkdownConverter(
    heading_style="ATX",
    bullets="-",
    strip=["a", "img", "b", "strong", "i", "em"],
    escape_asterisks=False,
    escape_underscores=False,
    escape_misc=False,
)


def read_html(file: RawFile) -> Iterator[Loaded | Skip]:
    """One document, titled by `<title>`, its first heading or its file name."""
    declared = _CHARSET.search(file.data[:4096])
    markup = decode(file.data, declared=declared.group(1).decode() if declared else None).text
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # bs4 remarks on pages that look like something else
        page = BeautifulSoup(markup, "html.parser")
    title = page.title.get_text(" ", strip=True) if page.title else ""
    for element in page.find_all(_INVISIBLE):
        element.decompose()
    for element in page.select("[hidden], [aria-hidden=true]"):
        element.decompose()
    text = re.sub(r"\n{3,}", "\n\n", _CONVERTER.convert_soup(page)).strip() + "\n"
    yield markdown_document(file, text, title=title or None)
