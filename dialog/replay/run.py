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

from dialog.errors import Interrupted
from dialog.replay.agents.answering import ReplayAgent
from dialog.replay.asked import Asked
from dialog.replay.saved import Key, Label, SavedTurn, TurnFile

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

    Args:
        advance: told (turns done, turns in all), from any thread.

    Raises:
        Interrupted: Ctrl-C; what was answered is saved. The agents are closed.
        CorpusError: an answer cannot be saved.
    """
    total = sum(len(unit.turns) for unit in units)
    work = _Work(agents, file, advance, total)
    pool = ThreadPoolExecutor(max_workers=workers, thread_name_prefix="replay")
    try:
        futures = {pool.submit(work.do, unit) for unit in units}
        _await(futures)
    except BaseException as error:
        work.stop.set()
        for agent in agents.values():
            agent.close()
        pool.shutdown(wait=True, cancel_futures=True)
        if isinstance(error, KeyboardInterrupt):
            raise Interrupted(
                f"stopped after {work.done} of {total} turns; they are saved, run the same again to go on"
            ) from None
        raise
    pool.shutdown()


def _await(futures: set[Future[None]]) -> None:
    while futures:
        finished, futures = wait(futures, timeout=_LOOK_S, return_when=FIRST_EXCEPTION)
        for future in finished:
            future.result()


class _Work:
    """What the workers share."""

    def __init__(
        self,
        agents: Mapping[Label, ReplayAgent],
        file: TurnFile,
        advance: Callable[[int, int], None],
        total: int,
    ) -> None:
        self.stop = threading.Event()
        self.done = 0
        self._agents = agents
        self._file = file
        self._advance = advance
        self._total = total
        self._lock = threading.Lock()

    def do(self, unit: Unit) -> None:
        """Answer a unit; nothing that is answered after the stop is kept, for the stop may have spoilt it."""
        with self._agents[unit.agent].session(seed=unit.seed) as answer:
            for asked in unit.turns:
                if self.stop.is_set():
                    return
                given = answer(asked)
                if self.stop.is_set():
                    return
                self._file.append(SavedTurn.of(asked.judged(given), agent=unit.agent, seed=unit.seed))
                with self._lock:
                    self.done += 1
                    self._advance(self.done, self._total)
