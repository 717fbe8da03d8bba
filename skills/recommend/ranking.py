"""From a past and a wish to a few items, each with what speaks for it.

    shop = Shop(catalogue, past, weights)
    picks = shop.pick(history=("1",), wish=wish, top_k=3)
    picks[0].item.title, picks[0].reasons

Candidates are retrieved by several legs (item-item, EASE, sequence, popularity,
what was asked for, likeness of the words), what the wish refuses is taken out,
and the rest is ordered by the fused columns. A wanted kind or like words count
beside them; a model's matching scores reorder the head if they are given.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property

import numpy as np

from dialog.protocols import Embedder
from dialog.values import Language, Value
from skills.recommend.behaviour import Behaviour, Floats
from skills.recommend.catalogue import Catalogue, Item
from skills.recommend.critique import Wish
from skills.recommend.features import COLUMNS, Features, standardised
from skills.recommend.fusion import Weights
from skills.wordings import load

NUM_HEAD = 20
"""So many of the best are shown to a model, where one is asked."""
_LEG_ITEMS = 100
_LEGS = ("recent_popularity", "popularity", "recent_item_item", "ease", "sequence")
_ASKED_WEIGHT = 2.0
_LIKED_WORDS_WEIGHT = 1.0
Match = Callable[[Sequence[str]], Sequence[float]]
"""A score for each title, higher for what fits better."""


class Reason(Value):
    """One thing that speaks for an item, the items of the past and the user's words it rests on."""

    text: str
    items: tuple[str, ...] = ()
    words: str = ""


class Pick(Value):
    """An item, its score among the candidates, and why."""

    item: Item
    score: float
    reasons: tuple[Reason, ...]


class Shop:
    """A catalogue, what was taken from it, and how much each column counts."""

    def __init__(self, catalogue: Catalogue, past: Behaviour, weights: Weights) -> None:
        self.catalogue = catalogue
        self.past = past
        self.weights = weights
        self._vectors_ND: Floats | None = None

    @cached_property
    def features(self) -> Features:
        return Features(self.past, self.catalogue)

    def pick(
        self,
        *,
        history: Sequence[str],
        wish: Wish,
        top_k: int,
        language: Language = "en",
        shown: Sequence[str] = (),
        likeness_N: Floats | None = None,
        match: Match | None = None,
        match_weight: float = 0.0,
    ) -> list[Pick]:
        """The best that the wish allows, best first; none of the history, none that was `shown`.

        Args:
            history: ids, oldest first; ids that are not in the catalogue are passed over.
            likeness_N: likeness of each item's words to what was asked, from `likeness`.
            match: a model's scores for titles, fused with `match_weight` over the head.
        """
        places = [
            self.catalogue.places[one] for one in (*history, *wish.liked) if one in self.catalogue.places
        ]
        now_s = float(self.past.times[0][-1]) if len(self.past.times[0]) else 0.0
        columns_NF = self.features.of(places, now_s=now_s)
        barred = {*history, *wish.liked, *shown}
        candidates = self._candidates(columns_NF, wish, barred, likeness_N)
        if not candidates:
            return []
        scores_C = standardised(columns_NF[candidates]) @ self.weights.vector
        asked_C = [len(set(wish.wanted) & set(self.catalogue.items[place].tags)) for place in candidates]
        scores_C = scores_C + _ASKED_WEIGHT * np.array(asked_C)
        if likeness_N is not None:
            like_C = standardised(likeness_N[candidates][:, None])[:, 0]
            scores_C = scores_C + _LIKED_WORDS_WEIGHT * like_C
        order = np.argsort(-scores_C, kind="stable")
        if match is not None and match_weight:
            order = self._rematched(order, candidates, scores_C, match, match_weight)
        return [
            Pick(
                item=self.catalogue.items[candidates[at]],
                score=round(float(scores_C[at]), 4),
                reasons=self._reasons(candidates[at], places, wish, language),
            )
            for at in order[:top_k].tolist()
        ]

    def likeness(self, text: str, embedder: Embedder) -> Floats:
        """Cosine of a text to each item's title, kinds and description; items are embedded once."""
        if self._vectors_ND is None:
            told = [" ".join((item.title, *item.tags, item.text)) for item in self.catalogue.items]
            self._vectors_ND = np.asarray(embedder.embed_passages(told))
        return np.asarray(self._vectors_ND @ np.asarray(embedder.embed_queries([text]))[0], dtype=np.float64)

    def _candidates(
        self, columns_NF: Floats, wish: Wish, barred: set[str], likeness_N: Floats | None
    ) -> list[int]:
        items = self.catalogue.items
        allowed = [p for p, item in enumerate(items) if item.id not in barred and wish.allows(item)]
        asked = [place for place in allowed if set(wish.wanted) & set(items[place].tags)]
        pool = np.array(asked if wish.wanted else allowed, dtype=np.int64)
        legs = [columns_NF[pool, COLUMNS.index(name)] for name in _LEGS]
        legs += [likeness_N[pool]] if likeness_N is not None else []
        found = {int(place) for leg in legs for place in pool[np.argsort(-leg, kind="stable")[:_LEG_ITEMS]]}
        return sorted(found)

    def _rematched(
        self, order: np.ndarray, candidates: list[int], scores_C: Floats, match: Match, weight: float
    ) -> np.ndarray:
        head = order[:NUM_HEAD]
        told = match([self.catalogue.items[candidates[at]].title for at in head.tolist()])
        own_H, match_H = (standardised(np.array(one)[:, None])[:, 0] for one in (scores_C[head], told))
        return np.concatenate(
            [head[np.argsort(-(own_H + weight * match_H), kind="stable")], order[NUM_HEAD:]]
        )

    def _reasons(self, place: int, past: Sequence[int], wish: Wish, language: Language) -> tuple[Reason, ...]:
        items, item = self.catalogue.items, self.catalogue.items[place]
        wordings, between = load("recommend"), "、" if language == "zh" else ", "
        found: list[Reason] = []
        kinds = [kind for kind in wish.wanted if kind in item.tags]
        if kinds:
            words = between.join(one.words for one in wish.evidence if one.about in kinds)
            text = wordings.fill("reason_kind", language, kinds=between.join(kinds), words=words)
            found.append(Reason(text=text, words=words))
        if past:
            alike, together = self.features.alike(place, past), self.features.together(place, past)
            best = int(np.argmax(alike))
            other = items[past[best]]
            shared = [kind for kind in item.tags if kind in other.tags]
            if together[best] > 0:
                text = wordings.fill("reason_past", language, past=other.title, count=str(together[best]))
                found.append(Reason(text=text, items=(other.id,)))
            elif shared:
                told = between.join(shared)
                text = wordings.fill("reason_shared_kind", language, kinds=told, past=other.title)
                found.append(Reason(text=text, items=(other.id,)))
        if not found:
            count = int(self.past.popularity[place])
            text = (
                wordings.fill("reason_popular", language, count=str(count))
                if count
                else wordings.fill("reason_none", language)
            )
            found.append(Reason(text=text))
        return tuple(found)
