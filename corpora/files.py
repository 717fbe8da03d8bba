"""Files as they come and go: opened and unpacked as streams, written whole or not at all.

A source may be read from the start as often as needed, standard input too (it
is copied to a temporary file). Gzip is unpacked on the way, no further than
any honest text would go.

    with Source("chats.jsonl.gz") as source, source.open() as file, replacing(Path("out.jsonl")) as out:
        shutil.copyfileobj(file, out)
"""

from __future__ import annotations

import codecs
import gzip
import os
import shutil
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, BinaryIO, Self, cast
from uuid import uuid4

from dialog.errors import CorpusError

MAX_LINE_BYTES = 8_000_000
MAX_RATIO = 200
"""How many times larger than its gzip file a text may be, beyond `FREE_BYTES`; logs reach 30."""
FREE_BYTES = 200_000_000
STDIN = Path("-")
_GZIP = b"\x1f\x8b"


class Source:
    """A file to read, perhaps several times; `-` is standard input. Close it, or use it in `with`."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._copy: IO[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *reason: object) -> None:
        if self._copy is not None:
            self._copy.close()
            self._copy = None

    @property
    def stem(self) -> str:
        """The file's name without its suffixes: what made-up ids begin with."""
        name = "stdin" if self.path == STDIN else self.path.name.removesuffix(".gz")
        return Path(name).stem or "conversation"

    @contextmanager
    def open(self) -> Iterator[BinaryIO]:
        """The content from its beginning, unpacked.

        Raises:
            CorpusError: it cannot be read, or is a damaged or monstrous gzip file.
        """
        try:
            with self._raw() as raw:
                start = raw.read(2)
                raw.seek(0)
                yield unpacked(raw, self.path) if start == _GZIP else raw
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            problem = f"is a damaged gzip file ({error}); pack it again"
            raise CorpusError(problem, path=self.path) from error
        except OSError as error:
            problem = f"cannot be read: {error.strerror or error}; check the name and its permissions"
            raise CorpusError(problem, path=self.path) from error

    @contextmanager
    def open_seekable(self) -> Iterator[BinaryIO]:
        """The same, where jumping back is cheap."""
        with self.open() as file:
            if not _is_unpacked(file):
                yield file
                return
            with TemporaryFile() as copy:
                shutil.copyfileobj(file, copy)
                copy.seek(0)
                yield cast(BinaryIO, copy)

    def head(self, num_bytes: int) -> bytes:
        """The first bytes, without a byte order mark of UTF-8."""
        with self.open() as file:
            return file.read(num_bytes).removeprefix(codecs.BOM_UTF8)

    @contextmanager
    def _raw(self) -> Iterator[BinaryIO]:
        if self.path != STDIN:
            with self.path.open("rb") as file:
                yield file
            return
        if self._copy is None:
            self._copy = TemporaryFile()  # noqa: SIM115  # lives as long as the source
            shutil.copyfileobj(sys.stdin.buffer, self._copy)
        self._copy.seek(0)
        yield cast(BinaryIO, self._copy)


def unpacked(raw: BinaryIO, path: Path) -> BinaryIO:
    """What a gzip file holds, as a stream that ends with an error where only a bomb would go on."""
    return cast(BinaryIO, _Unpacked(raw, path))


def _is_unpacked(file: object) -> bool:
    return isinstance(file, _Unpacked)


class _Unpacked(gzip.GzipFile):
    def __init__(self, raw: BinaryIO, path: Path) -> None:
        super().__init__(fileobj=raw, mode="rb")
        self._limit = max(FREE_BYTES, MAX_RATIO * os.fstat(raw.fileno()).st_size)
        self._path = path

    def read(self, size: int | None = -1) -> bytes:
        return self._checked(super().read(size))

    def readline(self, size: int | None = -1) -> bytes:
        return self._checked(super().readline(-1 if size is None else size))

    def _checked(self, data: bytes) -> bytes:
        if self.tell() > self._limit:
            problem = f"unpacks to more than {MAX_RATIO} times its size; unpack it yourself if that is right"
            raise CorpusError(problem, path=self._path)
        return data


def lines(file: BinaryIO, path: Path) -> Iterator[tuple[int, bytes | CorpusError]]:
    """(line number from 1, line without its end), blank ones left out; an error for one that is too long."""
    number = 0
    while line := file.readline(MAX_LINE_BYTES + 1):
        number += 1
        if number == 1:
            if line.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
                raise CorpusError("is UTF-16; save it as UTF-8", path=path)
            line = line.removeprefix(codecs.BOM_UTF8)
        if len(line) > MAX_LINE_BYTES and not line.endswith(b"\n"):
            while line and not line.endswith(b"\n"):
                line = file.readline(MAX_LINE_BYTES)
            problem = f"longer than {MAX_LINE_BYTES} bytes; split the conversation"
            yield number, CorpusError(problem, path=path, line=number)
        elif line.strip():
            yield number, line.rstrip(b"\r\n")


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """A new file beside `path` that takes its place if nothing goes wrong, else vanishes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name[:100]}.{uuid4().hex}")
    try:
        with open(unfinished, "xb", opener=_private) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(unfinished, path)
    except BaseException:  # an interruption too, from the moment the file may be there
        unfinished.unlink(missing_ok=True)
        raise


def _private(name: str, flags: int) -> int:
    """Conversations are their owner's alone, also while they are written."""
    return os.open(name, flags, 0o600)
