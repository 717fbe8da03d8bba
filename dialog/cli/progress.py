"""A progress line on stderr, for people: how much is done, the time left; redrawn in place, gone at the end.

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
LEAST_S = 2.0


@contextmanager
def progress(label: str, *, shown: bool) -> Iterator[Callable[[int, int], None]]:
    """A function that is told (done, total) as work goes on; without `shown` it draws nothing.

    A `total` of 0 means that nobody knows how much there is.
    """
    if not shown:
        yield lambda done, total: None
        return
    drawn_at = 0.0
    begun = time.monotonic()

    def advance(done: int, total: int) -> None:
        nonlocal drawn_at
        now = time.monotonic()
        if now - drawn_at < REDRAW_S and done != total:
            return
        drawn_at = now
        sys.stderr.write(f"\r\x1b[K{_line(label, done, total)}{_left(now - begun, done, total)}")
        sys.stderr.flush()

    try:
        yield advance
    finally:
        sys.stderr.write("\r\x1b[K")
        sys.stderr.flush()


def _left(spent_s: float, done: int, total: int) -> str:
    """The time left, if the rest goes on as what is done; nothing before there is something to tell from."""
    if spent_s < LEAST_S or not 0 < done < total:
        return ""
    left_s = round(spent_s / done * (total - done))
    minutes, seconds = divmod(left_s, 60)
    hours, minutes = divmod(minutes, 60)
    return f", {hours}:{minutes:02}:{seconds:02} left" if hours else f", {minutes}:{seconds:02} left"


def _line(label: str, done: int, total: int) -> str:
    if total <= 0:
        return f"{label} {done}"
    filled = min(WIDTH, WIDTH * done // total)
    return f"{label} [{'=' * filled}{' ' * (WIDTH - filled)}] {done}/{total}"
