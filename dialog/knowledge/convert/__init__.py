"""Office and PDF files to pieces of text, in a process of their own.

Whoever wrote such a file may have meant harm: a PDF can keep its parser busy
for hours, a small archive can unpack to gigabytes. So the parsers run in
`python -m dialog.knowledge.convert FORMAT < FILE`, which is bounded in time
and memory (`dialog.knowledge.readers.converted` starts it); nothing in this
package is imported by the agent but the values in `pieces`.

    converter("pdf")(data)      # -> Converted, or Unreadable is raised
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

from dialog.knowledge.convert.pieces import Converted

FORMATS = ("pdf", "docx", "xlsx")
CONVERTER_VERSION = "1"
"""Part of a converted document's content hash: raise it when the text that comes out changes."""


def converter(name: str) -> Callable[[bytes], Converted]:
    """The converter of one of `FORMATS`; its library is imported now."""
    assert name in FORMATS
    convert: Callable[[bytes], Converted] = import_module(f"dialog.knowledge.convert.{name}").convert
    return convert
