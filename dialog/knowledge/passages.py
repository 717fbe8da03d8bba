"""A stored chunk as the passage that a search gives back."""

from __future__ import annotations

from collections.abc import Sequence

from dialog.knowledge.ranking import Found, Hits
from dialog.knowledge.rows import ChunkRow
from dialog.values import Legs, Passage


def passage_of(row: ChunkRow, *, score: float, legs: Sequence[Hits]) -> Passage:
    return Passage(
        id=row.id,
        text=row.text,
        source=row.source,
        title=row.heading,
        score=score,
        char_start=row.char_start,
        char_end=row.char_end,
        legs=Legs(
            lexical=_best_rank(row.number, [leg.lexical for leg in legs]),
            dense=_best_rank(row.number, [leg.dense for leg in legs]),
        ),
        answer=row.answer,
        language=row.language,
        metadata=dict(row.metadata),
    )


def _best_rank(number: int, rankings: Sequence[Found]) -> int | None:
    ranks = [rank for found in rankings for rank, (other, _) in enumerate(found, 1) if other == number]
    return min(ranks, default=None)
