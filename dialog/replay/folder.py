"""The folder of a run: what was asked of whom (`run.json`), the answers, the reports.

    with RunFolder(path) as folder:
        saved = folder.resume(manifest)

Going on with a run needs the same questions and the same agents; anything else
is refused, so that no report mixes two runs. One process at a time.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal, Self

from filelock import FileLock, Timeout
from pydantic import Field, ValidationError

from dialog.errors import ConfigError, CorpusError
from dialog.replay.asked import Asked
from dialog.replay.outcome import Data, Fingerprints, Mode
from dialog.replay.saved import Saved, read_turns
from dialog.values import Value

MANIFEST = "run.json"
TURNS = "turns.jsonl"
_LOCK = ".lock"


class Manifest(Value):
    """What makes a run what it is."""

    format: Literal["instructrec-replay-1"] = "instructrec-replay-1"
    mode: Mode = "forced"
    seeds: tuple[int, ...]
    questions: str
    """Hash of what is asked, whatever its order."""
    num_unasked: int = 0
    cast: dict[str, str | None] = Field(default_factory=dict)
    """Of free replay: the user, the environment, the most turns."""
    fingerprints: Fingerprints
    data: Data


class RunFolder:
    """A folder that this process alone writes to.

    Raises:
        CorpusError: it cannot be made or written, or another process replays into it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            path.mkdir(parents=True, exist_ok=True)
            self._lock = FileLock(path / _LOCK)
            self._lock.acquire(timeout=0)
        except Timeout:
            raise CorpusError(
                "another replay writes here; wait for it or choose another --report-dir", path=path
            ) from None
        except OSError as error:
            raise CorpusError(f"cannot be written: {error.strerror or error}", path=path) from error

    @property
    def turns(self) -> Path:
        return self.path / TURNS

    def resume(self, manifest: Manifest) -> Saved:
        """The answers of this very run so far; the manifest is written if there is none.

        Raises:
            ConfigError: the folder holds another run.
            CorpusError: what it holds is damaged.
        """
        self.refuse_another(manifest)
        self.write(MANIFEST, manifest.model_dump_json(indent=1) + "\n")
        return read_turns(self.turns)

    def refuse_another(self, manifest: Manifest) -> None:
        """Raises ConfigError if the folder holds the answers of another run."""
        if not (self.path / MANIFEST).exists():
            if self.turns.exists():
                raise ConfigError(
                    f"{self.path} holds {TURNS} without {MANIFEST}; choose another --report-dir"
                )
            return
        before = read_manifest(self.path)
        changed: Sequence[str] = [
            what
            for what, one, other in (
                ("the mode", before.mode, manifest.mode),
                ("the transcripts", before.questions, manifest.questions),
                ("the user or the environment", before.cast, manifest.cast),
                ("agent A", before.fingerprints.a, manifest.fingerprints.a),
                ("agent B", before.fingerprints.b, manifest.fingerprints.b),
            )
            if one != other
        ]
        if changed:
            raise ConfigError(
                f"{self.path} holds another run: {' and '.join(changed)} changed since; "
                "choose another --report-dir"
            )

    def write(self, name: str, text: str) -> None:
        """Write a whole file, or leave the old one. Raises CorpusError."""
        target = self.path / name
        beside = self.path / f".{name}.new"
        try:
            beside.write_text(text, encoding="utf-8", errors="backslashreplace")
            beside.replace(target)
        except OSError as error:
            raise CorpusError(f"cannot be written: {error.strerror or error}", path=target) from error

    def close(self) -> None:
        self._lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def read_manifest(folder: Path) -> Manifest:
    """What a folder's run is.

    Raises:
        CorpusError: there is none, or it is damaged.
    """
    path = folder / MANIFEST
    try:
        return Manifest.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        problem = "is missing, so this is no replay's folder; name a --report-dir of an earlier replay"
        raise CorpusError(problem, path=path) from None
    except OSError as error:
        raise CorpusError(f"cannot be read: {error.strerror or error}", path=path) from error
    except ValidationError as error:
        raise CorpusError("is damaged or of a newer version; replay again elsewhere", path=path) from error


def hash_of(turns: Iterable[Asked]) -> str:
    """The same for the same questions in any order."""
    ordered = sorted(
        hashlib.sha256(
            turn.model_dump_json(exclude_defaults=True).encode("utf-8", "backslashreplace")
        ).digest()
        for turn in turns
    )
    return hashlib.sha256(b"".join(ordered)).hexdigest()


def key_of(manifest: Manifest) -> str:
    """A short name for a run, the same whenever it is started again."""
    content = manifest.model_dump(mode="json", exclude={"data", "num_unasked"})
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:12]
