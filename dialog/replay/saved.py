"""`turns.jsonl`: every answered turn, one line each, durable before the next is asked.

    with TurnFile(folder / "turns.jsonl") as file:
        file.append(turn)
    for turn in read_turns(folder / "turns.jsonl").turns: ...

Append only. A line cut short by a crash is the last one: it is dropped, said,
and cut off before anything is added. Of two lines for one turn the later
counts (a turn that was asked again).
"""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal, Self

from pydantic import ValidationError

from dialog.errors import CorpusError
from dialog.metrics.judged import JudgedTurn

Label = Literal["a", "b"]
Key = tuple[Label, int, str, int]
"""Agent, seed, conversation, turn."""


class SavedTurn(JudgedTurn):
    """An answered turn: whose answer, under which seed, and all that metrics need."""

    agent: Label

    @classmethod
    def of(cls, turn: JudgedTurn, *, agent: Label, seed: int) -> Self:
        """A turn with whose answer it is."""
        return cls(**{**dict(turn), "agent": agent, "seed": seed})

    @property
    def key(self) -> Key:
        return (self.agent, self.seed, self.conversation_id, self.turn)


@dataclass(frozen=True)
class Saved:
    """What a file holds; `whole_bytes` is its length without a last line that was cut short."""

    turns: Mapping[Key, SavedTurn]
    whole_bytes: int = 0
    was_torn: bool = False


def read_turns(path: Path) -> Saved:
    """The turns of a file by key; none if there is no file.

    Raises:
        CorpusError: the file cannot be read, or a line before the last is damaged.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return Saved({})
    except OSError as error:
        raise CorpusError(f"cannot be read: {error.strerror or error}", path=path) from error
    turns: dict[Key, SavedTurn] = {}
    at = 0
    for number, line in enumerate(_lines(content), start=1):
        try:
            if not line.endswith(b"\n"):
                return Saved(turns, at, was_torn=True)
            turn = SavedTurn.model_validate_json(line)
        except ValidationError as error:
            if at + len(line) == len(content):
                return Saved(turns, at, was_torn=True)
            first = error.errors(include_url=False, include_input=False)[0]
            problem = f"no answered turn ({first['msg']}); remove the line, and its turn is asked again"
            raise CorpusError(problem, path=path, line=number) from error
        turns[turn.key] = turn
        at += len(line)
    return Saved(turns, at)


class TurnFile:
    """The file, open for more. Threads may append at once.

    Args:
        path: created if it is not there.
        whole_bytes: what `read_turns` found whole; anything behind is cut off.

    Raises:
        CorpusError: it cannot be written.
    """

    def __init__(self, path: Path, *, whole_bytes: int) -> None:
        self._lock = threading.Lock()
        self._path = path
        try:
            self._file: IO[bytes] = path.open("ab")
            self._file.truncate(whole_bytes)
        except OSError as error:
            raise CorpusError(f"cannot be written: {error.strerror or error}", path=path) from error

    def append(self, *turns: SavedTurn) -> None:
        """Durable when it returns. Raises CorpusError."""
        lines = [turn.model_dump_json(exclude_defaults=True) + "\n" for turn in turns]
        with self._lock:
            try:
                self._file.write("".join(lines).encode("utf-8", "backslashreplace"))
                self._file.flush()
                os.fsync(self._file.fileno())
            except OSError as error:
                problem = f"cannot be written: {error.strerror or error}; make room and run the same again"
                raise CorpusError(problem, path=self._path) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()


def _lines(content: bytes) -> list[bytes]:
    """The lines with their ends; only a line feed ends one."""
    parts = content.split(b"\n")
    return [part + b"\n" for part in parts[:-1]] + ([parts[-1]] if parts[-1] else [])
