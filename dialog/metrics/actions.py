"""Actions: are the right tools called with the right values, and how far does a conversation stay right?

Source: Chen et al. 2021, "Action-Based Conversations Dataset" (ABCD), section 5,
and its evaluation code: action state tracking (action, value and joint
accuracy over turns with an action) and cascading evaluation (from every turn
on, how many turns in a row are right, as a share of those that remain).

Deviations: a turn may hold several actions, which must be the same in order;
the step of a turn is right if its intent (where known) is, if actions are taken
exactly where they should be, and if those are right. What is said is not ranked
against candidates here: that is `selection`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from dialog.metrics.intent import intent_accuracy
from dialog.metrics.judged import Action, JudgedTurn
from dialog.metrics.matching import SIGNATURE, values_match
from dialog.metrics.ratio import Part, Ratio, divided
from dialog.text import normalise

if TYPE_CHECKING:
    from dialog.metrics.metric import Floats

_SIGNATURE = f"abcd|{SIGNATURE}|missing:wrong"


def action_accuracy() -> Ratio:
    """Share of turns with actions whose names are right."""
    return _metric("action_accuracy", _same_name)


def action_value_accuracy() -> Ratio:
    """Share of turns with actions whose arguments are right, whatever the names."""
    return _metric("action_value_accuracy", _same_values)


def action_joint_accuracy() -> Ratio:
    """Share of turns with actions whose names and arguments are right: ABCD's joint accuracy (AST)."""
    return _metric("action_joint_accuracy", _same_action)


class Cascade:
    """0..1: the mean over turns of (right turns in a row from there) / (turns that remain).

    Only conversations of which some turn has known actions; each seed's run is one of its own.
    """

    name = "cascade"
    unit = "share"
    higher_is_better: bool | None = True
    signature = f"{_SIGNATURE}|intent:where-known"
    size = 2

    def tally(self, turns: Sequence[JudgedTurn]) -> Floats:
        sums = np.zeros(2)
        for key in {(turn.conversation_id, turn.seed) for turn in turns}:
            steps = sorted((t for t in turns if (t.conversation_id, t.seed) == key), key=lambda t: t.turn)
            if any(step.wanted.actions for step in steps):
                sums += [cascading_score([_is_right(step) for step in steps]), len(steps)]
        return sums

    def value(self, sums: Floats) -> Floats:
        return divided(sums[..., 0], sums[..., 1])


def cascading_score(correct: Sequence[bool]) -> float:
    """Sum over starting turns of the share of what remains that is right before the first mistake."""
    score, run = 0.0, 0
    for remaining, is_right in enumerate(reversed(correct), start=1):
        run = run + 1 if is_right else 0
        score += run / remaining
    return score


def _metric(name: str, same: Callable[[Action, Action], bool]) -> Ratio:
    def part(turn: JudgedTurn) -> Part | None:
        return (float(_all_same(turn, same)), 1) if turn.wanted.actions else None

    return Ratio(name, "share", True, f"{_SIGNATURE}|order:kept", part)


def _is_right(turn: JudgedTurn) -> bool:
    intent = intent_accuracy().part(turn)
    if intent is not None and not intent[0]:
        return False
    return turn.given.failure is None and _all_same(turn, _same_action)


def _all_same(turn: JudgedTurn, same: Callable[[Action, Action], bool]) -> bool:
    wanted, given = turn.wanted.actions or (), turn.given.actions or ()
    return len(wanted) == len(given) and all(map(same, wanted, given))


def _same_name(wanted: Action, given: Action) -> bool:
    return normalise(wanted.name) == normalise(given.name)


def _same_values(wanted: Action, given: Action) -> bool:
    return values_match(wanted.arguments, given.arguments)


def _same_action(wanted: Action, given: Action) -> bool:
    return _same_name(wanted, given) and _same_values(wanted, given)
