"""One free conversation: user and agent talk until one has had enough, and the end is judged.

    turns = talk(task, answer, user=user, world=world, max_turns=20)
    turns[-1].course.ended, turns[-1].given.succeeded

Success with a known end state: the environment is in it, and everything the
user must hear was said. Without one: the user is satisfied and all of its goals
are met. What the agent says of its own success does not count.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from dialog.metrics.judged import Course, Ending, Given, JudgedTurn, Wanted
from dialog.metrics.tokens import metric_tokens
from dialog.replay.agents.answering import Answer
from dialog.replay.asked import Asked
from dialog.replay.environments.environment import Environment, digest_of
from dialog.replay.free.listening import unsaid
from dialog.replay.free.scenario import Scenario
from dialog.replay.free.user import Over, User
from dialog.replay.spoken import spoken
from dialog.values import Message

LOOP_AT = 3
"""A reply that comes so often in a conversation, word for word, is a loop."""


@dataclass(frozen=True)
class Task:
    """A conversation to be had.

    Attributes:
        before: messages that stand before it, a system's for instance.
        about: what the transcript says of the task; an environment is made from it.
    """

    conversation_id: str
    scenario: Scenario
    before: tuple[Message, ...] = ()
    tags: tuple[str, ...] = ()
    about: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class World:
    """An environment and the name of the state it should be in at the end; None if nobody knows."""

    environment: Environment
    wanted: str | None = None

    def is_reached(self) -> bool:
        return digest_of(self.environment) == self.wanted


def talk(
    task: Task, answer: Answer, *, user: User, world: World | None, max_turns: int
) -> tuple[JudgedTurn, ...]:
    """The turns of the whole conversation, at least one; the last says how it ended."""
    messages = list(task.before)
    asked: list[Asked] = []
    given: list[Given] = []
    seen: Counter[tuple[str, ...]] = Counter()
    said: str | Over = user.opening()
    while isinstance(said, str):
        messages.append(Message(role="user", content=said))
        asked.append(
            Asked(
                conversation_id=task.conversation_id,
                turn=len(asked),
                messages=tuple(messages),
                wanted=Wanted(),
                language=spoken(said, user=task.scenario.language),
                tags=task.tags,
            )
        )
        given.append(answer(asked[-1]).model_copy(update={"succeeded": None}))
        text = given[-1].text or ""
        messages.append(Message(role="assistant", content=text))
        words = tuple(metric_tokens(text))
        seen[words] += 1
        ended = _ended_by(given[-1], times=seen[words])
        said = Over(how=ended) if ended is not None else user.hears(text)
        if isinstance(said, str) and len(asked) >= max_turns:
            said = Over(how="limit")
    heard = [one.text or "" for one in given]
    is_good = _succeeded(task.scenario, said.how, heard=heard, world=world, share_met=user.share_met)
    return _judged(task, asked, given, ended=said.how, goals_met=user.share_met, succeeded=is_good)


def _ended_by(given: Given, *, times: int) -> Ending | None:
    """How a reply ends the conversation, whatever the user would say."""
    if given.failure is not None:
        return "failed"
    if given.handed_off:
        return "handed_off"
    return "loop" if times >= LOOP_AT else None


def _succeeded(
    scenario: Scenario, ended: Ending, *, heard: Sequence[str], world: World | None, share_met: float
) -> bool:
    if ended == "failed":
        return False
    if world is None or world.wanted is None:
        return ended == "satisfied" and share_met == 1
    return not unsaid(scenario.must_hear, heard) and world.is_reached()


def _judged(
    task: Task,
    asked: Sequence[Asked],
    given: Sequence[Given],
    *,
    ended: Ending,
    goals_met: float,
    succeeded: bool,
) -> tuple[JudgedTurn, ...]:
    turns = []
    is_off = False
    script = task.scenario.script
    for place, (question, reply) in enumerate(zip(asked, given, strict=True)):
        is_off = is_off or place >= len(script) or not _same(script[place], question.messages[-1].content)
        course = Course(num_turns=len(asked), is_off_script=is_off if script else None)
        if place == len(asked) - 1:
            course = course.model_copy(update={"ended": ended, "goals_met": goals_met})
            reply = reply.model_copy(update={"succeeded": succeeded})
        turns.append(question.judged(reply).model_copy(update={"course": course}))
    return tuple(turns)


def _same(first: str, second: str) -> bool:
    return metric_tokens(first) == metric_tokens(second)
