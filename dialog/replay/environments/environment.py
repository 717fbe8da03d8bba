"""The seam of environments: tools that work on a state of their own, one copy for each conversation.

An environment is named as `package.module:callable`; the callable is given what
the transcript says about the task (`meta.task`, else nothing) and returns one
that nobody else has:

    def make(task: Mapping[str, Any]) -> Environment: ...

    with_returns = make(task)
    with_returns.call("return_order", {"order_no": "MK-10482"})
    digest_of(with_returns) == digest_of(expected)

Success is judged by the end state: the path there may differ.
Source: Yao et al. 2024, "tau-bench", section 3 (the database at the end is
compared with that after the annotated actions).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol

from pydantic import Field, JsonValue

from dialog.metrics.judged import Action
from dialog.values import Value


class Tool(Value):
    """What an agent is told about one tool; `parameters` is a JSON schema of an object."""

    name: str = Field(min_length=1)
    description: str = ""
    parameters: dict[str, Any] = Field(default_factory=lambda: {"type": "object", "properties": {}})


class Environment(Protocol):
    """One conversation's world. It is never called by two threads at once."""

    def tools(self) -> Sequence[Tool]:
        """What may be called; the same for every task."""
        ...

    def call(self, name: str, arguments: Mapping[str, Any]) -> JsonValue:
        """Do it. Raises ValueError, with what the agent should be told, where it cannot be done."""
        ...

    def state(self) -> JsonValue:
        """All that counts in the end: equal states are equally good."""
        ...


MakeEnvironment = Callable[[Mapping[str, Any]], Environment]


def digest_of(environment: Environment) -> str:
    """A name for the state; the order of an object's keys does not count."""
    shown = json.dumps(environment.state(), sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(shown.encode()).hexdigest()[:16]


def acted(environment: Environment, actions: Iterable[Action]) -> tuple[str, ...]:
    """Do actions in order; returns why some could not be done, and goes on after those."""
    refused = []
    for action in actions:
        try:
            environment.call(action.name, action.arguments)
        except ValueError as error:
            refused.append(f"{action.name}: {error}")
    return tuple(refused)
