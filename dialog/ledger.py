"""Changes to conversations, in order: the way between the agent and its store.

A change is computed on the newest version and written by compare-and-set; if
somebody else was first, it is computed again. Turns of one conversation wait
for each other, in this process by a lock and across processes by the store's.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from weakref import WeakValueDictionary

from dialog.conversation import Conversation
from dialog.deeds import NewAction
from dialog.entries import ActionDecided, ActionEntry, Entry
from dialog.errors import StaleHead, StoreError
from dialog.heads import Head
from dialog.protocols import Outbox, Store
from dialog.state import fold
from dialog.underway import after

_ATTEMPTS = 100


class _Lock:
    """A lock that a weak dictionary can hold."""

    def __init__(self) -> None:
        self.inner = threading.RLock()


class Ledger:
    """The conversations of one store. Thread-safe."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._guard = threading.Lock()
        self._locks: WeakValueDictionary[str, _Lock] = WeakValueDictionary()

    @contextmanager
    def turn(self, conversation_id: str) -> Iterator[None]:
        """Held from the user's words to the recorded reply.

        Raises:
            StoreError: another process holds the conversation for too long.
        """
        with self._guard:
            lock = self._locks.get(conversation_id)
            if lock is None:
                lock = self._locks[conversation_id] = _Lock()
        with lock.inner, self._store.hold(conversation_id):
            yield

    def open(self, conversation_id: str) -> Conversation:
        """The conversation as the store has it now; empty for an unknown id."""
        return self._store.load(conversation_id)

    @property
    def outbox(self) -> Outbox:
        """The store, as it has things done exactly once. Raises StoreError if it cannot."""
        if not isinstance(self._store, Outbox):
            raise StoreError(
                f"{type(self._store).__name__} keeps no outbox, so it cannot have actions done exactly once; "
                "use dialog.store.open_store, or add the methods of dialog.protocols.Outbox"
            )
        return self._store

    def append(self, conversation_id: str, make: Callable[[Conversation], Sequence[Entry]]) -> Conversation:
        """Write the entries that `make` gives for the newest version; the head moves to the last.

        The actions they approve go to the store's outbox in the same transaction.

        Raises:
            StaleHead: other writers were first too many times.
            StoreError: an action is approved, and the store has no outbox.
        """

        def write(conversation: Conversation) -> Conversation:
            entries = make(conversation)
            if not entries:
                return conversation
            expected = conversation.head
            if actions := approved_in(conversation, entries):
                head = self.outbox.append(conversation_id, entries, expected_head=expected, actions=actions)
            else:
                head = self._store.append(conversation_id, entries, expected_head=expected)
            return conversation.extended(entries, head)

        return self._retried(conversation_id, write)

    def move(self, conversation_id: str, change: Callable[[Conversation], Conversation]) -> Conversation:
        """Move the head to where `change` puts it (undo, redo, switch).

        Raises:
            ValueError: `change` refused.
            StaleHead: other writers were first too many times.
        """

        def write(conversation: Conversation) -> Conversation:
            to = change(conversation).head
            assert isinstance(to, Head), "a moved conversation has a head"
            head = self._store.append(
                conversation_id, (), expected_head=conversation.head, head=to.head, tip=to.tip
            )
            return conversation.at(head)

        return self._retried(conversation_id, write)

    def _retried(self, conversation_id: str, write: Callable[[Conversation], Conversation]) -> Conversation:
        for _ in range(_ATTEMPTS):
            try:
                return write(self.open(conversation_id))
            except StaleHead:
                continue
        raise StaleHead(
            f"conversation {conversation_id!r} was changed by others {_ATTEMPTS} times in a row; try again"
        )


def approved_in(conversation: Conversation, entries: Sequence[Entry]) -> list[NewAction]:
    """What has to be done because of new entries: the actions they approve and do not end."""
    if not any(isinstance(entry, ActionDecided) for entry in entries):
        return []
    underway = fold(conversation).actions
    for entry in entries:
        if isinstance(entry, ActionEntry):
            underway = after(underway, entry)
    approved = {entry.action_id for entry in entries if isinstance(entry, ActionDecided)}
    return [
        NewAction(
            id=action.proposal.action_id,
            name=action.proposal.name,
            payload={"arguments": action.proposal.arguments, "by": action.approval.by},
        )
        for action in underway.values()
        if action.proposal.action_id in approved and action.approval is not None
    ]
