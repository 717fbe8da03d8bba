"""A database with transactions that say what they are for, and errors in our words.

    with database.writing() as connection: connection.execute(...)

Writing transactions take SQLite's write lock at once (`BEGIN IMMEDIATE`), so
none fails half-way because another process was quicker; writers queue up for
it without polling (`dialog.store.queue`) and wait for the disk together
(`dialog.store.flush`). Every failure of the database leaves here as a StoreError
that says what to do.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import Connection, Engine, PoolProxiedConnection
from sqlalchemy.exc import DBAPIError, IntegrityError, SQLAlchemyError

from dialog.errors import StoreError
from dialog.store.flush import flush_log
from dialog.store.queue import WriterQueue
from dialog.store.quick import Cursor

Dialect = Literal["sqlite", "postgresql"]


class Database:
    """An engine, where it leads, and what was noticed on opening it.

    Attributes:
        path: the SQLite file; None in memory and for PostgreSQL.
        notices: what the user should be told (a damaged file was set aside).
    """

    def __init__(
        self,
        engine: Engine,
        *,
        dialect: Dialect,
        where: str,
        path: Path | None,
        notices: tuple[str, ...] = (),
    ) -> None:
        self.engine = engine
        self.dialect: Dialect = dialect
        self.where = where
        self.path = path
        self.notices = notices
        self._queue = WriterQueue(path)
        self._log = f"{path}-wal" if path else None
        self._held: PoolProxiedConnection | None = None
        self._held_by = 0
        self._is_shared_connection = dialect == "sqlite" and path is None

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that sees one moment of the database."""
        with self._alone_in_memory(), self._translated(), self.engine.connect() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that is durable when the block ends, and never was if it raises.

        Only a disk that fails to flush leaves it open; the error says so.
        """
        with self._write_turn(), self._translated(), self.engine.connect() as connection:
            writing = connection.execution_options(is_writing=True)
            with writing.begin():
                yield writing

    @contextmanager
    def quick_writing(self) -> Iterator[Cursor]:
        """A `writing` transaction for quick statements. IntegrityError is the driver's own."""
        with self._write_turn(), self._translated(), self._writer() as connection:
            cursor = connection.cursor()
            try:
                if self.dialect == "sqlite":
                    cursor.execute("BEGIN IMMEDIATE")
                yield Cursor(cursor, self.dialect)
                connection.commit()
            except BaseException:
                connection.rollback()
                raise

    @contextmanager
    def quick_reading(self) -> Iterator[Cursor]:
        """A cursor for quick statements that read; each of them sees its own moment."""
        with self._alone_in_memory(), self._translated(), closing(self.engine.raw_connection()) as pooled:
            yield Cursor(pooled.cursor(), self.dialect)

    @property
    def driver(self) -> Any:
        """The DB-API module, for its exceptions."""
        return self.engine.dialect.loaded_dbapi

    @contextmanager
    def session(self) -> Iterator[Connection]:
        """A connection of its own in which every statement stands alone (PostgreSQL's advisory locks)."""
        with self._translated(), self.engine.connect() as connection:
            yield connection.execution_options(isolation_level="AUTOCOMMIT")

    def close(self) -> None:
        """Close all connections; the database may be opened again."""
        if self._held is not None and self._held_by == os.getpid():
            self._held.close()
        self._held = None
        self.engine.dispose()
        self._queue.close()

    def _writer(self) -> AbstractContextManager[PoolProxiedConnection]:
        """A connection to write with; a file has one writer at a time, so its connection is kept."""
        if self.path is None:
            return closing(self.engine.raw_connection())
        if self._held is None or self._held_by != os.getpid():
            self._held, self._held_by = self.engine.raw_connection(), os.getpid()
        return nullcontext(self._held)

    @contextmanager
    def _write_turn(self) -> Iterator[None]:
        """The right to write; what was committed is on the disk when the block is left."""
        if self.dialect != "sqlite":
            yield
            return
        with self._queue.turn():
            yield
        if self._log is not None:
            self._flush(self._log)

    def _flush(self, log: str) -> None:
        try:
            flush_log(log)
        except OSError as error:
            raise StoreError(
                f"{self.where}: the disk failed ({error}); this was recorded, "
                "but a power cut may lose it: check the disk and load the conversation again"
            ) from error

    def _alone_in_memory(self) -> AbstractContextManager[object]:
        return self._queue.turn() if self._is_shared_connection else nullcontext()

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except IntegrityError:
            raise
        except DBAPIError as error:
            raise self._explained(error.orig or error) from error
        except SQLAlchemyError as error:
            raise StoreError(f"{self.where}: {error}") from error
        except Exception as error:
            if isinstance(error, self.driver.Error) and not isinstance(error, self.driver.IntegrityError):
                raise self._explained(error) from error
            raise

    def _explained(self, error: BaseException) -> StoreError:
        name = getattr(error, "sqlite_errorname", "") or ""
        problem = str(error).strip().splitlines()[0] if str(error).strip() else "no reason given"
        if name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")):
            if self.path is not None:
                mark_suspect(self.path)
            return StoreError(
                f"{self.where} is damaged ({problem}); on the next start it is set aside "
                "and every conversation that can be read is kept"
            )
        return StoreError(f"{self.where}: {explain(name, problem)}")


def explain(sqlite_errorname: str, problem: str) -> str:
    """What a failure means to the person who meets it, and what they can do."""
    if sqlite_errorname == "SQLITE_FULL" or ("disk" in problem and "full" in problem):
        return f"no space is left ({problem}); this was not recorded: free space and repeat it"
    if sqlite_errorname.startswith("SQLITE_IOERR"):
        return f"the disk failed or is full ({problem}); this was not recorded: check the disk and repeat it"
    if sqlite_errorname.startswith("SQLITE_READONLY"):
        return f"it is read-only ({problem}); this was not recorded: make the file and its folder writable"
    if sqlite_errorname.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return f"another process is holding it ({problem}); this was not recorded: repeat it"
    if sqlite_errorname.startswith("SQLITE_CANTOPEN"):
        return f"it cannot be opened ({problem}); check the path and its permissions"
    return f"{problem}; check store.url and that the database is running"


def suspect_marker(path: Path) -> Path:
    """The empty file that asks the next opening to check the whole database."""
    return path.with_name(path.name + ".suspect")


def mark_suspect(path: Path) -> None:
    try:
        suspect_marker(path).touch()
    except OSError:
        return  # a read-only folder: the next reader meets the same error and says the same


def is_damage(error: sqlite3.Error) -> bool:
    """True if SQLite says that the file itself is broken."""
    name = getattr(error, "sqlite_errorname", "") or ""
    return name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB"))
