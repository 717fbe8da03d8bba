"""Text files in whatever encoding, as streams: told from the beginning, held to all the way.

with open_text(source) as text:
    for line in text: ...
"""

from __future__ import annotations

import codecs
import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from corpora.files import Source
from dialog.errors import CorpusError

_HEAD_BYTES = 1 << 16
_LONGEST_CHARACTER = 4


@contextmanager
def open_text(source: Source) -> Iterator[TextIO]:
    """The text with its line ends as they are.

    Raises:
        CorpusError: it is no text, or not in one encoding throughout.
    """
    encoding = encoding_of(source)
    with source.open() as file:
        text = io.TextIOWrapper(file, encoding=encoding, newline="")
        try:
            yield text
        except UnicodeDecodeError as error:
            problem = f"begins as {encoding} but has other bytes further on; save it as UTF-8"
            raise CorpusError(problem, path=source.path) from error
        finally:
            text.detach()


def encoding_of(source: Source) -> str:
    """UTF-8, UTF-16 or what the first bytes look like (GBK and its kin too).

    Raises:
        CorpusError: it is no text.
    """
    from dialog.knowledge.encoding import NotText, decode

    with source.open() as file:
        head = file.read(_HEAD_BYTES)
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    for cut in range(_LONGEST_CHARACTER):
        try:
            head[: len(head) - cut].decode("utf-8")
        except UnicodeDecodeError:
            continue
        if b"\0" not in head:
            return "utf-8-sig"
        break
    try:
        return decode(head[: head.rfind(b"\n") + 1] or head).encoding
    except NotText as error:
        raise CorpusError(f"{error}; save it as UTF-8 text", path=source.path) from error
