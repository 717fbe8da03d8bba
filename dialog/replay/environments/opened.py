"""An environment by name, and its tools as an agent's actions.

make = named("dialog.replay.environments.shop:sample_shop")
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from pydantic import BaseModel, ConfigDict, JsonValue, create_model

from dialog.actions import Action, ActionContext
from dialog.replay.agents.function import imported
from dialog.replay.environments.environment import Environment, MakeEnvironment, Tool


def named(target: str) -> MakeEnvironment:
    """The callable that makes environments; looked for in the working directory, too.

    Raises:
        ConfigError: there is none of that name.
    """
    return cast(MakeEnvironment, imported(target, beside=Path.cwd(), setting="--environment"))


class Worlds:
    """Which conversation acts on which environment, for an agent that many conversations share."""

    def __init__(self, tools: Sequence[Tool]) -> None:
        self._tools = tuple(tools)
        self._by_conversation: dict[str, Environment] = {}

    def enter(self, conversation_id: str, environment: Environment | None) -> None:
        """From now on that conversation acts there; None ends it."""
        if environment is None:
            self._by_conversation.pop(conversation_id, None)
        else:
            self._by_conversation[conversation_id] = environment

    def actions(self) -> list[Action[Any]]:
        """The tools as actions that need no approval: the world is a copy, so nothing can be harmed."""
        return [
            Action(tool.name, tool.description, _arguments(tool), self._run(tool.name), needs_approval=False)
            for tool in self._tools
        ]

    def _run(self, name: str) -> Any:
        def run(arguments: BaseModel, context: ActionContext) -> JsonValue:
            environment = self._by_conversation.get(context.conversation_id)
            if environment is None:
                raise ValueError(f"conversation {context.conversation_id!r} has no environment to act on")
            return environment.call(name, arguments.model_dump(mode="json", exclude_none=True))

        return run


def _arguments(tool: Tool) -> type[BaseModel]:
    """A model that demands the required arguments; what they may be is the tool's own business."""
    properties: Mapping[str, Any] = tool.parameters.get("properties", {})
    required = set(tool.parameters.get("required", ()))
    fields: dict[str, Any] = {name: (Any, ... if name in required else None) for name in properties}
    return create_model(tool.name, __config__=ConfigDict(extra="forbid"), **fields)
