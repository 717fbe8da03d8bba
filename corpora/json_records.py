"""The JSON objects of a file, one at a time: lines, one array, objects in a row, or an array under a key.

Memory is bounded by one object: its end is found by counting brackets outside
strings before anything is parsed, so an object that is too large, too deep or
broken inside is told of and the next one is read. Numbers are Python's, NaN is refused.

    for record in json_records(source, wrappers=("tickets",)):
        record.line, record.value or record.problem
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO, Literal

from pydantic_core import from_json

from corpora.files import MAX_LINE_BYTES, Source, lines
from dialog.errors import CorpusError

MAX_RECORD_BYTES = MAX_LINE_BYTES
_HEAD_BYTES = 1 << 16
_CHUNK_BYTES = 1 << 18
_STRING = rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
_TO_BRACKET = re.compile(rb'(?:[^{}\[\]"]++|' + _STRING + rb")*+[{}\[\]]", re.DOTALL)
_STRING_END = re.compile(rb'[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)
_GAP = re.compile(rb"[\s,]*+")
_KEY = re.compile(rb"(" + _STRING + rb")\s*+:", re.DOTALL)
_SCALAR = re.compile(rb"(?:" + _STRING + rb"|[\w.+-]++)(?=\s*+[,}\]])", re.DOTALL)
_OPEN = b"{["

Layout = Literal["lines", "array", "wrapped", "objects"]


@dataclass(frozen=True)
class JsonRecord:
    """An object and the line it begins on; without one, `problem` says why."""

    line: int
    value: dict[str, Any] | None = None
    problem: str = ""


def json_records(source: Source, *, wrappers: tuple[str, ...] = ()) -> Iterator[JsonRecord]:
    """The objects of a file, in order.

    Args:
        wrappers: keys of a single outer object under which an array of records may stand.

    Raises:
        CorpusError: the file cannot be read, or its outline is not that of JSON.
    """
    layout = layout_of(source, wrappers)
    with source.open() as file:
        if layout == "lines":
            for number, line in lines(file, source.path):
                yield (
                    JsonRecord(number, problem=_bare(line))
                    if isinstance(line, CorpusError)
                    else _parsed(line, number)
                )
            return
        text = _Text(file, source)
        text.drop_mark()
        if layout == "wrapped":
            yield from _wrapped(text, wrappers)
        elif layout == "array":
            text.skip(_GAP)
            text.advance(text.at + 1)
            yield from _elements(text)
        else:
            yield from _in_a_row(text)


def layout_of(source: Source, wrappers: tuple[str, ...] = ()) -> Layout:
    """How the objects of a file are laid out, from its beginning."""
    head = source.head(_HEAD_BYTES).lstrip()
    if head.startswith(b"["):
        return "array"
    if not head.startswith(b"{"):
        return "lines"
    if wrappers and _has_wrapper(source, wrappers):
        return "wrapped"
    first, _, rest = head.partition(b"\n")
    second = rest.lstrip().partition(b"\n")[0]
    if _is_object(first) or _is_object(second) or len(first) >= _HEAD_BYTES - 1:
        return "lines"
    return "objects"


def _wrapped(text: _Text, wrappers: tuple[str, ...]) -> Iterator[JsonRecord]:
    """The elements of every array that stands under a wrapper's key of the outer object."""
    text.skip(_GAP)
    text.advance(text.at + 1)
    while key := text.key():
        if key in wrappers and text.peek() == b"[":
            text.advance(text.at + 1)
            yield from _elements(text)
        else:
            text.drop_value()


def _has_wrapper(source: Source, wrappers: tuple[str, ...]) -> bool:
    with source.open() as file:
        text = _Text(file, source, limit=MAX_RECORD_BYTES)
        text.drop_mark()
        try:
            text.skip(_GAP)
            text.advance(text.at + 1)
            while key := text.key():
                if key in wrappers and text.peek() == b"[":
                    text.advance(text.at + 1)
                    text.skip(_GAP)
                    return text.peek() in (b"{", b"]")
                text.drop_value()
        except CorpusError:
            return False
    return False


def _elements(text: _Text) -> Iterator[JsonRecord]:
    """The objects of an array whose bracket has been read."""
    while True:
        text.skip(_GAP)
        match text.peek():
            case b"{":
                yield text.take()
            case b"]":
                text.advance(text.at + 1)
                return
            case b"":
                raise text.error("the array does not end; the file is cut off, export it again")
            case other:
                raise text.error(
                    f"expected an object, found {other.decode('latin-1')!r}; make each entry one"
                )


def _in_a_row(text: _Text) -> Iterator[JsonRecord]:
    while True:
        text.skip(_GAP)
        match text.peek():
            case b"{":
                yield text.take()
            case b"":
                return
            case other:
                raise text.error(f"expected an object, found {other.decode('latin-1')!r}; keep JSON only")


class _Text:
    """A window on the file: what is before `at` is done with."""

    def __init__(self, file: BinaryIO, source: Source, *, limit: int | None = None) -> None:
        self._file = file
        self._source = source
        self._left = limit
        self.buffer = b""
        self.at = 0
        self.line = 1

    def error(self, problem: str) -> CorpusError:
        return CorpusError(problem, path=self._source.path, line=self.line)

    def more(self) -> bool:
        """Read on; False at the end."""
        size = _CHUNK_BYTES if self._left is None else min(_CHUNK_BYTES, self._left)
        chunk = self._file.read(size)
        if self._left is not None:
            self._left -= len(chunk)
        self.buffer = self.buffer[self.at :] + chunk
        self.at = 0
        return bool(chunk)

    def advance(self, position: int) -> None:
        self.line += self.buffer.count(b"\n", self.at, position)
        self.at = position

    def drop_mark(self) -> None:
        self.more()
        if self.buffer.startswith(b"\xef\xbb\xbf"):
            self.at = 3

    def skip(self, pattern: re.Pattern[bytes]) -> None:
        while True:
            found = pattern.match(self.buffer, self.at)
            if found:
                self.advance(found.end())
            if self.at < len(self.buffer) or not self.more():
                return

    def peek(self) -> bytes:
        return self.buffer[self.at : self.at + 1]

    def key(self) -> str:
        """The next key of the outer object, read; empty at its end."""
        self.skip(_GAP)
        while not (found := _KEY.match(self.buffer, self.at)):
            if self.peek() == b"}":
                return ""
            if len(self.buffer) - self.at > MAX_RECORD_BYTES or not self.more():
                raise self.error("the outer object does not end; the file is cut off, export it again")
        self.advance(found.end())
        self.skip(_GAP)
        return str(from_json(found.group(1)))

    def drop_value(self) -> None:
        if self.peek() in (b"{", b"["):
            self.take(keep=False)
            return
        while not (found := _SCALAR.match(self.buffer, self.at)):
            if len(self.buffer) - self.at > MAX_RECORD_BYTES or not self.more():
                raise self.error("the outer object does not end; the file is cut off, export it again")
        self.advance(found.end())

    def take(self, *, keep: bool = True) -> JsonRecord:
        """The bracketed value at `at`, read to its end; with `keep`, parsed unless it is too large."""
        line, depth, position, is_small = self.line, 0, self.at, True
        while True:
            while found := _TO_BRACKET.match(self.buffer, position):
                position = found.end()
                depth += 1 if self.buffer[position - 1] in _OPEN else -1
                if not depth:
                    value = self.buffer[self.at : position] if keep and is_small else b""
                    self.advance(position)
                    if is_small:
                        return _parsed(value, line) if keep else JsonRecord(line)
                    return JsonRecord(
                        line, problem=f"longer than {MAX_RECORD_BYTES} bytes; split the conversation"
                    )
            if len(self.buffer) - self.at > MAX_RECORD_BYTES or not keep:
                is_small = is_small and not keep
                self.advance(position)
                if self._drop_long_string():
                    position = self.at
                    continue
            position -= self.at
            if not self.more():
                raise self.error(f"the value that begins on line {line} does not end; the file is cut off")

    def _drop_long_string(self) -> bool:
        """Where the window is full of one huge string, pass to its end; False if it is not."""
        if len(self.buffer) - self.at <= MAX_RECORD_BYTES:
            return False
        self.advance(self.buffer.index(b'"', self.at) + 1)
        while not (found := _STRING_END.match(self.buffer, self.at)):
            tail = len(self.buffer) - len(self.buffer.rstrip(b"\\"))
            self.advance(len(self.buffer) - tail % 2)
            if not self.more():
                raise self.error("a text does not end; the file is cut off, export it again")
        self.advance(found.end())
        return True


def _parsed(content: bytes, line: int) -> JsonRecord:
    try:
        value = from_json(content, allow_inf_nan=False)
    except ValueError as error:
        return JsonRecord(line, problem=f"not JSON: {error}; make it one object")
    if not isinstance(value, dict):
        return JsonRecord(line, problem=f"a {type(value).__name__} where an object was expected; make it one")
    return JsonRecord(line, value)


def _is_object(content: bytes) -> bool:
    return content.lstrip().startswith(b"{") and _parsed(content, 0).value is not None


def _bare(error: CorpusError) -> str:
    return str(error).removeprefix(f"{error.path}:{error.line}: ")
