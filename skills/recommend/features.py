"""What speaks for each item, given what somebody took before: nine columns, classical and cheap.

    features = Features(past, catalogue)
    columns = features.of(history, now_s=now)               # (items, columns)
    scores = standardised(columns[candidates]) @ weights    # among themselves

No matrix of items by items is made: a user's row of it costs two products with
the matrix of users by items. That the item-item columns look at the last items
harder is the recency of this user; that of the crowd is `recent_popularity`.

Shapes: U users, N items, H items of one history, F columns.
Source: Steck, Embarrassingly Shallow Autoencoders (WWW 2019), 3.1, with the
inverse taken over users (Woodbury), for there are fewer of them than items.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from skills.recommend.behaviour import Behaviour, Floats
from skills.recommend.catalogue import Catalogue

COLUMNS = (
    "popularity",
    "recent_popularity",
    "item_item",
    "recent_item_item",
    "last_item_item",
    "ease",
    "sequence",
    "kinds",
    "period",
)
_RIDGE = 300.0
_HALF_YEAR_S = 180 * 86_400.0
_FADE = 0.9
_LAST = 5
_SEQUENCE_ITEMS = 20
_SEQUENCE_FADE = 0.8
_WINDOW = 10
_SHRINK = 5.0
_KIND_ITEMS = 30
_PERIOD_YEARS = 5.0


class Features:
    """The columns over one past and one catalogue."""

    def __init__(self, past: Behaviour, catalogue: Catalogue) -> None:
        self.past = past
        self.num_items = len(catalogue.items)
        self._root_N = np.sqrt(np.maximum(past.popularity, 1))
        self._kinds_NK = _kinds(catalogue)
        self._years_N = np.array([np.nan if item.year is None else item.year for item in catalogue.items])
        taken_UN = past.taken
        gram_UU = (taken_UN @ taken_UN.T).astype(np.float64) + _RIDGE * np.eye(len(taken_UN))
        self._solved_UN = np.linalg.solve(gram_UU, taken_UN) if len(taken_UN) else taken_UN
        own_N = np.einsum("un,un->n", taken_UN, self._solved_UN)
        self._diagonal_N = np.maximum((1 - own_N) / _RIDGE, 1e-12)

    def of(self, history: Sequence[int], *, now_s: float) -> Floats:
        """The columns for somebody who took `history` (places, oldest first) by `now_s`; (N, F)."""
        age_H = np.arange(len(history), dtype=np.float64)[::-1]
        columns = (
            np.log1p(self.past.popularity),
            np.log1p(self._recent(now_s)),
            self._item_item(history, np.ones(len(history))),
            self._item_item(history, np.asarray(_FADE**age_H, dtype=np.float64)),
            self._item_item(history[-_LAST:], np.ones(min(_LAST, len(history)))),
            self._ease(history),
            self._sequence(history),
            self._kinds(history),
            self._period(history),
        )
        return np.stack(columns, axis=1)

    def together(self, one: int, others: Sequence[int]) -> NDArray[np.int64]:
        """How many users took `one` and each of `others`."""
        taken_UN = self.past.taken
        return (taken_UN[:, one] @ taken_UN[:, list(others)]).astype(np.int64)

    def alike(self, one: int, others: Sequence[int]) -> Floats:
        """Cosine of the users of `one` and of each of `others`."""
        both = self.together(one, others)
        return np.asarray(both / (self._root_N[one] * self._root_N[list(others)]))

    def _recent(self, now_s: float) -> Floats:
        """Events before `now_s`, each half a year older worth 1/e of the one after; never the future's."""
        times, places = self.past.times
        before = int(np.searchsorted(times, now_s, side="right"))
        weights = np.exp((times[:before] - now_s) / _HALF_YEAR_S)
        return np.bincount(places[:before], weights=weights, minlength=self.num_items).astype(np.float64)

    def _item_item(self, history: Sequence[int], weights_H: Floats) -> Floats:
        """Sum of cosines to the items of the history; an item's likeness to itself is left out."""
        row_N = np.zeros(self.num_items)
        np.add.at(row_N, list(history), weights_H)
        scaled_N = row_N / self._root_N
        taken_UN = self.past.taken
        near_N = (taken_UN @ scaled_N.astype(np.float32)) @ taken_UN / self._root_N
        return near_N - row_N * (self.past.popularity > 0)

    def _ease(self, history: Sequence[int]) -> Floats:
        row_N = np.zeros(self.num_items)
        row_N[list(history)] = 1
        solved_N = (row_N - (self.past.taken @ row_N) @ self._solved_UN) / _RIDGE
        return np.asarray(row_N - solved_N / self._diagonal_N)

    def _sequence(self, history: Sequence[int]) -> Floats:
        """What others took shortly after (half: before) the last items, nearer and rarer items worth more."""
        found_N = np.zeros(self.num_items)
        steps = [*range(1, _WINDOW + 1), *range(-_WINDOW, 0)]
        for age, place in enumerate(reversed(history[-_SEQUENCE_ITEMS:])):
            standing = self.past.standing.get(place)
            if standing is None:
                continue
            own_N = np.zeros(self.num_items)
            for step in steps:
                _walk(self.past.sequence, standing, step, own_N)
            own_N[place] = 0
            found_N += _SEQUENCE_FADE**age * own_N / np.sqrt(self.past.popularity[place] + _SHRINK)
        return np.asarray(found_N / np.sqrt(self.past.popularity + _SHRINK))

    def _kinds(self, history: Sequence[int]) -> Floats:
        recent = list(history[-_KIND_ITEMS:])
        if not recent:
            return np.zeros(self.num_items)
        return np.asarray(self._kinds_NK @ self._kinds_NK[recent].mean(axis=0))

    def _period(self, history: Sequence[int]) -> Floats:
        """How near in years of making to the last items; 0 where the year is not known."""
        years_H = self._years_N[list(history[-_SEQUENCE_ITEMS:])]
        years_H = years_H[~np.isnan(years_H)]
        if not len(years_H):
            return np.zeros(self.num_items)
        apart_NH = np.abs(self._years_N[:, None] - years_H)
        return np.asarray(np.nan_to_num(np.exp(-apart_NH / _PERIOD_YEARS).mean(axis=1)))


def standardised(columns_CF: Floats) -> Floats:
    """Each column of the candidates with mean 0 and deviation 1 among them; a constant one is 0."""
    spread_F = columns_CF.std(axis=0)
    return np.asarray((columns_CF - columns_CF.mean(axis=0)) / np.where(spread_F > 1e-12, spread_F, 1))


def _walk(sequence: NDArray[np.int64], standing: NDArray[np.int64], step: int, into_N: Floats) -> None:
    """Add what stands `step` from each standing place and belongs to the same user."""
    reached = standing + step
    inside = (reached >= 0) & (reached < len(sequence))
    standing, reached = standing[inside], reached[inside]
    ends = np.flatnonzero(sequence == -1)
    same = np.searchsorted(ends, standing) == np.searchsorted(ends, reached)
    met = sequence[reached[same]]
    np.add.at(into_N, met[met >= 0], (1.0 if step > 0 else 0.5) / abs(step))


def _kinds(catalogue: Catalogue) -> Floats:
    """Unit rows of the items' kinds, zero where an item has none; (N, K)."""
    columns = {tag: number for number, tag in enumerate(catalogue.tags)}
    rows = np.zeros((len(catalogue.items), max(1, len(columns))))
    for place, item in enumerate(catalogue.items):
        rows[place, [columns[tag] for tag in item.tags]] = 1
    length_N = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.where(length_N > 0, length_N, 1))
