"""Shares and F1 with bootstrap intervals.

interval([True, True, False])       # {"value": 0.667, "low": ..., "high": ..., "num": 3}
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

RESAMPLES = 2000


def interval(is_right: Sequence[bool]) -> dict[str, float] | None:
    """Share of right ones with a 95 % interval; None of nothing."""
    if not is_right:
        return None
    right = np.asarray(is_right, dtype=np.float64)
    draw = np.random.default_rng(0)
    means = draw.binomial(len(right), right.mean(), size=RESAMPLES) / len(right)
    low, high = np.quantile(means, [0.025, 0.975])
    return {"value": float(right.mean()), "low": float(low), "high": float(high), "num": len(right)}


def macro_f1(found: Sequence[str], labels: Sequence[str]) -> dict[str, float] | None:
    """Mean F1 of the labels that occur, with a 95 % interval over texts; None of nothing."""
    if not labels:
        return None
    names = sorted(set(labels))
    made, wanted = np.asarray(found), np.asarray(labels)
    draw = np.random.default_rng(0)
    values = []
    for _ in range(RESAMPLES // 4):
        rows = draw.integers(0, len(wanted), len(wanted))
        values.append(_macro_f1(made[rows], wanted[rows], names))
    low, high = np.quantile(values, [0.025, 0.975])
    return {
        "value": _macro_f1(made, wanted, names),
        "low": float(low),
        "high": float(high),
        "num": len(labels),
    }


def share(found: Mapping[str, float] | None) -> str:
    """`93.1 (91.9-94.2)`, in percent."""
    if found is None:
        return "n/a"
    return f"{100 * found['value']:.1f} ({100 * found['low']:.1f}-{100 * found['high']:.1f})"


def _macro_f1(made: np.ndarray, wanted: np.ndarray, names: Sequence[str]) -> float:
    scores = []
    for name in names:
        both = int(((made == name) & (wanted == name)).sum())
        total = int((made == name).sum()) + int((wanted == name).sum())
        scores.append(2 * both / total if total else 0.0)
    return float(np.mean(scores))
