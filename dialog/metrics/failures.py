"""Turns that brought no reply, and turns that state another fact than the reference."""

from __future__ import annotations

from dialog.metrics.facts.compare import MAX_CHARS, ConflictKind, compare
from dialog.metrics.judged import JudgedTurn
from dialog.metrics.ratio import Part, Ratio


def answered() -> Ratio:
    """Share of turns with a reply that is not empty; language failures are `language_match`'s."""
    return Ratio("answered", "share", True, "missing+crash+timeout+empty:0", _answered)


def facts(kind: ConflictKind | None = None) -> Ratio:
    """Share of turns with a reference whose reply states no other fact; of one kind, if it is given.

    Relative days are relative to the newest message that has a time.
    A missing reply, and one that is too long to be compared, is a failure.
    """

    def part(turn: JudgedTurn) -> Part | None:
        if turn.wanted.text is None:
            return None
        if turn.given.text is None:
            return 0, 1
        times = (message.time for message in reversed(turn.messages) if message.time is not None)
        said_on = next((time.date() for time in times), None)
        found = compare(turn.given.text, turn.wanted.text, today=said_on)
        is_right = not found.refused and not any(
            kind in (None, conflict.kind) for conflict in found.conflicts
        )
        return float(is_right), 1

    signature = f"facts:number+money+date+identifier+negation|align:content-words|max:{MAX_CHARS}"
    return Ratio(f"facts@{kind}" if kind else "facts", "share", True, signature, part)


def _answered(turn: JudgedTurn) -> Part | None:
    return float(bool(turn.given.text and turn.given.text.strip())), 1
