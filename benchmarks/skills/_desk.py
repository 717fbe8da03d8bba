"""tau2's shop with a desk: beside the published tools what `retail.toml`'s flows propose, for free replay.

    instructrec data convert TASKS.json --out tasks.jsonl
    instructrec replay tasks.jsonl --mode free --environment benchmarks.skills._desk:desk \\
        --set skills.default=support --set 'skills.options={support={flows="benchmarks/skills/retail.toml"}}'
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, cast

from pydantic import JsonValue

from benchmarks import DATA
from benchmarks.skills._retail import Kind, do
from dialog.replay.environments.environment import Tool
from skills.support.tau2 import Database, RetailEnvironment, load

KINDS = ("cancel", "return", "exchange")
_SAID = {
    "type": "object",
    "properties": {"who": {"type": "string"}, "request": {"type": "string"}},
    "required": ["who", "request"],
}


class Desk(RetailEnvironment):
    """Whoever it is and whatever is asked, in the customer's words."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self._before = database

    def tools(self) -> Sequence[Tool]:
        desk = [
            Tool(name=kind, description=f"{kind} as the customer says", parameters=_SAID) for kind in KINDS
        ]
        return (*super().tools(), *desk)

    def call(self, name: str, arguments: Mapping[str, Any]) -> JsonValue:
        if name in KINDS:
            return cast(JsonValue, do(self, self._before, cast(Kind, name), arguments))
        return super().call(name, arguments)


def desk(task: Mapping[str, Any]) -> Desk:
    """A shop of its own for one conversation. Raises CorpusError: the database is not there."""
    return Desk(_database())


@cache
def _database() -> Database:
    return load(DATA / "tau2" / "retail" / "db.json.gz")
