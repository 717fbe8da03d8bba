"""Opening a database: first-open races, read-only files, damage, newer schemas.

SQLite runs with a write-ahead log. Each commit is flushed to the disk before it
is acknowledged, so that it survives a killed process *and* a power cut, at the
price of one flush a commit (`dialog.store.flush`). Opening happens
under a lock file beside the database, because switching a fresh file to the
write-ahead log is the one thing SQLite does not queue.

    database = open_database("sqlite:///conversations.db")
"""

from __future__ import annotations

import logging
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import quote

from filelock import FileLock, Timeout
from sqlalchemy import Connection, Engine, QueuePool, StaticPool, create_engine, event, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from dialog.errors import MissingExtra, StoreError
from dialog.store.database import Database, explain, suspect_marker
from dialog.store.migrations import check, migrate
from dialog.store.repair import looks_damaged, set_aside

BUSY_TIMEOUT_S = 60.0
POLL_S = 0.005
LOG_PAGES = 2000
"""Pages of the log before it is folded into the file and begun again (8 MB, laid out beforehand)."""
LOG_BYTES = 32 + LOG_PAGES * (24 + 4096)
"""The log's header, and its pages with theirs."""
SCHEMA_LOCK = 0x1257_2EC0
POOL = (8, 64)
_IN_MEMORY = "file::memory:"
_READ_WRITE = "mode=rwc"

_log = logging.getLogger("instructrec.store")


def open_database(url: str) -> Database:
    """The database at `url` with its schema up to date. Raises as `dialog.store.open_store`."""
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise StoreError(f"store.url {url!r} is not a database URL; write sqlite:///FILE") from None
    match parsed.get_backend_name():
        case "sqlite":
            return _open_sqlite(parsed)
        case "postgresql":
            return _open_postgresql(parsed)
        case other:
            raise StoreError(f"store.url names {other!r}; only sqlite and postgresql are supported")


def _open_sqlite(url: URL) -> Database:
    if url.database in (None, "", ":memory:"):
        engine = _sqlite_engine(_IN_MEMORY)
        database = Database(engine, dialect="sqlite", where="the store in memory", path=None)
        with database.writing() as connection:
            migrate(connection, where=database.where)
        return database
    assert url.database is not None
    path = Path(url.database).expanduser()
    where = f"conversation store {str(path)!r}"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"{where} cannot be created: {error}; check store.url") from error
    with _opening(path, where):
        notices = _prepare_file(path, where)
        mode = _mode(path)
        engine = _sqlite_engine(f"file:{quote(str(path.resolve()))}?{mode}")
        database = Database(engine, dialect="sqlite", where=where, path=path, notices=notices)
        try:
            if mode == _READ_WRITE:
                _switch_to_wal(path, where)
                _lay_out_log(path)
                with database.writing() as connection:
                    migrate(connection, where=where)
            else:
                with database.reading() as connection:
                    check(connection, where=where)
        except BaseException:
            database.close()
            raise
    for notice in notices:
        _log.warning(notice)
    return database


def _mode(path: Path) -> str:
    """Read-only files are read, also where SQLite could not put its index of the log beside them."""
    if not path.exists() or (os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)):
        return _READ_WRITE
    return "mode=ro" if path.with_name(path.name + "-wal").exists() else "mode=ro&immutable=1"


def _sqlite_engine(uri: str) -> Engine:
    def connect() -> sqlite3.Connection:
        return sqlite3.connect(uri, uri=True, timeout=BUSY_TIMEOUT_S, check_same_thread=False)

    if uri == _IN_MEMORY:
        engine = create_engine("sqlite://", creator=connect, poolclass=StaticPool)
    else:
        pool_size, overflow = POOL
        engine = create_engine(
            "sqlite://", creator=connect, poolclass=QueuePool, pool_size=pool_size, max_overflow=overflow
        )

    @event.listens_for(engine, "connect")
    def set_up(connection: sqlite3.Connection, _: object) -> None:
        connection.isolation_level = None  # transactions are ours to begin
        connection.execute("PRAGMA synchronous=NORMAL")  # each commit is flushed by `flush_log`
        connection.execute(f"PRAGMA wal_autocheckpoint={LOG_PAGES}")
        connection.execute("PRAGMA foreign_keys=ON")
        connection.execute("PRAGMA secure_delete=ON")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        is_writing = connection.get_execution_options().get("is_writing", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if is_writing else "BEGIN")

    return engine


@contextmanager
def _opening(path: Path, where: str) -> Iterator[None]:
    """One process at a time; a folder that cannot be written to needs no turn-taking."""
    lock = FileLock(path.with_name(path.name + ".lock"))
    try:
        lock.acquire(timeout=BUSY_TIMEOUT_S, poll_interval=POLL_S)
    except Timeout:
        raise StoreError(f"{where} is being opened by another process since a minute; end it") from None
    except OSError:
        yield
        return
    try:
        yield
    finally:
        lock.release()


def _prepare_file(path: Path, where: str) -> tuple[str, ...]:
    """Set a damaged file aside and say so; an absent, empty or sound one is left alone."""
    if path.is_dir():
        raise StoreError(f"{where} is a folder; name a file in store.url")
    try:
        problem = looks_damaged(path, thorough=suspect_marker(path).exists())
    except sqlite3.Error as error:
        name = getattr(error, "sqlite_errorname", "") or ""
        raise StoreError(f"{where}: {explain(name, str(error))}") from error
    except OSError as error:
        raise StoreError(f"{where} cannot be read: {error}; check its permissions") from error
    if problem is None:
        suspect_marker(path).unlink(missing_ok=True)
        return ()
    try:
        return (set_aside(path, problem=problem),)
    except OSError as error:
        raise StoreError(f"{where} is damaged ({problem}) and cannot be set aside: {error}") from error


def _switch_to_wal(path: Path, where: str) -> None:
    connection = sqlite3.connect(path, timeout=BUSY_TIMEOUT_S)
    try:
        connection.execute("PRAGMA journal_mode=WAL")
    except sqlite3.Error as error:
        name = getattr(error, "sqlite_errorname", "") or ""
        raise StoreError(f"{where}: {explain(name, str(error))}") from error
    finally:
        connection.close()


def _lay_out_log(path: Path) -> None:
    """Give the log its whole size before it is begun: flushing a file that grows takes twice as long.

    A log of zeros is an empty one to SQLite. It is linked into place whole, so that a log which somebody
    began in this moment is never written over; where that fails the log grows as it always did.
    """
    log = path.with_name(path.name + "-wal")
    if log.exists():
        return
    blank = path.with_name(f"{log.name}.{os.getpid()}.blank")
    try:
        with blank.open("wb") as file:
            file.write(bytes(LOG_BYTES))
            file.flush()
            os.fsync(file.fileno())
        shutil.copymode(path, blank)
        os.link(blank, log)
    except OSError:
        pass
    finally:
        with suppress(OSError):
            blank.unlink()


def _open_postgresql(url: URL) -> Database:
    if url.drivername == "postgresql":
        url = url.set(drivername="postgresql+psycopg")
    where = f"conversation store {url.render_as_string(hide_password=True)!r}"
    try:
        pool_size, overflow = POOL
        engine = create_engine(url, pool_size=pool_size, max_overflow=overflow, pool_pre_ping=True)
    except (ModuleNotFoundError, NoSuchModuleError):
        raise MissingExtra("postgres", needed_for="a PostgreSQL store") from None
    database = Database(engine, dialect="postgresql", where=where, path=None)
    try:
        with database.writing() as connection:
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": SCHEMA_LOCK})
            migrate(connection, where=where)
    except BaseException:
        database.close()
        raise
    return database
