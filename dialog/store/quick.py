"""Statements compiled once and run by the driver itself.

A turn runs a dozen small statements while it holds the write lock. Executing
them through Core took longer than SQLite took to run them and flush the disk,
so those of the turn are Core statements, compiled here for both databases, and
handed to the driver as text and parameters.

    ROW = Quick(select(table).where(table.c.key == bindparam("wanted")))
    with database.quick_writing() as cursor: cursor.rows(ROW, wanted=key)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from sqlalchemy import Connection, Executable
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.elements import ClauseElement

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_SQLITE = sqlite.dialect(paramstyle="named")
_POSTGRESQL = postgresql.dialect(paramstyle="pyformat")  # type: ignore[no-untyped-call]


class DriverCursor(Protocol):
    """What is needed of a DB-API cursor."""

    def execute(self, sql: str, parameters: Mapping[str, Any], /) -> object: ...

    def fetchall(self) -> Sequence[tuple[Any, ...]]: ...


class Quick:
    """A statement's text in both databases; every value is a named parameter."""

    def __init__(self, statement: Executable, *, postgresql_statement: Executable | None = None) -> None:
        other = postgresql_statement if postgresql_statement is not None else statement
        assert isinstance(statement, ClauseElement)
        assert isinstance(other, ClauseElement)
        self.text = {
            "sqlite": str(statement.compile(dialect=_SQLITE)),
            "postgresql": str(other.compile(dialect=_POSTGRESQL)),
        }


class Cursor:
    """Runs quick statements within one transaction."""

    def __init__(self, driver: DriverCursor, dialect: str) -> None:
        self._driver = driver
        self.dialect = dialect

    def run(self, statement: Quick, **values: object) -> None:
        """Run a statement that gives nothing back."""
        self._driver.execute(statement.text[self.dialect], values)

    def rows(self, statement: Quick, **values: object) -> Sequence[tuple[Any, ...]]:
        """Run a statement and fetch all its rows."""
        self._driver.execute(statement.text[self.dialect], values)
        return self._driver.fetchall()


def cursor_of(connection: Connection) -> Cursor:
    """Quick statements within a Core transaction."""
    return Cursor(connection.connection.cursor(), connection.dialect.name)
