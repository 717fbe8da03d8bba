"""Another agent over the same conversations, for `/set` and `/model`.

What the changed settings do not touch is shared, so that another system
prompt does not load the model again.

    with Reopened(agent) as reopened:
        other = reopened.open(agent.config.changed(["prompt.system=Be brief."]))
"""

from __future__ import annotations

from contextlib import ExitStack
from types import TracebackType
from typing import Self

from dialog.agent import DialogAgent
from dialog.config import Config


class Reopened:
    """Agents that replace each other; closed together at the end, the first is the caller's."""

    def __init__(self, agent: DialogAgent) -> None:
        self._current = agent
        self._opened = ExitStack()

    def open(self, config: Config) -> DialogAgent:
        """The agent with these settings, its model loaded.

        Raises:
            DialogError: a part cannot be opened; the agent before is then still the current one.
        """
        before = self._current
        same_model = config.values.model == before.config.values.model
        same_knowledge = config.values.knowledge == before.config.values.knowledge
        agent = DialogAgent(
            config,
            model=before.model if same_model else None,
            retriever=before.retriever if same_knowledge else None,
            store=before.store,
            actions=tuple(before.actions.values()),
        )
        self._opened.enter_context(agent)
        _ = agent.model, agent.skills
        self._current = agent
        return agent

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._opened.close()
