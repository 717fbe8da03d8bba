"""One way through: the turn's event stream, and its synchronous and asynchronous views.

`TurnStream` is what `DialogAgent.stream` returns. `drain` makes a reply of it,
`in_thread` an asynchronous iterator; both see exactly the same events.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Generator, Iterator
from types import TracebackType
from typing import Self

from dialog.events import Event, Finished
from dialog.values import Reply


class TurnStream(Iterator[Event]):
    """The events of one turn, which begins with the first `next`.

    `cancel` may be called from any thread: the reply ends where it is, is
    recorded as interrupted, and `Finished` still comes. `close`, or leaving a
    `with` block early, records the same and gives no more events.
    """

    def __init__(self, events: Generator[Event, None, None], cancel: threading.Event) -> None:
        self._events = events
        self._cancel = cancel
        self.reply: Reply | None = None

    def __next__(self) -> Event:
        event = next(self._events)
        if isinstance(event, Finished):
            self.reply = event.reply
        return event

    def cancel(self) -> None:
        """Ask the model to stop at its next step."""
        self._cancel.set()

    def close(self) -> None:
        """Stop now; what was said so far is recorded."""
        self._cancel.set()
        self._events.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def drain(stream: TurnStream) -> Reply:
    """Run a turn to its end and return its reply."""
    with stream:
        for _ in stream:
            pass
    assert stream.reply is not None, "a turn ends with Finished or raises"
    return stream.reply


async def in_thread(stream: TurnStream) -> AsyncIterator[Event]:
    """The same events, produced in a thread; leaving early or being cancelled interrupts the turn."""
    loop = asyncio.get_running_loop()
    queue: asyncio.Queue[Event | BaseException | None] = asyncio.Queue()

    def produce() -> None:
        outcome: BaseException | None = None
        try:
            for event in stream:
                loop.call_soon_threadsafe(queue.put_nowait, event)
        except BaseException as error:
            outcome = error
        loop.call_soon_threadsafe(queue.put_nowait, outcome)

    worker = asyncio.create_task(asyncio.to_thread(produce))
    try:
        while (item := await queue.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            yield item
    finally:
        stream.cancel()
        await asyncio.shield(worker)
