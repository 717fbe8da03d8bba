"""Whether a replayed conversation succeeded, where nobody has said so.

In forced replay a conversation never goes its own way, so it has no end to
judge. It counts as a success if every one of its turns is in order: answered,
in the user's language, with no other fact than the reference's, and not
abstained from where the reference answers. Whoever gives `succeeded` on any
turn (an agent that knows the end state) is believed instead.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from dialog.replay.failures import Failure
from dialog.replay.saved import Key, SavedTurn


def with_verdicts(turns: Sequence[SavedTurn], failures: Mapping[Key, Collection[Failure]]) -> list[SavedTurn]:
    """The turns, each with its `succeeded`, but for conversations that have one already."""
    judged = {_run(turn) for turn in turns if turn.given.succeeded is not None}
    return [
        turn if _run(turn) in judged else _with_verdict(turn, is_good=not failures[turn.key])
        for turn in turns
    ]


def _with_verdict(turn: SavedTurn, *, is_good: bool) -> SavedTurn:
    shirks = turn.given.abstained is True and turn.wanted.is_answerable is not False
    given = turn.given.model_copy(update={"succeeded": is_good and not shirks})
    return turn.model_copy(update={"given": given})


def _run(turn: SavedTurn) -> tuple[str, int, str]:
    return (turn.agent, turn.seed, turn.conversation_id)
