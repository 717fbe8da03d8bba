"""Beginning anew after a failure that may pass, a few times, and only while nothing came of it.

yield from persistent(begin, retries=2, pause=pause)
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from typing import TypeVar

from dialog.engine.remote.failures import Failure

T = TypeVar("T")
_FIRST_PAUSE_S = 0.5
_LONGEST_PAUSE_S = 30.0


def persistent(
    begin: Callable[[], Generator[T, None, None]], *, retries: int, pause: Callable[[float], bool]
) -> Iterator[T]:
    """What `begin` yields; it is called again after a failure, but never once something was yielded.

    Args:
        pause: waits so many seconds; False means that nobody wants the answer any more.

    Raises:
        Failure: it cannot pass, came after something had been yielded, or came too often; or the
            server wants to be left alone for longer than half a minute.
    """
    for attempt in range(retries + 1):
        has_begun = False
        try:
            with closing(begin()) as items:
                for item in items:
                    has_begun = True
                    yield item
            return
        except Failure as failure:
            wait_s = max(failure.retry_after_s or 0.0, _FIRST_PAUSE_S * 2**attempt)
            is_last = attempt == retries or wait_s > _LONGEST_PAUSE_S
            if has_begun or is_last or not failure.may_pass:
                raise
        if not pause(wait_s):
            return
