"""How much each column counts: weights learned from what people took next, kept as JSON.

    weights = fit(events, catalogue, users=some_of_them)
    scores = standardised(columns_NF[candidates]) @ weights.vector
    weights.save(Path("weights.json"))

Each of the last items of the users given is hidden and set among 99 that the
user never took, half of the lists uniform, half drawn by popularity; a softmax
regression learns to find it. Where there is too little past to learn from,
`EVEN` counts all columns alike and says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from corpora.files import replacing
from dialog.errors import SkillError
from dialog.values import Value
from skills.recommend.behaviour import Behaviour, Floats, Taken
from skills.recommend.catalogue import Catalogue
from skills.recommend.features import COLUMNS, Features, standardised

NUM_NEGATIVES = 99
_NUM_HIDDEN = 5
_LEAST_HISTORY = 2 * _NUM_HIDDEN
LEAST_USERS = 20
_L2 = 1e-3
_STEPS = 100
_HALVINGS = 30
_LEAST_GAIN = 1e-9
Draw = Literal["uniform", "popularity"]


class Weights(Value):
    """A weight a column, and what they were learned from: users, lists of candidates, seed."""

    columns: tuple[str, ...] = COLUMNS
    values: tuple[float, ...] = (1.0,) * len(COLUMNS)
    num_users: int = 0
    num_lists: int = 0
    seed: int | None = None

    @property
    def vector(self) -> Floats:
        """The values in the order of `features.COLUMNS`."""
        return np.array([dict(zip(self.columns, self.values, strict=True))[name] for name in COLUMNS])

    def save(self, path: Path) -> None:
        """Write them, whole or not at all."""
        with replacing(path) as file:
            file.write(self.model_dump_json(indent=1).encode("utf-8") + b"\n")


EVEN = Weights()


def load_weights(path: Path) -> Weights:
    """Weights that were saved. Raises SkillError."""
    try:
        weights = Weights.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise SkillError(
            f"{path}: holds no weights ({error}); delete it to have them learned anew"
        ) from error
    if set(weights.columns) != set(COLUMNS) or len(weights.values) != len(weights.columns):
        raise SkillError(f"{path}: has the columns {weights.columns}, not {COLUMNS}; delete it")
    return weights


def fit(events: Sequence[Taken], catalogue: Catalogue, *, users: Sequence[str], seed: int = 0) -> Weights:
    """Weights that find what `users` took last; the last items of nobody else are hidden.

    Returns `EVEN` where fewer than `LEAST_USERS` of them have a history long enough.
    """
    whole = Behaviour(events, num_items=len(catalogue.items))
    chosen = [user for user in sorted(set(users)) if len(whole.histories.get(user, ())) >= _LEAST_HISTORY]
    if len(chosen) < LEAST_USERS:
        return EVEN
    hidden = {user: whole.histories[user][-_NUM_HIDDEN:] for user in chosen}
    kept = [
        event
        for user, one in whole.histories.items()
        for event in one[: -_NUM_HIDDEN if user in hidden else None]
    ]
    past = Behaviour(kept, num_items=len(catalogue.items))
    features = Features(past, catalogue)
    draw = np.random.default_rng(seed)
    lists = []
    for user in chosen:
        history = past.histories[user]
        columns_NF = features.of([event.place for event in history], now_s=history[-1].time_s)
        seen = [event.place for event in whole.histories[user]]
        for number, event in enumerate(hidden[user]):
            how: Draw = "popularity" if number % 2 else "uniform"
            candidates = [event.place, *negatives(past.popularity, seen, how=how, draw=draw)]
            lists.append(standardised(columns_NF[candidates]))
    values = softmax_regression(np.stack(lists))
    return Weights(
        values=tuple(round(float(value), 6) for value in values),
        num_users=len(chosen),
        num_lists=len(lists),
        seed=seed,
    )


def negatives(
    popularity_N: Floats, seen: Sequence[int], *, how: Draw, draw: np.random.Generator
) -> NDArray[np.int64]:
    """Up to 99 places not in `seen`, without repetition, in the order they were drawn."""
    chances_N = popularity_N.copy() if how == "popularity" else np.ones(len(popularity_N))
    chances_N[list(seen)] = 0
    num = min(NUM_NEGATIVES, int((chances_N > 0).sum()))
    return draw.choice(len(chances_N), num, replace=False, p=chances_N / chances_N.sum())


def softmax_regression(lists_LCF: Floats, *, l2: float = _L2) -> Floats:
    """Weights under which the first of C candidates is likeliest among them; Newton's steps, halved
    until they gain."""
    weights_F = np.zeros(lists_LCF.shape[2])
    loss, slope_F, curve_FF = _loss(lists_LCF, weights_F, l2)
    for _ in range(_STEPS):
        step_F = np.linalg.solve(curve_FF, slope_F)
        tried = next(
            (
                (weights_F - step_F / 2**half, known)
                for half in range(_HALVINGS)
                if (known := _loss(lists_LCF, weights_F - step_F / 2**half, l2))[0] < loss - _LEAST_GAIN
            ),
            None,
        )
        if tried is None:
            break
        weights_F, (loss, slope_F, curve_FF) = tried
    return np.asarray(weights_F)


def _loss(lists_LCF: Floats, weights_F: Floats, l2: float) -> tuple[float, Floats, Floats]:
    """Mean negative log-likelihood of the firsts with its penalty, its slope (F) and curvature (F, F)."""
    logits_LC = lists_LCF @ weights_F
    logits_LC -= logits_LC.max(axis=1, keepdims=True)
    shares_LC = np.exp(logits_LC)
    sums_L = shares_LC.sum(axis=1)
    shares_LC /= sums_L[:, None]
    mean_LF = np.einsum("lc,lcf->lf", shares_LC, lists_LCF)
    apart_LCF = (lists_LCF - mean_LF[:, None]) * np.sqrt(shares_LC)[:, :, None]
    flat = apart_LCF.reshape(-1, lists_LCF.shape[2])
    curve_FF = flat.T @ flat / len(lists_LCF) + 2 * l2 * np.eye(len(weights_F))
    slope_F = (mean_LF - lists_LCF[:, 0]).mean(axis=0) + 2 * l2 * weights_F
    loss = float((np.log(sums_L) - logits_LC[:, 0]).mean() + l2 * (weights_F**2).sum())
    return loss, slope_F, curve_FF
