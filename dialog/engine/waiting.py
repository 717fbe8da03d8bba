"""Those who wait for a slot: in order of asking, but each key has its turn.

    waiting = Waiting()
    waiting.put("c-42", request)
    request = waiting.take()

Who asks ten times holds up another who asks once by one request, not by ten.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Waiting(Generic[T]):
    """A queue of queues. Used under somebody's lock."""

    def __init__(self) -> None:
        self._by_key: OrderedDict[str | None, deque[T]] = OrderedDict()

    def __len__(self) -> int:
        return sum(len(queue) for queue in self._by_key.values())

    def put(self, key: str | None, item: T) -> None:
        """Behind the others of its key; a new key behind the other keys."""
        self._by_key.setdefault(key, deque()).append(item)

    def take(self) -> T:
        """The first of the key whose turn it is; raises KeyError if nobody waits."""
        key, queue = self._by_key.popitem(last=False)
        item = queue.popleft()
        if queue:
            self._by_key[key] = queue
        return item

    def remove(self, is_meant: Callable[[T], bool]) -> list[T]:
        """Those for which it holds, in order, taken out."""
        removed: list[T] = []
        for key, queue in list(self._by_key.items()):
            kept: deque[T] = deque()
            for item in queue:
                (removed if is_meant(item) else kept).append(item)
            self._by_key[key] = kept
            if not kept:
                del self._by_key[key]
        return removed
