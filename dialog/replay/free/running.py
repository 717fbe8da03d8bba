"""Free conversations of all tasks: planned, spread over threads, each saved whole when it ends.

    have(plan(tasks, ...), agents, cast=cast, file=file, workers=4, advance=print)

A conversation that was under way when the process was killed is had again from
its beginning: a half conversation is worth nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from dialog.replay.agents.answering import ReplayAgent
from dialog.replay.environments.environment import MakeEnvironment, acted, digest_of
from dialog.replay.free.saved import Conversation
from dialog.replay.free.scenario import Scenario
from dialog.replay.free.talk import Task, World, talk
from dialog.replay.free.user import ScriptedUser, User
from dialog.replay.run import Work, spread
from dialog.replay.saved import Label, SavedTurn, TurnFile

MAX_TURNS = 20


class MakeUser(Protocol):
    """Makes the user of one conversation."""

    def __call__(
        self, scenario: Scenario, *, seed: int, conversation_id: str, reached: Callable[[], bool] | None
    ) -> User: ...


@dataclass(frozen=True)
class Cast:
    """Who plays against the agents, and where.

    `fingerprint` says what of it can change a conversation, besides the tasks.
    """

    user: MakeUser = ScriptedUser
    environment: MakeEnvironment | None = None
    max_turns: int = MAX_TURNS
    fingerprint: Mapping[str, str | None] = field(default_factory=dict)

    def world(self, task: Task) -> tuple[World | None, tuple[str, ...]]:
        """A world for one conversation, and why annotated actions could not be done; None without one."""
        if self.environment is None:
            return None, ()
        if task.scenario.actions is None:
            return World(self.environment(task.about)), ()
        expected = self.environment(task.about)
        refused = acted(expected, task.scenario.actions)
        return World(self.environment(task.about), wanted=digest_of(expected)), refused


def refused_actions(tasks: Iterable[Task], cast: Cast) -> list[str]:
    """Which annotated actions the environment refuses: an end state that rests on them may be wrong."""
    return [f"{task.conversation_id}: {why}" for task in tasks for why in cast.world(task)[1]]


@dataclass(frozen=True)
class Unit:
    """One conversation to be had."""

    agent: Label
    seed: int
    task: Task


def plan(
    tasks: Sequence[Task],
    *,
    labels: Sequence[Label],
    seeds: Sequence[int],
    had: Collection[Conversation] = frozenset(),
) -> list[Unit]:
    """What is left to have; conversations in the order given, both agents' next to each other."""
    return [
        Unit(label, seed, task)
        for task in tasks
        for seed in seeds
        for label in labels
        if (label, seed, task.conversation_id) not in had
    ]


def have(
    units: Sequence[Unit],
    agents: Mapping[Label, ReplayAgent],
    *,
    cast: Cast,
    file: TurnFile,
    workers: int,
    advance: Callable[[int, int], None],
) -> None:
    """Have every conversation, and save it.

    Args:
        advance: told (conversations done, conversations in all), from any thread.

    Raises:
        Interrupted: Ctrl-C; what was had is saved. The agents are closed.
        CorpusError: a conversation cannot be saved.
    """

    def do(unit: Unit, work: Work) -> None:
        if work.is_stopped():
            return
        world, _ = cast.world(unit.task)
        reached = world.is_reached if world is not None and world.wanted is not None else None
        user = cast.user(
            unit.task.scenario, seed=unit.seed, conversation_id=unit.task.conversation_id, reached=reached
        )
        environment = world.environment if world is not None else None
        with agents[unit.agent].conversation(seed=unit.seed, environment=environment) as answer:
            turns = talk(unit.task, answer, user=user, world=world, max_turns=cast.max_turns)
        if work.is_stopped():
            return
        file.append(*(SavedTurn.of(turn, agent=unit.agent, seed=unit.seed) for turn in turns))
        work.done_one()

    work = Work(len(units), what="conversations", advance=advance)
    spread(units, do, work=work, agents=agents, workers=workers)
