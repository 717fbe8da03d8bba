"""PDF, Word and Excel files: converted in a bounded process, then read like any other document.

Spans index the converted text, which the catalog keeps. A chunk's metadata
names the page or sheet it comes from. Tables with a question and an answer
column are FAQ entries, whatever file they are in.

    read_pdf(RawFile(source="terms.pdf", key="/kb/terms.pdf", data=data))
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import PurePosixPath
from typing import Literal

from pydantic import ConfigDict, TypeAdapter, ValidationError

from dialog.knowledge.convert import CONVERTER_VERSION
from dialog.knowledge.convert.pieces import Converted
from dialog.knowledge.documents import RawFile, Reader
from dialog.knowledge.encoding import NotText
from dialog.knowledge.readers.assemble import assembled
from dialog.knowledge.records import IN_PART, Loaded, Skip
from dialog.values import Document, Value

MAX_SECONDS = 120
MAX_MEMORY_BYTES = 3 * 1024**3
MAX_OUTPUT_BYTES = 512 * 1024 * 1024

Format = Literal["pdf", "docx", "xlsx"]


class _Refusal(Value):
    unreadable: str


_ANSWER: TypeAdapter[Converted | _Refusal] = TypeAdapter(
    Converted | _Refusal, config=ConfigDict(extra="forbid")
)


def reader(name: Format) -> Reader:
    return partial(_read, name)


def content_hash(data: bytes) -> str:
    """Of the file's bytes, so that an unchanged file is known without converting it."""
    return hashlib.sha256(f"converted {CONVERTER_VERSION}\0".encode() + data).hexdigest()


def notes_of(source: str, document: Document) -> Iterator[Skip]:
    """What could not be read of an indexed document, as when it was converted."""
    for where, reason in document.metadata.get(IN_PART, {}).items():
        yield Skip(source=source + where, reason=reason, in_part=True)


def _read(name: Format, file: RawFile) -> Iterator[Loaded | Skip]:
    converted = _convert(name, file)
    if isinstance(converted, Skip):
        yield converted
        return
    text, blocks, unread = assembled(converted)
    if not blocks:
        raise NotText("holds no text")
    document = Document(
        source=file.source,
        title=converted.title.strip() or PurePosixPath(file.source).stem,
        text=text,
        content_hash=content_hash(file.data),
        metadata={IN_PART: unread} if unread else {},
    )
    yield from notes_of(file.source, document)
    yield Loaded(key=file.key, origin=file.key, document=document, blocks=tuple(blocks))


def _convert(name: Format, file: RawFile) -> Converted | Skip:
    """Run the converter in a process of its own.

    Raises:
        NotText: it says why the file cannot be read.
    """
    command = [sys.executable, "-P", "-m", "dialog.knowledge.convert", name]
    path = os.pathsep.join(filter(None, sys.path))
    try:
        done = subprocess.run(
            [*command, str(MAX_MEMORY_BYTES), str(MAX_SECONDS)],
            input=file.data,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=MAX_SECONDS,
            env={**os.environ, "PYTHONPATH": path, "PYTHONUTF8": "1"},
            check=False,
        )
    except subprocess.TimeoutExpired:
        return Skip(source=file.source, reason=f"took longer than {MAX_SECONDS} s to read", unread=True)
    if done.returncode or len(done.stdout) > MAX_OUTPUT_BYTES:
        raise NotText("needs too much time or memory to be read, or makes its reader fail")
    try:
        answer = _ANSWER.validate_json(done.stdout)
    except ValidationError as error:
        raise NotText("makes its reader fail") from error
    if isinstance(answer, _Refusal):
        raise NotText(answer.unreadable)
    return answer
