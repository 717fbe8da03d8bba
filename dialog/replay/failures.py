"""What went wrong at a turn, whatever the scores say: no answer, other facts, another language.

for failure in failures(turn): print(failure.kind, failure.detail)
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from pydantic import Field

from dialog.metrics.judged import FailureKind
from dialog.replay.measures import conflicting_facts
from dialog.replay.saved import Label, SavedTurn
from dialog.text import detect_language
from dialog.values import Value

NO_ANSWER: frozenset[FailureKind] = frozenset(("missing", "crash", "timeout", "empty"))


class Failure(Value):
    """One thing that is wrong at one turn of one agent."""

    conversation_id: str
    turn: int = Field(ge=0)
    kind: FailureKind
    agent: Literal["a", "b"]
    seed: int = 0
    detail: str = ""


def failures(turn: SavedTurn) -> list[Failure]:
    """What is wrong with an answer, in the order of kinds; nothing if all is well."""
    given = turn.given
    if given.failure is not None:
        return [_failure(turn, given.failure, given.detail)]
    if given.text is None:
        return [_failure(turn, "missing", "no answer was saved")]
    found = []
    if turn.wanted.text is not None:
        found += [_failure(turn, kind, detail) for kind, detail in facts_of(given.text, turn.wanted.text)]
    spoken = detect_language(given.text)
    if "und" not in (spoken, turn.language) and spoken != turn.language:
        found.append(_failure(turn, "language", f"asked in {turn.language}, answered in {spoken}"))
    return found


def facts_of(reply: str, reference: str) -> list[tuple[FailureKind, str]]:
    """See `measures.conflicting_facts`; each once."""
    return list(dict.fromkeys(conflicting_facts(reply, reference)))


def crashed_agents(turns: Iterable[SavedTurn]) -> list[Label]:
    """Agents that were asked and answered not a single turn."""
    answered: dict[Label, bool] = {}
    for turn in turns:
        answered[turn.agent] = answered.get(turn.agent, False) or turn.given.failure not in NO_ANSWER
    return sorted(label for label, has_answered in answered.items() if not has_answered)


def _failure(turn: SavedTurn, kind: FailureKind, detail: str) -> Failure:
    return Failure(
        conversation_id=turn.conversation_id,
        turn=turn.turn,
        kind=kind,
        agent=turn.agent,
        seed=turn.seed,
        detail=detail,
    )
