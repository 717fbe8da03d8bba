"""One reader a format; each turns a file's bytes into documents whose blocks carry exact spans."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from dialog import plugins
from dialog.knowledge.documents import Reader
from dialog.knowledge.encoding import NotText
from dialog.knowledge.readers.converted import reader
from dialog.knowledge.readers.html import read_html
from dialog.knowledge.readers.markdown import read_markdown
from dialog.knowledge.readers.plain import read_plain
from dialog.knowledge.readers.rows import read_csv, read_json_lines

CONVERTED: Mapping[str, Reader] = {
    ".pdf": reader("pdf"),
    ".docx": reader("docx"),
    ".docm": reader("docx"),
    ".xlsx": reader("xlsx"),
    ".xlsm": reader("xlsx"),
}
"""Formats whose text costs some work to have."""

BUILT_IN: Mapping[str, Reader] = {
    ".md": read_markdown,
    ".markdown": read_markdown,
    ".txt": read_plain,
    ".text": read_plain,
    ".html": read_html,
    ".htm": read_html,
    ".csv": read_csv,
    ".tsv": read_csv,
    ".jsonl": read_json_lines,
    ".ndjson": read_json_lines,
    **CONVERTED,
}
ADVICE: Mapping[str, str] = {
    **dict.fromkeys((".doc", ".dot", ".wps", ".odt", ".rtf"), "save it as .docx"),
    **dict.fromkeys((".xls", ".xlsb", ".ods", ".et"), "save it as .xlsx"),
    **dict.fromkeys((".ppt", ".pptx", ".odp", ".pages", ".key"), "save it as .pdf"),
}
"""What to do about a format there is no reader for."""


def plugged_in(suffix: str) -> Reader | None:
    """The reader another distribution offers for `suffix`, None if there is none.

    Raises:
        NotText: it is there but cannot be loaded.
    """
    name = suffix.removeprefix(".")
    loaded = plugins.load("instructrec.documents", only=name) if name else plugins.Loaded()
    for broken in loaded.broken:
        if name not in loaded.found:
            raise NotText(f"has a reader {broken.target!r} that does not load: {broken.error}")
    return cast("Reader | None", loaded.found.get(name))
