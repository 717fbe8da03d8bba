"""Commits flushed together: the disk is waited for after the next writer was let in.

SQLite's `synchronous=FULL` flushes its log inside the transaction, so writers
wait for the disk one after the other. `synchronous=NORMAL` writes the same log
in the same order and flushes it only when it is folded into the file. Here the
committed writer gives up its turn first and then flushes the log itself, before
it acknowledges anything: while one waits for the disk the next one commits, and
a flush covers everything that was written before it.

What was acknowledged survives a power cut, as with FULL. What another reader
may see a moment before it is flushed lies earlier in the log than whatever that
reader writes on top of it, so it cannot be lost alone.
(SQLite, "Write-Ahead Logging", sections 2.2 and 3; PRAGMA synchronous.)
"""

from __future__ import annotations

import os

_flush_data = getattr(os, "fdatasync", os.fsync)  # macOS and Windows have only fsync


def flush_log(log: str) -> None:
    """Flush the write-ahead log, a file of that name, to the disk; OSError if the disk fails.

    To be called between a commit and its acknowledgement. A log that is gone was
    folded into the database, and flushed with it, by whoever closed that last.
    """
    try:
        file = os.open(log, os.O_RDWR)
    except FileNotFoundError:
        return
    try:
        _flush_data(file)
    finally:
        os.close(file)
