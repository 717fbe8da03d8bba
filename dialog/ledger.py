"""Conversations in use: loaded once, kept current, changed in order.

Between the agent and the store. A change is computed on the newest version and
written by compare-and-set; if somebody else was first, it is computed again.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from weakref import WeakValueDictionary

from dialog.conversation import Conversation
from dialog.entries import Entry
from dialog.errors import StaleHead
from dialog.protocols import Store

_ATTEMPTS = 100
_KEPT = 64
"""Conversations kept in memory; a conversation of 1,000 turns takes a few MB."""


class _Lock:
    """A lock a weak dictionary can hold."""

    def __init__(self) -> None:
        self.inner = threading.RLock()


class Ledger:
    """The conversations of one store. Thread-safe."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._guard = threading.Lock()
        self._locks: WeakValueDictionary[str, _Lock] = WeakValueDictionary()
        self._known: OrderedDict[str, Conversation] = OrderedDict()

    @contextmanager
    def turn(self, conversation_id: str) -> Iterator[None]:
        """Held during a turn: turns of one conversation wait for each other, others do not."""
        with self._guard:
            lock = self._locks.get(conversation_id)
            if lock is None:
                lock = self._locks[conversation_id] = _Lock()
        with lock.inner:
            yield

    def open(self, conversation_id: str) -> Conversation:
        """The conversation as the store has it now; empty for an unknown id."""
        with self._guard:
            known = self._known.get(conversation_id)
        if known is not None and known.head == self._store.head(conversation_id):
            return known
        return self._keep(self._store.load(conversation_id))

    def append(self, conversation_id: str, make: Callable[[Conversation], Sequence[Entry]]) -> Conversation:
        """Write the entries that `make` gives for the newest version; the head moves to the last.

        Raises:
            StaleHead: other writers were first too many times.
        """
        for _ in range(_ATTEMPTS):
            conversation = self.open(conversation_id)
            entries = make(conversation)
            if not entries:
                return conversation
            try:
                head = self._store.append(conversation_id, entries, expected_head=conversation.head)
            except StaleHead:
                continue
            return self._keep(conversation.extended(entries, head))
        raise StaleHead(
            f"conversation {conversation_id!r} was changed by others {_ATTEMPTS} times in a row; try again"
        )

    def move(self, conversation_id: str, change: Callable[[Conversation], Conversation]) -> Conversation:
        """Move the head to where `change` puts it (undo, redo, switch).

        Raises:
            ValueError: `change` refused.
            StaleHead: other writers were first too many times.
        """
        for _ in range(_ATTEMPTS):
            conversation = self.open(conversation_id)
            moved = change(conversation).head
            if moved is None:
                return conversation
            try:
                head = self._store.append(
                    conversation_id, (), expected_head=conversation.head, head=moved.head, tip=moved.tip
                )
            except StaleHead:
                continue
            return self._keep(conversation.at(head))
        raise StaleHead(
            f"conversation {conversation_id!r} was changed by others {_ATTEMPTS} times in a row; try again"
        )

    def _keep(self, conversation: Conversation) -> Conversation:
        with self._guard:
            self._known[conversation.id] = conversation
            self._known.move_to_end(conversation.id)
            while len(self._known) > _KEPT:
                self._known.popitem(last=False)
        return conversation
