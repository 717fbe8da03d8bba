"""Small named values beside the conversations: deployment instructions, learned choices.

setting = get(database, "variants:style")
put(database, "variants:style", {"arms": {}}, expected_version=setting.version)
"""

from __future__ import annotations

import json

from pydantic import JsonValue
from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError

from dialog.errors import StaleHead
from dialog.protocols import Setting as Setting
from dialog.store.database import Database
from dialog.store.schema import settings

MAX_NAME_CHARS = 200


def get(database: Database, name: str) -> Setting:
    """The value called `name`."""
    _check(name)
    with database.reading() as connection:
        row = connection.execute(select(settings).where(settings.c.name == name)).first()
    return Setting(name=name, value=json.loads(row.value), version=row.version) if row else Setting(name=name)


def put(database: Database, name: str, value: JsonValue, *, expected_version: int) -> Setting:
    """Replace the value if it is still at `expected_version` (0: not there yet), else raise StaleHead."""
    _check(name)
    fresh = {"value": json.dumps(value), "version": expected_version + 1}
    unchanged = (settings.c.name == name) & (settings.c.version == expected_version)
    try:
        with database.writing() as connection:
            if expected_version == 0:
                connection.execute(insert(settings).values(name=name, **fresh))
                is_put = True
            else:
                is_put = connection.execute(update(settings).where(unchanged).values(fresh)).rowcount == 1
    except IntegrityError:
        is_put = False
    if not is_put:
        raise StaleHead(
            f"setting {name!r} is no longer at version {expected_version}; read it again and retry"
        )
    return Setting(name=name, value=value, version=expected_version + 1)


def _check(name: str) -> None:
    if not name.isascii() or not name.isprintable() or not 0 < len(name) <= MAX_NAME_CHARS:
        raise ValueError(f"setting name {name!r} must be 1 to {MAX_NAME_CHARS} printable ASCII characters")
