"""The retail domain as an environment of free replay, and as actions of an agent."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from pydantic import JsonValue

from dialog.actions import Action, ActionContext
from dialog.values import Value
from skills.support.tau2.database import Database, load
from skills.support.tau2.retail import TOOLS, Retail

READING = frozenset(
    name for name in TOOLS if name.startswith(("find_", "get_", "list_", "calculate", "transfer_"))
)
"""The tools that change nothing."""


class RetailEnvironment(Retail):
    """Implements `dialog.replay.environments.environment.Environment`."""

    def tools(self) -> Sequence[Any]:
        """Every tool, as `Tool` values with the JSON schema of its arguments."""
        from dialog.replay.environments.environment import (
            Tool,
        )

        return tuple(
            Tool(name=name, description=description, parameters=arguments.model_json_schema())
            for name, (arguments, description, _) in TOOLS.items()
        )


def environment(task: Mapping[str, Any]) -> RetailEnvironment:
    """A shop of its own for one conversation; every retail task begins with the same database.

    Raises:
        CorpusError: the database is not where `INSTRUCTREC_DATA` says.
    """
    folder = Path(os.environ.get("INSTRUCTREC_DATA", Path("..") / "shared" / "data"))
    return RetailEnvironment(_loaded(folder / "tau2" / "retail" / "db.json.gz"))


def actions(retail: Retail) -> list[Action[Any]]:
    """The tools as actions; those that change something wait for approval."""
    return [
        Action(name, description, arguments, _run(retail, name), needs_approval=name not in READING)
        for name, (arguments, description, _) in TOOLS.items()
    ]


def _run(retail: Retail, name: str) -> Callable[[Value, ActionContext], JsonValue]:
    def run(arguments: Value, context: ActionContext) -> JsonValue:
        return retail.call(name, arguments.model_dump(mode="json"))

    return run


@lru_cache(maxsize=1)
def _loaded(path: Path) -> Database:
    return load(path)
