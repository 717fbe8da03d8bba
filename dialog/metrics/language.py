"""Language match: is the reply in the language of the question?

A reply without words of either language (`¥199`) fits every question; a
missing one fits none. Questions of no language (`???`) are left out.
"""

from __future__ import annotations

from dialog.metrics.judged import JudgedTurn
from dialog.metrics.ratio import Part, Ratio
from dialog.text import detect_language


def language_match() -> Ratio:
    """Share of turns."""
    return Ratio("language_match", "share", True, "detector:dialog.text|missing:wrong", _part)


def _part(turn: JudgedTurn) -> Part | None:
    if turn.language == "und":
        return None
    if turn.given.text is None:
        return 0, 1
    return float(detect_language(turn.given.text) in (turn.language, "und")), 1
