"""Intent accuracy, and how well questions outside the scope are told from those inside.

Source: Larson et al. 2019, "An Evaluation Dataset for Intent Classification and
Out-of-Scope Prediction", section 4. A missing intent is wrong, and is not "out of scope".
"""

from __future__ import annotations

from dialog.metrics.judged import JudgedTurn
from dialog.metrics.ratio import Agreement, Counts, Part, Ratio
from dialog.text import normalise

OUT_OF_SCOPE = frozenset(("oos", "out_of_scope", "out of scope", "out-of-scope", "域外", "超出范围"))
_LABELS = "+".join(sorted(OUT_OF_SCOPE - {"域外", "超出范围", "out of scope"}))
_SIGNATURE = "match:nfkc-casefold|missing:wrong"


def intent_accuracy() -> Ratio:
    """Share of turns with a known intent that is given."""
    return Ratio("intent_accuracy", "share", True, _SIGNATURE, _part)


def in_scope_accuracy() -> Ratio:
    """The same over turns whose intent is in scope."""
    return Ratio("in_scope_accuracy", "share", True, f"{_SIGNATURE}|oos:{_LABELS}", _in_scope)


def out_of_scope(score: str) -> Agreement:
    """Precision, recall or F1 of the label "out of scope"."""
    return Agreement(f"oos_{score}", score, f"{_SIGNATURE}|oos:{_LABELS}|{score}", _out_of_scope)


def _part(turn: JudgedTurn) -> Part | None:
    wanted, given = turn.wanted.intent, turn.given.intent
    if wanted is None:
        return None
    return float(given is not None and _label(wanted) == _label(given)), 1


def _in_scope(turn: JudgedTurn) -> Part | None:
    if turn.wanted.intent is None or _label(turn.wanted.intent) in OUT_OF_SCOPE:
        return None
    return _part(turn)


def _out_of_scope(turn: JudgedTurn) -> Counts | None:
    if turn.wanted.intent is None:
        return None
    wanted = _label(turn.wanted.intent) in OUT_OF_SCOPE
    given = turn.given.intent is not None and _label(turn.given.intent) in OUT_OF_SCOPE
    return float(wanted and given), float(given and not wanted), float(wanted and not given)


def _label(intent: str) -> str:
    return normalise(intent).strip()
