"""Dialogue state: joint goal accuracy and slot F1.

Source: Henderson et al. 2014, "The Second Dialog State Tracking Challenge", and
Rastogi et al. 2020 (SGD), section 5.1. Hard joint accuracy: every slot right
and none too many. Values are compared by type, see `dialog.metrics.matching`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from dialog.metrics.judged import JudgedTurn
from dialog.metrics.matching import SIGNATURE, values_match
from dialog.metrics.ratio import Agreement, Counts, Part, Ratio
from dialog.text import normalise


def joint_goal_accuracy() -> Ratio:
    """Share of turns with a known state that is given whole; a missing state is wrong."""
    return Ratio("joint_goal_accuracy", "share", True, f"jga:hard|{SIGNATURE}|missing:wrong", _joint)


def slot(score: str) -> Agreement:
    """Precision, recall or F1 of slots; a wrong value is one too many and one missed."""
    return Agreement(f"slot_{score}", score, f"{score}:micro|{SIGNATURE}|missing:missed", _slots)


def flattened(state: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """(slot, value) pairs: nested objects by `domain.slot`; empty values are no slots."""
    for name, value in state.items():
        path = f"{prefix}{normalise(str(name)).strip()}"
        if isinstance(value, Mapping):
            yield from flattened(value, f"{path}.")
        elif value not in (None, "", [], ()):
            yield path, value


def _joint(turn: JudgedTurn) -> Part | None:
    counts = _slots(turn)
    if counts is None:
        return None
    return float(turn.given.state is not None and counts[1] == counts[2] == 0), 1


def _slots(turn: JudgedTurn) -> Counts | None:
    if turn.wanted.state is None:
        return None
    wanted, given = dict(flattened(turn.wanted.state)), dict(flattened(turn.given.state or {}))
    right = sum(name in given and values_match(value, given[name]) for name, value in wanted.items())
    return float(right), float(len(given) - right), float(len(wanted) - right)
