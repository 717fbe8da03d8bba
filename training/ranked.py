"""Which of two replies a model finds likelier, before and after: how often it is the one people wanted.

ranking(method, held_out.examples)      # {"couples": 12, "before": 0.5, "after": 0.75, "gain": 0.25, ...}

Replies are compared by log-probability per token, so that length does not
decide; equal ones count a half. Of pairs, the two replies of each are compared;
of opinions, every liked one with every disliked one. The interval is a
bootstrap's, by drawing conversations (`dialog.replay.statistics`).

Legend: C conversations, N replies.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dialog.replay.statistics import Draws, Estimate
from training.examples import Example
from training.methods.preference import Opinion, Pair, PreferenceMethod

Floats = NDArray[np.float64]


def ranking(method: PreferenceMethod, examples: Sequence[Example]) -> dict[str, Any] | None:
    """Shares before and after, their difference and its 95 % interval (None: it rests on too few).

    Returns:
        None if there are no two replies to compare.
    """
    pairs = [one for one in examples if isinstance(one, Pair)]
    good: list[Example] = [*pairs, *(one for one in examples if isinstance(one, Opinion) and one.is_good)]
    bad: list[Example] = [one.rejected for one in pairs]
    bad += [one for one in examples if isinstance(one, Opinion) and not one.is_good]
    if not good or not bad:
        return None
    counts_NN = np.eye(len(pairs)) if pairs else np.ones((len(good), len(bad)))
    ids = sorted({one.conversation_id for one in (*good, *bad)})
    rows, columns = ([ids.index(one.conversation_id) for one in side] for side in (good, bad))
    scores = method.scores([*good, *bad])

    def by_conversation(values_NN: Floats) -> Floats:
        sums_CC = np.zeros((len(ids), len(ids)))
        np.add.at(sums_CC, (np.array(rows)[:, None], np.array(columns)[None]), values_NN)
        return sums_CC

    def right(per_token: Sequence[float]) -> Floats:
        values_N = np.array(per_token)
        beyond_NN = values_N[: len(good), None] - values_N[None, len(good) :]
        return by_conversation(counts_NN * (np.sign(beyond_NN) + 1) / 2)

    all_CC = by_conversation(counts_NN)
    before_CC = right([one.before / one.num_tokens for one in scores])
    after_CC = right([one.after / one.num_tokens for one in scores])
    ends = _estimate(ids, after_CC - before_CC, all_CC).interval(0.95)
    return {
        "couples": int(counts_NN.sum()),
        "conversations": len(ids),
        "before": float(before_CC.sum() / all_CC.sum()),
        "after": float(after_CC.sum() / all_CC.sum()),
        "gain": float((after_CC - before_CC).sum() / all_CC.sum()),
        "ci95": list(ends) if np.isfinite(ends).all() else None,
    }


def _estimate(ids: Sequence[str], values_CC: Floats, all_CC: Floats) -> Estimate:
    """A share over couples, with both conversations of a couple drawn."""
    draws_RC = Draws(ids).weights.astype(np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        replicates_R = _weighted(draws_RC, values_CC) / _weighted(draws_RC, all_CC)
    finite = np.sort(replicates_R[np.isfinite(replicates_R)])
    telling = int((values_CC.any(axis=0) | values_CC.any(axis=1)).sum())
    point = float(values_CC.sum() / all_CC.sum())
    return Estimate(point, finite, len(ids), num_telling=telling)


def _weighted(draws_RC: Floats, values_CC: Floats) -> Floats:
    sums: Floats = ((draws_RC @ values_CC) * draws_RC).sum(axis=1)
    return sums
