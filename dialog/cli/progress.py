"""A progress line on stderr, for people: redrawn in place, gone when the work is done.

with progress("indexing", shown=run.shows_progress) as advance:
    advance(3, 12)
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

WIDTH = 30
REDRAW_S = 0.1


@contextmanager
def progress(label: str, *, shown: bool) -> Iterator[Callable[[int, int], None]]:
    """A function that is told (done, total) as work goes on; without `shown` it draws nothing.

    A `total` of 0 means that nobody knows how much there is.
    """
    if not shown:
        yield lambda done, total: None
        return
    drawn_at = 0.0

    def advance(done: int, total: int) -> None:
        nonlocal drawn_at
        now = time.monotonic()
        if now - drawn_at < REDRAW_S and done != total:
            return
        drawn_at = now
        sys.stderr.write(f"\r\x1b[K{_line(label, done, total)}")
        sys.stderr.flush()

    try:
        yield advance
    finally:
        sys.stderr.write("\r\x1b[K")
        sys.stderr.flush()


def _line(label: str, done: int, total: int) -> str:
    if total <= 0:
        return f"{label} {done}"
    filled = min(WIDTH, WIDTH * done // total)
    return f"{label} [{'=' * filled}{' ' * (WIDTH - filled)}] {done}/{total}"
