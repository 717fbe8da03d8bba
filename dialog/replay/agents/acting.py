"""A foreign agent in a world: what it wants done is done, and it is told what came of it.

    answer = acting(answer, environment)

An answer with `actions` and without `text` is a step: the actions are done, and
the agent is asked again, with its calls and their results as messages in
OpenAI's shape. With `text` they are done, and the text is the reply.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from dialog.metrics.judged import Action, Given, JudgedTurn
from dialog.replay.agents.answering import Answer, ReplayAgent, failed
from dialog.replay.asked import Asked
from dialog.replay.environments.environment import Environment, Tool
from dialog.values import Message

MAX_STEPS = 30
"""An agent that acts so often without a word has failed the turn."""


class Posed(Asked):
    """A question that comes with tools."""

    tools: tuple[Tool, ...] = ()

    def judged(self, given: Given) -> JudgedTurn:
        return JudgedTurn(**{name: value for name, value in self if name != "tools"}, given=given)

    def line(self) -> dict[str, Any]:
        return {**super().line(), "tools": [tool.model_dump(mode="json") for tool in self.tools]}


@contextmanager
def conversing(agent: ReplayAgent, *, seed: int, environment: Environment | None) -> Iterator[Answer]:
    """`ReplayAgent.conversation` of an agent that is told the whole history each time."""
    with agent.session(seed=seed) as answer:
        yield acting(answer, environment)


def acting(answer: Answer, environment: Environment | None) -> Answer:
    """The same, in a world; without one, as it is."""
    if environment is None:
        return answer
    tools = tuple(environment.tools())

    def act(asked: Asked) -> Given:
        done: list[Action] = []
        latency_s = 0.0
        messages = asked.messages
        for _ in range(MAX_STEPS):
            given = answer(Posed(**{**dict(asked), "messages": messages}, tools=tools))
            latency_s += given.latency_s or 0.0
            if given.failure is not None or not given.actions:
                break
            for action in given.actions:
                messages += _exchange(environment, action, number=len(done))
                done.append(action)
            if (given.text or "").strip():
                break
        else:
            return failed("timeout", f"acted {MAX_STEPS} times without a word", latency_s=latency_s)
        return given.model_copy(update={"actions": tuple(done), "latency_s": latency_s})

    return act


def _exchange(environment: Environment, action: Action, *, number: int) -> tuple[Message, Message]:
    """The call and what came of it."""
    result: Mapping[str, Any]
    try:
        result = {"result": environment.call(action.name, action.arguments)}
    except ValueError as error:
        result = {"error": str(error)}
    call_id = f"call_{number}"
    function = {"name": action.name, "arguments": json.dumps(action.arguments, ensure_ascii=False)}
    call = {"id": call_id, "type": "function", "function": function}
    return (
        Message(role="assistant", content="", tool_calls=(call,)),
        Message(
            role="tool",
            content=json.dumps(result, ensure_ascii=False),
            name=action.name,
            tool_call_id=call_id,
        ),
    )
