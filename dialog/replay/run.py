"""Asking: conversations spread over threads, every answer saved before the next question.

    units = plan(turns, labels=("a", "b"), seeds=(0, 1), answered=saved.turns.keys())
    ask(units, agents, file=file, workers=4, advance=print)

A unit is what one agent still has to answer of one conversation under one
seed; its turns go to one session, in order. Units of both agents alternate, so
that a busy machine slows both alike.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import TypeVar

from dialog.errors import Interrupted
from dialog.replay.agents.answering import ReplayAgent
from dialog.replay.asked import Asked
from dialog.replay.saved import Key, Label, SavedTurn, TurnFile

One = TypeVar("One")

_LOOK_S = 0.2
"""How often the waiting thread wakes up, so that Ctrl-C is heard at once."""


@dataclass(frozen=True)
class Unit:
    """Turns of one conversation for one agent under one seed, in order."""

    agent: Label
    seed: int
    turns: tuple[Asked, ...]


def plan(
    turns: Sequence[Asked],
    *,
    labels: Sequence[Label],
    seeds: Sequence[int],
    answered: Collection[Key] = frozenset(),
) -> list[Unit]:
    """What is left to ask; conversations in the order given."""
    conversations: dict[str, list[Asked]] = defaultdict(list)
    for turn in turns:
        conversations[turn.conversation_id].append(turn)
    units = []
    for conversation_id, asked in conversations.items():
        for seed in seeds:
            for label in labels:
                left = tuple(one for one in asked if (label, seed, conversation_id, one.turn) not in answered)
                if left:
                    units.append(Unit(label, seed, left))
    return units


def ask(
    units: Sequence[Unit],
    agents: Mapping[Label, ReplayAgent],
    *,
    file: TurnFile,
    workers: int,
    advance: Callable[[int, int], None],
) -> None:
    """Have every unit answered and saved.

    Nothing that is answered after a stop is kept, for the stop may have spoilt it.

    Args:
        advance: told (turns done, turns in all), from any thread.

    Raises:
        Interrupted: Ctrl-C; what was answered is saved. The agents are closed.
        CorpusError: an answer cannot be saved.
    """

    def do(unit: Unit, work: Work) -> None:
        with agents[unit.agent].session(seed=unit.seed) as answer:
            for asked in unit.turns:
                if work.is_stopped():
                    return
                given = answer(asked)
                if work.is_stopped():
                    return
                file.append(SavedTurn.of(asked.judged(given), agent=unit.agent, seed=unit.seed))
                work.done_one()

    work = Work(sum(len(unit.turns) for unit in units), what="turns", advance=advance)
    spread(units, do, work=work, agents=agents, workers=workers)


class Work:
    """What workers share: how much is done, and whether to stop.

    Args:
        advance: told (done, total), from any thread.
    """

    def __init__(self, total: int, *, what: str, advance: Callable[[int, int], None]) -> None:
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._done = 0
        self._total = total
        self._what = what
        self._advance = advance

    def is_stopped(self) -> bool:
        return self._stop.is_set()

    def stop(self) -> None:
        self._stop.set()

    def done_one(self) -> None:
        with self._lock:
            self._done += 1
            self._advance(self._done, self._total)

    @property
    def told(self) -> str:
        """How far it came."""
        return (
            f"stopped after {self._done} of {self._total} {self._what}; they are saved, run the same again "
            "to go on"
        )


def spread(
    units: Sequence[One],
    do: Callable[[One, Work], None],
    *,
    work: Work,
    agents: Mapping[Label, ReplayAgent],
    workers: int,
) -> None:
    """Do every unit, `workers` at once.

    Raises:
        Interrupted: Ctrl-C. The agents are closed.
        Exception: whatever `do` raises first; the agents are closed.
    """
    pool = ThreadPoolExecutor(max_workers=workers, thread_name_prefix="replay")
    try:
        _await({pool.submit(do, unit, work) for unit in units})
    except BaseException as error:
        work.stop()
        for agent in agents.values():
            agent.close()
        pool.shutdown(wait=True, cancel_futures=True)
        if isinstance(error, KeyboardInterrupt):
            raise Interrupted(work.told) from None
        raise
    pool.shutdown()


def _await(futures: set[Future[None]]) -> None:
    while futures:
        finished, futures = wait(futures, timeout=_LOOK_S, return_when=FIRST_EXCEPTION)
        for future in finished:
            future.result()
