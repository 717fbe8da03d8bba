"""Reading question and passage together: the first passages of a search, put into a better order.

    st:NAME_OR_PATH     a cross-encoder: a sequence classifier with one score (or two classes) a pair,
                        as sentence-transformers saves them; hub name or folder
    model               the language model that answers: how likely it finds the question after a passage

Off by default (`knowledge.reranker`): each search then reads its first passages
with a second model.

    reranker = open_reranker("st:models/cross-encoder")
    rows = reordered(reranker, "How long is the warranty?", ranked, rows)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from dialog.errors import ConfigError
from dialog.knowledge.likelihood import QueryLikelihood
from dialog.knowledge.ranking import Ranked
from dialog.knowledge.rows import ChunkRow
from dialog.protocols import LanguageModel, Reranker

RERANKED = 20
"""So many passages are read again; a better one further down stays there."""


def open_reranker(name: str, *, model: Callable[[], LanguageModel] | None = None) -> Reranker:
    """The reranker called `name`; nothing is loaded or fetched yet.

    Args:
        model: gives the language model, for the reranker of that name; using that without is a ConfigError.

    Raises:
        ConfigError: no such kind of name.
    """
    if name == "model":
        return QueryLikelihood(model or _no_model)
    kind, _, rest = name.partition(":")
    if kind == "st" and rest:
        from dialog.knowledge.cross_encoder import CrossEncoder

        return CrossEncoder(rest)
    raise ConfigError(
        f"knowledge.reranker = {name!r} is not known; use model, st:NAME_OR_PATH, or leave it out"
    )


def _no_model() -> LanguageModel:
    raise ConfigError(
        'knowledge.reranker = "model" asks the language model, which is not open here; '
        "leave knowledge.reranker out for this, or name st:NAME_OR_PATH"
    )


def reordered(
    reranker: Reranker, query: str, ranked: Sequence[Ranked], rows: Sequence[ChunkRow]
) -> tuple[list[Ranked], list[ChunkRow]]:
    """The first passages by the reranker's score, equal ones as they were; the rest follow.

    The fused scores are dealt out again in the new order, so that they still fall and lie in [0, 1].
    """
    first = rows[:RERANKED]
    scores = reranker.scores(
        query, [f"{row.heading}\n{row.text}" if row.heading else row.text for row in first]
    )
    order = sorted(range(len(first)), key=lambda i: -scores[i])
    moved = [*(rows[i] for i in order), *rows[len(first) :]]
    return [Ranked(number=row.number, score=one.score) for row, one in zip(moved, ranked, strict=True)], moved
