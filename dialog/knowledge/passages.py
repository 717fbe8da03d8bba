"""A stored chunk as the passage that a search gives back."""

from __future__ import annotations

from collections.abc import Sequence

from dialog.knowledge.ranking import Found, Hits
from dialog.knowledge.rows import ChunkRow
from dialog.values import Legs, Passage


def passage_of(row: ChunkRow, *, score: float, legs: Sequence[Hits]) -> Passage:
    pages, sheet = _pages(row.metadata.get("page")), row.metadata.get("sheet")
    return Passage(
        id=row.id,
        text=row.text,
        source=row.source,
        title=row.heading,
        score=score,
        char_start=row.char_start,
        char_end=row.char_end,
        page=min(pages, default=None),
        last_page=max(pages, default=None),
        sheet=sheet if isinstance(sheet, str) and sheet else None,
        legs=Legs(
            lexical=_best_rank(row.number, [leg.lexical for leg in legs]),
            dense=_best_rank(row.number, [leg.dense for leg in legs]),
        ),
        answer=row.answer,
        language=row.language,
        metadata=dict(row.metadata),
    )


def _pages(value: object) -> list[int]:
    """The pages a chunk stands on; a document may also call something else its `page`."""
    found = value if isinstance(value, list) else [value]
    return [page for page in found if isinstance(page, int) and not isinstance(page, bool) and page > 0]


def _best_rank(number: int, rankings: Sequence[Found]) -> int | None:
    ranks = [rank for found in rankings for rank, (other, _) in enumerate(found, 1) if other == number]
    return min(ranks, default=None)
