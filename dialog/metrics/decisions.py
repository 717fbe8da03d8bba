"""Abstention and hand-off: precision, recall and F1 of "I do not know" and "I hand you over".

A turn of which it is known counts; an agent that crashed, or does not say,
decided nothing, which is a miss where it should have.
"""

from __future__ import annotations

from dialog.metrics.judged import JudgedTurn
from dialog.metrics.ratio import Agreement, Counts


def abstention(score: str) -> Agreement:
    """Of turns whose question cannot be answered."""
    return Agreement(f"abstention_{score}", score, f"positive:abstains|missing:no|{score}", _abstains)


def handoff(score: str) -> Agreement:
    """Of turns that a person ought to take over."""
    return Agreement(f"handoff_{score}", score, f"positive:hands-off|missing:no|{score}", _hands_off)


def _abstains(turn: JudgedTurn) -> Counts | None:
    answerable = turn.wanted.is_answerable
    return None if answerable is None else _counts(not answerable, bool(turn.given.abstained))


def _hands_off(turn: JudgedTurn) -> Counts | None:
    wanted = turn.wanted.hands_off
    return None if wanted is None else _counts(wanted, bool(turn.given.handed_off))


def _counts(wanted: bool, given: bool) -> Counts:
    return float(wanted and given), float(given and not wanted), float(wanted and not given)
