"""One turn of a conversation at a time, across threads, processes and machines.

The head's compare-and-set keeps the record right; this keeps it readable: a
user's message and its reply stand together because nobody else answers in
between. SQLite holds lock files beside the database, PostgreSQL advisory
locks; both are let go when their holder dies, however it dies.

    with hold(database, "c-42", timeout_s=60):
        ...  # load, append what the user said, generate, append the reply
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from filelock import FileLock, Timeout
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from dialog.errors import StoreError
from dialog.store.database import Database
from dialog.store.keys import key_of

NUM_LOCK_FILES = 1024
POLL_S = 0.005
_LOCK_NOT_AVAILABLE = "55P03"


class Slots:
    """In-process locks for a store in memory, one a slot."""

    def __init__(self) -> None:
        self._locks = [threading.Lock() for _ in range(NUM_LOCK_FILES)]

    def __getitem__(self, slot: int) -> threading.Lock:
        return self._locks[slot]


@contextmanager
def hold(database: Database, slots: Slots, conversation_id: str, *, timeout_s: float) -> Iterator[None]:
    """The sole right to a turn of `conversation_id` within the block.

    Two conversations share a slot once in `NUM_LOCK_FILES` times and then take
    turns; no block may hold two conversations.

    Raises:
        StoreError: nobody let go for `timeout_s`.
    """
    key = key_of(conversation_id)
    slot = int(key[:8], 16) % NUM_LOCK_FILES
    busy = StoreError(
        f"conversation {conversation_id!r} is still being answered elsewhere after {timeout_s:g} s; try again"
    )
    if database.dialect == "postgresql":
        with _advisory(database, int(key[:15], 16), timeout_s=timeout_s, busy=busy):
            yield
    elif database.path is None:
        if not slots[slot].acquire(timeout=timeout_s):
            raise busy
        try:
            yield
        finally:
            slots[slot].release()
    else:
        folder = database.path.with_name(database.path.name + ".turns")
        lock = FileLock(folder / f"{slot:04d}.lock", thread_local=False)
        try:
            folder.mkdir(exist_ok=True)
            lock.acquire(timeout=timeout_s, poll_interval=POLL_S)
        except Timeout:
            raise busy from None
        except OSError as error:
            raise StoreError(
                f"{database.where}: turns cannot be locked in {str(folder)!r}: {error}"
            ) from error
        try:
            yield
        finally:
            lock.release()


@contextmanager
def _advisory(database: Database, key: int, *, timeout_s: float, busy: StoreError) -> Iterator[None]:
    """A session's advisory lock: the server queues those who wait, and frees it when the session ends."""
    with database.session() as connection:
        connection.execute(text(f"SET lock_timeout = {max(1, int(timeout_s * 1000))}"))
        try:
            connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": key})
        except OperationalError as error:
            if getattr(error.orig, "sqlstate", "") == _LOCK_NOT_AVAILABLE:
                raise busy from None
            raise
        finally:
            connection.execute(text("SET lock_timeout = 0"))
        try:
            yield
        finally:
            connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": key})
