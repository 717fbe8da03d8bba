"""Conversations read a moment ago, so that the next turn reads only what is new.

A remembered conversation is an immutable view; it is extended by what was
recorded after it, never trusted beyond the row number and version it was read
at. Forgetting one costs a read, nothing else.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass

from dialog.conversation import Conversation


@dataclass(frozen=True)
class Known:
    """A conversation and the row it was read from: rows are never reused, so a new one is another life."""

    num: int
    conversation: Conversation


class Recent:
    """The newest conversations, up to `max_entries` entries together (the newest one always). Thread-safe."""

    def __init__(self, *, max_entries: int = 50_000) -> None:
        self._max_entries = max_entries
        self._known: OrderedDict[str, Known] = OrderedDict()
        self._num_entries = 0
        self._lock = threading.Lock()

    def get(self, id: str) -> Known | None:
        with self._lock:
            known = self._known.get(id)
            if known is not None:
                self._known.move_to_end(id)
            return known

    def put(self, id: str, known: Known) -> None:
        """Remember `known` unless something newer of the same row is remembered already."""
        with self._lock:
            before = self._known.get(id)
            if before is not None and _is_newer(before, known):
                return
            self._forget(id)
            self._known[id] = known
            self._num_entries += known.conversation.num_entries
            while self._num_entries > self._max_entries and len(self._known) > 1:
                self._forget(next(iter(self._known)))

    def drop(self, id: str) -> None:
        with self._lock:
            self._forget(id)

    def _forget(self, id: str) -> None:
        known = self._known.pop(id, None)
        if known is not None:
            self._num_entries -= known.conversation.num_entries


def _is_newer(one: Known, other: Known) -> bool:
    if one.num != other.num:
        return one.num > other.num
    mine, theirs = one.conversation.head, other.conversation.head
    return mine is not None and (theirs is None or mine.version > theirs.version)
