"""What an agent may do besides talking: declared by code, proposed by code, allowed by a person.

An action is a pydantic model for its arguments and a function. Nothing a user,
a model or a document says makes one happen: a skill proposes it by name
(`events.ActionProposed`) or a program does (`DialogAgent.propose`), and where
`needs_approval` is true it waits for `DialogAgent.decide`.

    class Cancel(BaseModel):
        order_no: str = Field(pattern=r"^MK-\\d{5}$")

    def cancel(arguments: Cancel, context: ActionContext) -> JsonValue:
        return shop.cancel(arguments.order_no, idempotency_key=context.key)

    Action("cancel_order", "cancel an order not yet sent", Cancel, cancel)
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any, Generic, Literal, TypeVar

from pydantic import BaseModel, Field, JsonValue, TypeAdapter, ValidationError

from dialog.values import Value

A = TypeVar("A", bound=BaseModel)
OutcomeStatus = Literal["pending", "running", "rejected", "done", "failed"]

_JSON: TypeAdapter[JsonValue] = TypeAdapter(JsonValue)
_OBJECT: TypeAdapter[dict[str, JsonValue]] = TypeAdapter(dict[str, JsonValue])


class ActionContext(Value):
    """What a handler is told besides its arguments.

    `key` is the same for every attempt at one action: pass it on as the idempotency key. With
    `attempt` above 1 an earlier run died, and only the receiver can know whether the deed was done.
    """

    key: str
    conversation_id: str
    approved_by: str
    attempt: int = Field(ge=1)


@dataclass(frozen=True)
class Action(Generic[A]):
    """One thing the agent may do.

    Attributes:
        description: for the person who approves.
        run: called with valid arguments; returns plain JSON data. It may be called again after a crash.
        needs_approval: wait for somebody's `decide`; false only for what does no harm.
        lease_s: how long one run may take before another process may take it over.
    """

    name: str
    description: str
    arguments: type[A]
    run: Callable[[A, ActionContext], JsonValue]
    needs_approval: bool = True
    lease_s: float = 60.0

    def checked(self, arguments: Mapping[str, Any]) -> dict[str, JsonValue]:
        """The arguments as they are recorded. Raises ValueError that says which is wrong."""
        try:
            return self.arguments.model_validate(dict(arguments)).model_dump(mode="json")
        except ValidationError as error:
            raise ValueError(f"action {self.name!r}: {problems_of(error)}") from error

    def perform(self, arguments: Mapping[str, JsonValue], context: ActionContext) -> JsonValue:
        """Check the arguments again and run.

        Raises:
            ValueError: the arguments do not fit the model, or the result is not plain JSON data.
            Exception: whatever the handler raises.
        """
        try:
            valid = self.arguments.model_validate(dict(arguments))
        except ValidationError as error:
            raise ValueError(f"action {self.name!r}: {problems_of(error)}") from error
        result = self.run(valid, context)
        try:
            return _JSON.validate_python(result)
        except ValidationError as error:
            raise ValueError(
                f"action {self.name!r} was done, but its result is not plain JSON: {type(result).__name__}"
            ) from error


Actions = Mapping[str, Action[Any]]
"""The declared actions by name."""

NO_ACTIONS: Actions = MappingProxyType({})


class PendingAction(Value):
    """A proposed action nobody decided on: all that another process needs to show it and to decide."""

    id: str
    conversation_id: str
    name: str
    arguments: dict[str, JsonValue]
    reason: str = ""
    proposed: datetime


class ActionOutcome(Value):
    """What has become of an action; `error` where it failed, `by` whoever decided."""

    id: str
    name: str
    status: OutcomeStatus
    result: JsonValue = None
    error: str | None = None
    by: str = ""


def by_name(actions: Iterable[Action[Any]]) -> Actions:
    """The actions by name. Raises ValueError if two share one."""
    found: dict[str, Action[Any]] = {}
    for action in actions:
        if action.name in found:
            raise ValueError(f"two actions are called {action.name!r}; give each a name of its own")
        found[action.name] = action
    return MappingProxyType(found)


def check(actions: Actions, name: str, arguments: Mapping[str, Any]) -> dict[str, JsonValue]:
    """The arguments as they are recorded. Raises ValueError for an unknown action or wrong arguments."""
    action = actions.get(name)
    if action is None:
        known = ", ".join(sorted(actions)) or "none"
        raise ValueError(f"there is no action {name!r}; declared: {known}")
    return action.checked(arguments)


def plain(arguments: Mapping[str, Any]) -> dict[str, JsonValue]:
    """What can be recorded of arguments that were refused."""
    try:
        return _OBJECT.validate_python(dict(arguments))
    except ValidationError:
        return {str(name): repr(value)[:200] for name, value in arguments.items()}


def action_id(conversation_id: str, turn_id: str, name: str, arguments: JsonValue, *, nth: int) -> str:
    """The same for the same proposal of the same message, so that answering again repeats no deed.

    Args:
        nth: how often this turn proposed exactly this before.
    """
    said = json.dumps([conversation_id, turn_id, name, arguments, nth], sort_keys=True)
    return hashlib.sha256(said.encode("ascii")).hexdigest()[:32]


def problems_of(error: ValidationError) -> str:
    """A validation error in one line, without the values' types of pydantic's own wording."""
    found = (
        f"{'.'.join(str(part) for part in one['loc']) or 'the whole'}: {one['msg']}"
        for one in error.errors(include_url=False, include_input=False)
    )
    return "; ".join(found)
