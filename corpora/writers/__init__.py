"""The formats transcripts are written in; a file each, as streams.

writer = writer_of("openai")
out.write(writer.head() + writer.line(transcript).content)
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import cast

from corpora.writers.written import Writer

BUILT_IN: Mapping[str, str] = {
    "canonical": "corpora.writers.canonical",
    "openai": "corpora.writers.openai",
    "sharegpt": "corpora.writers.sharegpt",
    "prompt-completion": "corpora.writers.prompt_completion",
    "preference": "corpora.writers.preference",
    "csv": "corpora.writers.table",
    "tsv": "corpora.writers.table",
}


def writer_of(name: str, *, bare: bool = False) -> Writer:
    """The writer of a format.

    Args:
        bare: write only the fields the format itself names.

    Raises:
        ValueError: there is none of that name.
    """
    if name not in BUILT_IN:
        raise ValueError(f"no format {name!r} to write; there are {', '.join(BUILT_IN)}")
    return cast(Writer, import_module(BUILT_IN[name]).writer(name, bare))


def format_for(out: Path) -> str:
    """The format that a file's name asks for: a table for `.csv` and `.tsv`, else our own."""
    return {".csv": "csv", ".tsv": "tsv"}.get(out.suffix.lower(), "canonical")
