"""Files and folders to documents; what cannot be read is listed with its reason, never dropped silently.

Folders are walked in sorted order, hidden entries are ignored, a folder
reached twice (a symlink loop) is read once. The reader is picked by suffix;
further ones join through the entry point group `instructrec.documents`, named
after the suffix.

    for item in read_sources([Path("help-centre")]):
        match item:
            case Loaded(document=document): print(document.title)
            case Skip(source=source, reason=reason): print(source, reason)
"""

from __future__ import annotations

import gzip
import os
import stat
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from dialog.knowledge.encoding import NotText
from dialog.knowledge.records import Loaded, Skip

MAX_FILE_BYTES = 256 * 1024 * 1024


@dataclass(frozen=True)
class RawFile:
    """A file's bytes. `source` is its name below the folder that was given, `key` its absolute path."""

    source: str
    key: str
    data: bytes


Reader = Callable[[RawFile], Iterator[Loaded | Skip]]


@dataclass(frozen=True)
class SourceFile:
    """A file found while walking, not yet read."""

    path: Path
    source: str

    @property
    def key(self) -> str:
        return self.path.resolve().as_posix()


def read_sources(paths: Sequence[Path]) -> Iterator[Loaded | Skip]:
    """Read everything under `paths`, in order; a file named twice is read once."""
    for found in walk(paths):
        if isinstance(found, Skip):
            yield found
        else:
            yield from read_file(found)


def walk(paths: Sequence[Path], *, without: Path | None = None) -> Iterator[SourceFile | Skip]:
    """The regular files under `paths`, but none in the folder `without`.

    Missing paths and folders without files are skips.
    """
    seen: set[str] = set()
    for path in paths:
        if not path.exists():
            yield Skip(source=str(path), reason="does not exist")
        elif path.is_dir():
            yield from _walk_folder(path, seen, without)
        else:
            file = SourceFile(path=path, source=path.name)
            if file.key not in seen:
                seen.add(file.key)
                yield file


def read_file(file: SourceFile) -> Iterator[Loaded | Skip]:
    """The documents in one file, or the one reason why there are none."""
    try:
        yield from _reader(file.path)(_read_bytes(file))
    except NotText as problem:
        yield Skip(source=file.source, reason=str(problem))
    except OSError as error:
        yield Skip(source=file.source, reason=f"cannot be read: {error.strerror or error}", unread=True)
    except RecursionError:
        yield Skip(source=file.source, reason="is nested too deeply")


def converted_hash(file: SourceFile) -> str | None:
    """Content hash of a file that would have to be converted; None for one that is read as it is."""
    from dialog.knowledge import readers
    from dialog.knowledge.readers.converted import content_hash

    if file.path.suffix.lower() not in readers.CONVERTED:
        return None
    try:
        return content_hash(_read_bytes(file).data)
    except (NotText, OSError):
        return None


def _walk_folder(root: Path, seen: set[str], without: Path | None) -> Iterator[SourceFile | Skip]:
    num_files = 0
    for path in _files(root, _identity(without)):
        if isinstance(path, Skip):
            yield path
            continue
        num_files += 1
        file = SourceFile(path=path, source=path.relative_to(root).as_posix())
        if file.key not in seen:
            seen.add(file.key)
            yield file
    if not num_files:
        yield Skip(source=str(root), reason="holds no files")


def _identity(folder: Path | None) -> set[tuple[int, int]]:
    if folder is None or not folder.exists():
        return set()
    status = folder.stat()
    return {(status.st_dev, status.st_ino)}


def _files(folder: Path, seen_folders: set[tuple[int, int]]) -> Iterator[Path | Skip]:
    try:
        status = folder.stat()
        if (status.st_dev, status.st_ino) in seen_folders:
            return
        seen_folders.add((status.st_dev, status.st_ino))
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as error:
        yield Skip(source=str(folder), reason=f"cannot be read: {error.strerror or error}", unread=True)
        return
    for entry in entries:
        if entry.name.startswith("."):
            continue
        path = folder / entry.name
        if path.is_dir():
            yield from _files(path, seen_folders)
        else:
            yield path


def _read_bytes(file: SourceFile) -> RawFile:
    status = file.path.stat()
    if not stat.S_ISREG(status.st_mode):
        raise NotText("is not a regular file")
    if status.st_size > MAX_FILE_BYTES:
        raise NotText(f"has {status.st_size} bytes; at most {MAX_FILE_BYTES} are read")
    data = file.path.read_bytes()
    if file.path.suffix == ".gz":
        data = _unpack(data)
    if not data.strip():
        raise NotText("is empty")
    return RawFile(source=file.source, key=file.key, data=data)


def _unpack(data: bytes) -> bytes:
    """Gunzip, no further than the size limit, so that a small bomb stays small."""
    unpacker = zlib.decompressobj(wbits=31)
    try:
        content = unpacker.decompress(data, MAX_FILE_BYTES)
    except (zlib.error, gzip.BadGzipFile, EOFError) as error:
        raise NotText(f"is not a gzip file: {error}") from error
    if unpacker.unconsumed_tail:
        raise NotText(f"unpacks to more than {MAX_FILE_BYTES} bytes")
    if not unpacker.eof:
        raise NotText("is a truncated gzip file")
    return content


def _reader(path: Path) -> Reader:
    from dialog.knowledge import readers

    suffix = PurePosixPath(path.name.removesuffix(".gz")).suffix.lower()
    if reader := readers.BUILT_IN.get(suffix):
        return reader
    return readers.plugged_in(suffix) or _refuse(suffix, readers.ADVICE.get(suffix))


def _refuse(suffix: str, advice: str | None) -> Reader:
    reason = f"has no reader for {suffix or 'files without a suffix'!r}"
    raise NotText(f"{reason}; {advice}" if advice else reason)
