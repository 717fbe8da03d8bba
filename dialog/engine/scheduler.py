"""One thread that makes the replies of all conversations, as many at once as there are slots.

    scheduler = Scheduler(forward, turns=Turns())
    for step in scheduler.steps(request):       # from any number of threads
        print(step.id, step.finish_reason)

The thread starts with the first request and ends a while after the last. A
reply is made whether or not its reader keeps up, so that a slow reader holds
no slot; one who leaves frees it within a step.
"""

from __future__ import annotations

import atexit
from collections.abc import Generator
from threading import Condition, Thread
from typing import Any

from dialog.engine.batch import Batch
from dialog.engine.forward import Forward
from dialog.engine.generate import Step
from dialog.engine.request import Request
from dialog.engine.turns import Turns
from dialog.engine.waiting import Waiting
from dialog.errors import ModelBusy, ModelError

DEFAULT_SLOTS = 16
DEFAULT_QUEUE = 64
_LINGER_S = 2.0
"""So long the idle thread stays: to start one costs a fraction of a millisecond, and a pool of torch's."""


class Scheduler:
    """Requests in, steps out. Thread-safe.

    Args:
        slots: replies made at once, at least 1.
        queue: how many more may wait for a slot.
    """

    def __init__(
        self,
        forward: Forward[Any],
        *,
        turns: Turns,
        slots: int = DEFAULT_SLOTS,
        queue: int = DEFAULT_QUEUE,
    ) -> None:
        self._batch = Batch(forward, turns=turns)
        self._slots = slots
        self._queue = queue
        self._waiting: Waiting[Request] = Waiting()
        self._changed = Condition()
        self._thread: Thread | None = None
        self._is_closing = False

    def steps(self, request: Request) -> Generator[Step, None, None]:
        """The reply's steps; it is asked for with the first `next`.

        Raises:
            ModelBusy: too many wait already.
        """
        self._submit(request)
        return request.steps()

    @property
    def num_running(self) -> int:
        return self._batch.num_running

    @property
    def num_waiting(self) -> int:
        with self._changed:
            return len(self._waiting)

    def close(self) -> None:
        """Interrupt everything and wait for the thread; the next request starts another."""
        with self._changed:
            thread = self._thread
            self._is_closing = True
            self._changed.notify()
        if thread is not None:
            thread.join()

    def _submit(self, request: Request) -> None:
        with self._changed:
            self._drop_unwanted()
            if self._batch.num_running + len(self._waiting) >= self._slots + self._queue:
                raise ModelBusy(waiting=len(self._waiting), limit=self._queue)
            self._waiting.put(request.key, request)
            if self._thread is None:
                self._is_closing = False
                self._thread = Thread(target=self._run, name="instructrec-scheduler", daemon=True)
                atexit.register(self.close)  # a thread inside torch while Python ends would crash it
                self._thread.start()
            self._changed.notify()

    def _run(self) -> None:
        while self._has_work():
            try:
                self._batch.step()
            except Exception as error:  # not of one reply: our own mistake
                failure = ModelError(f"the engine's scheduler failed: {type(error).__name__}: {error}")
                failure.__cause__ = error
                self._batch.fail(failure)

    def _has_work(self) -> bool:
        """Fill the free slots; wait if there is nothing to do, and in the end give up waiting."""
        with self._changed:
            while True:
                self._drop_unwanted()
                self._batch.drop_unwanted()  # before others come in: one may want the prefix of such a reply
                if self._is_closing:
                    self._interrupt_all()
                while self._waiting and self._batch.num_running < self._slots:
                    self._batch.add(self._waiting.take())
                if self._batch.num_running:
                    return True
                if self._is_closing or not (self._changed.wait(_LINGER_S) or self._waiting):
                    self._thread = None
                    atexit.unregister(self.close)
                    return False

    def _drop_unwanted(self) -> None:
        for request in self._waiting.remove(Request.is_unwanted):
            request.deliver(Step(None, "interrupted"))

    def _interrupt_all(self) -> None:
        for request in self._waiting.remove(lambda _: True):
            request.deliver(Step(None, "interrupted"))
        self._batch.interrupt()
