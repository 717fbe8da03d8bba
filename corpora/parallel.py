"""The same work on many things, in one process or several, results in the order of the things.

Memory holds a few batches a worker. `make` is sent to each process once and
gives the function that does the work, so what is dear to open is opened once.

    for judged in in_order(transcripts, partial(Judge, rules), workers=2): ...
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from itertools import islice
from multiprocessing import get_context
from typing import Any, TypeVar

Thing = TypeVar("Thing")
Result = TypeVar("Result")
_IN_FLIGHT = 4
_BATCH = 32
_work: Callable[[Any], Any] | None = None
"""A worker process's own function."""


def in_order(
    things: Iterable[Thing], make: Callable[[], Callable[[Thing], Result]], *, workers: int
) -> Iterator[Result]:
    """The results, at most a few batches ahead of what is taken.

    Args:
        things: picklable where there is more than one worker.
        make: as the things; called once a process.
        workers: 1 works here, without another process.
    """
    if workers <= 1:
        work = make()
        for thing in things:
            yield work(thing)
        return
    source = iter(things)
    with ProcessPoolExecutor(
        workers, mp_context=get_context("spawn"), initializer=_begin, initargs=(make,)
    ) as pool:
        waiting: deque[Future[list[Result]]] = deque()
        for batch in iter(lambda: list(islice(source, _BATCH)), []):
            waiting.append(pool.submit(_work_on, batch))
            if len(waiting) >= _IN_FLIGHT * workers:
                yield from waiting.popleft().result()
        while waiting:
            yield from waiting.popleft().result()


def _begin(make: Callable[[], Callable[[Any], Any]]) -> None:
    global _work
    _work = make()


def _work_on(batch: list[Any]) -> list[Any]:
    assert _work is not None, "the pool's initializer ran"
    return [_work(thing) for thing in batch]
