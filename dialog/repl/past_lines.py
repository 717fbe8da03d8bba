"""The file of lines typed before: private, bounded, and never a reason to fail.

    PromptSession(history=PastLines(home.data_dir() / "history"))

Lines are prompt_toolkit's own file format. Control characters are dropped,
very long lines are not kept; a file that cannot be written is done without.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable
from pathlib import Path

from prompt_toolkit.history import FileHistory

MAX_FILE_BYTES = 2_000_000
MAX_LINE_CHARS = 64_000

_UNKEEPABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")


class PastLines(FileHistory):
    """A `FileHistory` that keeps to its bounds.

    Args:
        path: the file; its folder is made when the first line is kept.
        expand: gives the full text of a line as it was typed (see `dialog.repl.line`).
    """

    def __init__(self, path: Path, *, expand: Callable[[str], str] = lambda line: line) -> None:
        self._path = path
        self._expand = expand
        super().__init__(str(path))

    def load_history_strings(self) -> Iterable[str]:
        try:
            self._shorten()
            return list(super().load_history_strings())
        except OSError:
            return []

    def append_string(self, string: str) -> None:
        line = _UNKEEPABLE.sub("", self._expand(string).replace("\r\n", "\n").replace("\r", "\n"))
        if line.strip() and len(line) <= MAX_LINE_CHARS:
            super().append_string(line)

    def store_string(self, string: str) -> None:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            os.close(os.open(self._path, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600))
            super().store_string(string)
        except OSError:
            pass  # a read-only or full disk costs the history, not the conversation

    def _shorten(self) -> None:
        """Keep the newer half of a file that has grown too long, from the start of an entry."""
        if not self._path.is_file() or self._path.stat().st_size <= MAX_FILE_BYTES:
            return
        kept = self._path.read_bytes()[-MAX_FILE_BYTES // 2 :]
        at = kept.find(b"\n# ")
        partial = self._path.with_suffix(".new")
        partial.write_bytes(kept[at + 1 :] if at >= 0 else b"")
        partial.chmod(0o600)
        partial.replace(self._path)
