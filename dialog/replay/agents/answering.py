"""The seam of agents: a session answers the turns of one conversation, one after the other.

    with agent.session(seed=0) as answer:
        for asked in turns:
            given = answer(asked)

An agent never raises for a turn that went wrong: the turn's `Given` says
`failure` and `detail`. What it raises when it is opened (a model that cannot be
loaded, a command that does not exist) ends the replay.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Protocol

from dialog.metrics.judged import Given
from dialog.replay.asked import Asked
from dialog.replay.environments.environment import Environment

Answer = Callable[[Asked], Given]

MAX_DETAIL_CHARS = 2000


class ReplayAgent(Protocol):
    """Something that can be asked. Sessions of several threads may overlap."""

    @property
    def fingerprint(self) -> Mapping[str, str | None]:
        """What produced the answers; equal ones may be resumed and compared."""

    def session(self, *, seed: int) -> AbstractContextManager[Answer]:
        """Answers the turns of one recorded conversation, each from the history it is given."""

    def conversation(self, *, seed: int, environment: Environment | None) -> AbstractContextManager[Answer]:
        """Answers the turns of one conversation of its own, and may act on `environment` in it."""

    def close(self) -> None:
        """Let go of processes and models; sessions under way end soon, their answers are worth nothing."""


def failed(kind: str, detail: str, *, latency_s: float | None = None) -> Given:
    """A turn that brought no answer; `kind` is `crash`, `timeout` or `empty`, long details keep their end."""
    shown = detail if len(detail) <= MAX_DETAIL_CHARS else "…" + detail[1 - MAX_DETAIL_CHARS :]
    return Given.model_validate({"failure": kind, "detail": shown, "latency_s": latency_s})
