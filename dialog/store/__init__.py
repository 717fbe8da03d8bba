"""Durable conversations: SQLite in one file by default, PostgreSQL for many machines.

    with open_store("sqlite:///conversations.db") as store:
        store.append("c-42", [said], expected_head=store.head("c-42"))

SQLAlchemy is loaded by the first `open_store`, not by importing this package.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dialog.store.sql import SqlStore


def utc_now() -> datetime:
    """The default clock."""
    return datetime.now(UTC)


def open_store(url: str, *, now: Callable[[], datetime] = utc_now) -> SqlStore:
    """Open the store at `url`, creating or migrating it where needed.

    Any number of processes may open one store at once, also for the first time.

    Args:
        url: `sqlite:///FILE`, `sqlite://` (in memory) or `postgresql+psycopg://USER@HOST/NAME`.
        now: the clock for `updated` times, retention and leases.

    Raises:
        StoreError: the store cannot be opened, or a newer version of this package made it.
        MissingExtra: the database's driver is not installed.
    """
    from dialog.store.open import open_database
    from dialog.store.sql import SqlStore

    return SqlStore(open_database(url), now=now)
