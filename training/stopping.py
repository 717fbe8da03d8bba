"""Ctrl-C, or being asked to end, while something is trained: it ends after the step at hand, resumably."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from training.watching import Watching


@contextmanager
def stopping(watching: Watching) -> Iterator[None]:
    """SIGINT and SIGTERM end the run after the step at hand, and a second one at once."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(number: int, frame: object) -> None:
        if watching.wants_to_stop():
            raise KeyboardInterrupt
        watching.stop()
        watching.remark("stopping after this step; once more to stop at once")

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
