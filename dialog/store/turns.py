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
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from filelock import FileLock, Timeout
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from dialog.errors import StoreError
from dialog.store.database import Database
from dialog.store.keys import key_of

POLL_S = 0.005
_LOCK_NOT_AVAILABLE = "55P03"


class Threads:
    """Turns among the threads of this process: what a store in memory needs."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._locks: dict[str, threading.Lock] = {}
        self._num_users: Counter[str] = Counter()

    @contextmanager
    def turn(self, key: str, *, timeout_s: float, busy: StoreError) -> Iterator[None]:
        """The sole right to `key` within the block; raises `busy` if that takes longer."""
        with self._guard:
            lock = self._locks.setdefault(key, threading.Lock())
            self._num_users[key] += 1
        try:
            if not lock.acquire(timeout=timeout_s):
                raise busy
            try:
                yield
            finally:
                lock.release()
        finally:
            with self._guard:
                self._num_users[key] -= 1
                if not self._num_users[key]:
                    del self._num_users[key], self._locks[key]


@contextmanager
def hold(database: Database, threads: Threads, conversation_id: str, *, timeout_s: float) -> Iterator[None]:
    """The sole right to a turn of `conversation_id` within the block; other conversations go on.

    Raises:
        StoreError: nobody let go for `timeout_s`.
    """
    key = key_of(conversation_id)
    busy = StoreError(
        f"conversation {conversation_id!r} is still being answered elsewhere after {timeout_s:g} s; try again"
    )
    if database.dialect == "postgresql":
        with _advisory(database, int(key[:15], 16), timeout_s=timeout_s, busy=busy):
            yield
    elif database.path is None:
        with threads.turn(key, timeout_s=timeout_s, busy=busy):
            yield
    else:
        with _locked_file(database, key, timeout_s=timeout_s, busy=busy):
            yield


@contextmanager
def _locked_file(database: Database, key: str, *, timeout_s: float, busy: StoreError) -> Iterator[None]:
    """A lock file of the conversation's own, there only while somebody holds it or waits for it.

    It is removed before it is let go: who waits for a file without a name gives it up and makes a new one
    (`filelock` looks), so two never hold one conversation. Where an open file cannot be removed, it stays.
    """
    assert database.path is not None
    folder = database.path.with_name(database.path.name + ".turns")
    file = folder / f"{key[:32]}.lock"
    lock = FileLock(file, thread_local=False)
    try:
        folder.mkdir(exist_ok=True)
        lock.acquire(timeout=timeout_s, poll_interval=POLL_S)
    except Timeout:
        raise busy from None
    except OSError as error:
        raise StoreError(f"{database.where}: turns cannot be locked in {str(folder)!r}: {error}") from error
    try:
        yield
    finally:
        with suppress(OSError):
            file.unlink()
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
