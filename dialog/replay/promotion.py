"""The live configuration: switched to one that passed, and back, each with a single rename.

    switched = promote(Path("instructrec.toml"), Path("new.toml"))
    rollback(Path("instructrec.toml"))

What can change a reply (model, adapter, decoder, knowledge, prompt, sampling,
skills, ...) comes from the new file; `[store]`, `[repl]`, `[training]` and
`[agent]` stay those of the live one. What was live is kept beside it, in
`FILE.before/`, the newest first to come back. A process that is killed leaves
the old file or the new one, never a part of either.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tomli_w
from filelock import FileLock, Timeout

from dialog.config import load_config
from dialog.errors import ConfigError, DialogError

DEPLOYMENT = ("store", "repl", "training", "agent")
"""Sections that `Settings.fingerprint` leaves out: they belong to the place, not to what is promoted."""


@dataclass(frozen=True)
class Switched:
    """Fingerprints of the configuration before and after, and where the one before is kept."""

    before: str
    after: str
    kept: Path | None


def promote(live: Path, new: Path) -> Switched:
    """Make `live` answer as `new` does.

    Raises:
        ConfigError: a file cannot be read or written, or another process promotes.
    """
    with _alone(live):
        merged = _content(new)
        merged = {name: section for name, section in merged.items() if name not in DEPLOYMENT}
        merged |= {name: section for name, section in _content(live).items() if name in DEPLOYMENT}
        beside = live.with_name(f".{live.name}.new")
        _write(beside, tomli_w.dumps(merged).encode())
        before, after = _fingerprint(live), _fingerprint(beside)
        if after != _fingerprint(new):
            raise ConfigError(f"{new}: what it says is not all in {beside}; promote a plain configuration")
        kept = _keep(live)
        _replace(beside, live)
        return Switched(before, after, kept)


def rollback(live: Path) -> Switched:
    """Bring back what was live before the last promotion.

    Raises:
        DialogError: nothing was promoted here.
        ConfigError: the file cannot be written, or another process promotes.
    """
    with _alone(live):
        kept = _kept(live)
        if kept and kept[-1].read_bytes() == live.read_bytes():
            # a promotion was killed after it kept the old file and before it switched
            kept.pop().unlink()
        if not kept:
            raise DialogError(
                f"there is nothing to go back to: {live} was not promoted, or rolled back before"
            )
        before = _fingerprint(live)
        _replace(kept[-1], live)
        return Switched(before, _fingerprint(live), None)


def _keep(live: Path) -> Path:
    folder = _folder(live)
    kept = _kept(live)
    number = int(kept[-1].stem) + 1 if kept else 1
    target = folder / f"{number:06}.toml"
    try:
        folder.mkdir(exist_ok=True)
        beside = folder / f".{target.name}.new"
        _write(beside, live.read_bytes())
    except OSError as error:
        raise ConfigError(f"{folder} cannot be written: {error.strerror or error}") from error
    _replace(beside, target)
    return target


def _kept(live: Path) -> list[Path]:
    """What was live before, oldest first."""
    return sorted(path for path in _folder(live).glob("*.toml") if path.stem.isdecimal())


def _folder(live: Path) -> Path:
    return live.with_name(f"{live.name}.before")


def _content(path: Path) -> dict[str, Any]:
    """The sections of a configuration that is valid. Raises ConfigError."""
    load_config(path, environment={})
    return tomllib.loads(path.read_text(encoding="utf-8-sig"))


def _fingerprint(path: Path) -> str:
    return load_config(path, environment={}).values.fingerprint


def _write(path: Path, content: bytes) -> None:
    try:
        with path.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error.strerror or error}") from error


def _replace(source: Path, target: Path) -> None:
    """Rename, durably."""
    try:
        source.replace(target)
        folder = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        raise ConfigError(f"{target} cannot be written: {error.strerror or error}") from error


@contextmanager
def _alone(live: Path) -> Iterator[None]:
    try:
        with FileLock(live.with_name(f".{live.name}.lock"), timeout=0):
            yield
    except Timeout:
        raise ConfigError(f"another process changes {live} just now; wait for it") from None
