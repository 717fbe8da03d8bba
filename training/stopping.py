"""Ctrl-C while something is trained: the run ends after the step at hand, and can go on."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from training.watching import Watching


@contextmanager
def stopping(watching: Watching) -> Iterator[None]:
    """Ctrl-C ends the run after the step at hand, and a second one at once."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(number: int, frame: object) -> None:
        if watching.wants_to_stop():
            raise KeyboardInterrupt
        watching.stop()
        watching.remark("stopping after this step; once more to stop at once")

    before = signal.signal(signal.SIGINT, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
