"""Scores as people read them: `21.4`, `+6.6`, `+2.1 to +10.3`; `n/a` where nothing can be said."""

from __future__ import annotations

from collections.abc import Sequence


def shown(value: float | None, *, sign: bool = False) -> str:
    """Three significant digits."""
    return "n/a" if value is None else format(value, "+.3g" if sign else ".3g")


def interval(ends: Sequence[float] | None) -> str:
    """Of a difference."""
    return "n/a" if ends is None else " to ".join(shown(end, sign=True) for end in ends)
