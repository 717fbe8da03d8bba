"""Writers of one SQLite file, one after the other, without polling.

SQLite lets a second writer sleep and ask again, for ever longer; with eight
writers most of the time is slept through. A lock file that the kernel queues
for wakes the next one at once, and is let go when its holder dies. Where there
is none (another system, a read-only folder), SQLite's own waiting remains.

    queue = WriterQueue(path)
    with queue.turn(): ...  # BEGIN IMMEDIATE ... COMMIT
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]


class WriterQueue:
    """Turns at writing; `path` None queues only the threads of this process."""

    def __init__(self, path: Path | None) -> None:
        self._path = path.with_name(path.name + ".writers") if path else None
        self._threads = threading.RLock()
        self._file: int | None = None
        self._process = os.getpid()

    @contextmanager
    def turn(self) -> Iterator[None]:
        """The sole right to write within the block, as far as all writers queue here."""
        with self._threads:
            file = self._opened()
            if file is None:
                yield
                return
            fcntl.flock(file, fcntl.LOCK_EX)
            try:
                yield
            finally:
                fcntl.flock(file, fcntl.LOCK_UN)

    def close(self) -> None:
        """Let go of the lock file; the next turn opens it again."""
        with self._threads:
            if self._file is not None:
                os.close(self._file)
                self._file = None

    def _opened(self) -> int | None:
        """The lock file of this process: one that was inherited by a fork would not keep the parent out."""
        if self._process != os.getpid():
            self._process, self._file = os.getpid(), None
        if self._file is None and self._path is not None and fcntl is not None:
            with suppress(OSError):
                self._file = os.open(self._path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o644)
        return self._file
