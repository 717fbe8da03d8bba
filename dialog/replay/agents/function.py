"""A Python callable as an agent: given what a command would read, it returns text or an object with `text`.

    def answer(turn: dict) -> str: ...          # target = "bots:answer"

It is called from as many threads at once as there are workers. One that raises
or is too late has failed that turn; what is too late runs on unheeded, for
Python cannot stop it.
"""

from __future__ import annotations

import importlib
import queue
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

from dialog.errors import ConfigError
from dialog.metrics.judged import Given
from dialog.replay.agents.acting import conversing
from dialog.replay.agents.answering import Answer, failed
from dialog.replay.agents.heard import heard
from dialog.replay.asked import Asked
from dialog.replay.environments.environment import Environment

_Outcome = queue.SimpleQueue[tuple[object, BaseException | None]]
Target = Callable[[dict[str, Any]], object]


class FunctionAgent:
    """Args: `target`, called with `conversation_id`, `turn`, `messages`; `timeout_s` for one answer."""

    def __init__(self, target: Target, *, timeout_s: float, fingerprint: Mapping[str, str | None]) -> None:
        self.fingerprint = fingerprint
        self._target = target
        self._timeout_s = timeout_s
        self._lock = threading.Lock()
        self._awaited: set[_Outcome] = set()

    @contextmanager
    def session(self, *, seed: int) -> Iterator[Answer]:
        """The same callable for every session; it is not told the seed."""
        yield self._answer

    def conversation(self, *, seed: int, environment: Environment | None) -> AbstractContextManager[Answer]:
        """The same, told what its actions did (`acting`)."""
        return conversing(self, seed=seed, environment=environment)

    def close(self) -> None:
        """Whoever waits for an answer waits no longer."""
        with self._lock:
            for outcome in self._awaited:
                outcome.put((None, RuntimeError("the replay was stopped")))

    def _answer(self, asked: Asked) -> Given:
        started = time.perf_counter()
        outcome: _Outcome = queue.SimpleQueue()
        with self._lock:
            self._awaited.add(outcome)

        def call() -> None:
            try:
                outcome.put((self._target(asked.line()), None))
            except BaseException as error:  # whatever a stranger's function does, SystemExit too
                outcome.put((None, error))

        threading.Thread(target=call, daemon=True).start()
        try:
            answer, error = outcome.get(timeout=self._timeout_s)
        except queue.Empty:
            return failed("timeout", f"no answer within {self._timeout_s:g} s (agent.timeout_s)")
        finally:
            with self._lock:
                self._awaited.discard(outcome)
        latency_s = time.perf_counter() - started
        if error is not None:
            return failed("crash", f"{type(error).__name__}: {error}", latency_s=latency_s)
        return heard(answer, latency_s=latency_s)


def imported(target: str, *, beside: Path, setting: str = "agent.target") -> Target:
    """The callable `package.module:name`, found as Python finds it, in the working directory, or `beside`.

    Args:
        setting: what named it, for errors.

    Raises:
        ConfigError: there is no such module or callable, or importing it fails.
    """
    module_name, separator, name = target.partition(":")
    if not separator or not module_name or not name:
        raise ConfigError(f"{setting} = {target!r} is not of the form package.module:callable")
    added = [str(Path.cwd()), str(beside)]
    sys.path[:0] = added
    try:
        found: object = importlib.import_module(module_name)
        for part in name.split("."):
            found = getattr(found, part)
    except Exception as error:  # whatever a stranger's module does
        raise ConfigError(
            f"{setting} = {target!r} cannot be imported: {type(error).__name__}: {error}"
        ) from error
    finally:
        for folder in added:
            sys.path.remove(folder)
    if not callable(found):
        raise ConfigError(f"{setting} = {target!r} is a {type(found).__name__}, which cannot be called")
    return found
