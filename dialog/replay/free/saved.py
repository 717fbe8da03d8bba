"""Free conversations as they are saved: which are whole, and what stands for those that are missing.

A conversation's turns are written at once and each says how many there are, so
that one that was cut short, or overwritten in part, is told from a whole one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from dialog.metrics.judged import Course, Given, JudgedTurn, Wanted
from dialog.replay.saved import Key, Label, SavedTurn

Conversation = tuple[Label, int, str]
"""Agent, seed, conversation."""


def whole(saved: Mapping[Key, SavedTurn]) -> dict[Conversation, list[SavedTurn]]:
    """The conversations that were saved to their end, each in order; the rest of the turns is left out."""
    found: dict[Conversation, list[SavedTurn]] = {}
    for (label, seed, conversation_id, turn), one in sorted(saved.items()):
        if one.course is not None and one.course.ended is not None and turn == one.course.num_turns - 1:
            places = [(label, seed, conversation_id, at) for at in range(turn + 1)]
            turns = [saved[place] for place in places if place in saved]
            if [t.course and t.course.num_turns for t in turns] == [turn + 1] * (turn + 1):
                found[label, seed, conversation_id] = turns
    return found


def had_all(
    had: Mapping[Conversation, Sequence[SavedTurn]],
    conversations: Iterable[str],
    *,
    labels: Sequence[Label],
    seeds: Sequence[int],
) -> list[SavedTurn]:
    """All turns; a conversation that was never had is one `missing` turn, which failed."""
    found: list[SavedTurn] = []
    for conversation_id in conversations:
        for label in labels:
            for seed in seeds:
                turns = had.get((label, seed, conversation_id)) or [_missing(conversation_id, label, seed)]
                found += turns
    return found


def _missing(conversation_id: str, label: Label, seed: int) -> SavedTurn:
    given = Given(failure="missing", detail="never had", succeeded=False)
    turn = JudgedTurn(
        conversation_id=conversation_id,
        turn=0,
        messages=(),
        wanted=Wanted(),
        given=given,
        course=Course(num_turns=1, ended="failed", goals_met=0),
    )
    return SavedTurn.of(turn, agent=label, seed=seed)
