"""Forced replay on public sets: number formats, knowledge on and off, hybrid search against its dense leg.

    python -m benchmarks.replay_sets [--scale 1.0]

Each comparison replays a seeded slice of a set, A against B, through what
`instructrec replay` runs. One thread; at scale 1 about 20 minutes of processor
time. Of documents there are those the drawn dialogues are about, and some
others, so finding is easier than in `benchmarks.retrieval`. Nothing was chosen
on these sets. The model is the default one, which writes English only: in
Chinese the agent quotes.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from benchmarks import DATA, markdown, save
from benchmarks._retrieval_sets import RetrievalSet, Turn, read_sets
from benchmarks.retrieval import Hit, searches
from corpora.reading import Reading
from dialog.config import load_config
from dialog.knowledge.base import open_knowledge
from dialog.knowledge.catalog import Catalog
from dialog.knowledge.embed import open_embedder
from dialog.knowledge.index import build_index
from dialog.metrics.judged import Wanted
from dialog.metrics.registry import metric_named
from dialog.replay.agents.answering import ReplayAgent
from dialog.replay.agents.configured import ConfiguredAgent
from dialog.replay.agents.function import FunctionAgent
from dialog.replay.asked import Asked, questions, with_candidates
from dialog.replay.folder import Manifest, RunFolder, hash_of
from dialog.replay.outcome import Data, Fingerprints, Outcome
from dialog.replay.replaying import Judging, replay
from dialog.settings import KnowledgeSection
from dialog.text import detect_language
from dialog.values import Message

SEED = 0
NUM_OTHERS = 20
MAX_TOKENS = 32
SPOKEN = ("token_f1", "rouge_l", "facts", "selection@1", "p50_ms")
GROUNDED = ("token_f1", "groundedness", "citation_hit", "recall@5", "p50_ms")
FOUND = ("recall@5", "mrr@10", "p50_ms")


@dataclass(frozen=True)
class Comparison:
    """What is replayed against what, and how it ended."""

    name: str
    a: str
    b: str
    outcome: Outcome
    cpu_s: float


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", type=float, default=1.0, help="share of the conversations")
    scale = parser.parse_args(arguments).scale
    torch.set_num_threads(1)
    found: list[Comparison] = []
    with tempfile.TemporaryDirectory() as folder:
        for comparison in comparisons(Path(folder), scale):
            found.append(comparison)
            print(f"{comparison.name}, {comparison.a}: {comparison.cpu_s:.0f} s", file=sys.stderr)
            keep(found, scale)
    return 0


def keep(found: Sequence[Comparison], scale: float) -> None:
    """Save what there is: whoever stops the run early keeps the comparisons that ended."""
    header = ("set", "A", "B", "conversations", "turns", "score", "A's", "B's", "A - B", "95 % interval", "p")
    values = {
        f"{one.name}, {one.a} against {one.b}": {
            "cpu_s": one.cpu_s,
            **one.outcome.model_dump(mode="json", include={"num_conversations", "num_turns", "metrics"}),
        }
        for one in found
    }
    rows = [row for comparison in found for row in rows_of(comparison)]
    save("replay-sets", {"scale": scale, **values}, table=markdown(header, rows))


def comparisons(folder: Path, scale: float) -> Iterator[Comparison]:
    """Each as it ends, the cheap ones first; sets whose data is missing are left out, and said."""
    for name in ("tweetsumm", "star", "crosswoz", "doc2dial"):
        if not (DATA / name).is_dir():
            print(f"{name} is not in {DATA}; left out (set INSTRUCTREC_DATA)", file=sys.stderr)
    indexed: dict[str, tuple[RetrievalSet, Path]] = {}
    for whole in read_sets(["crosswoz", "doc2dial"], part="test"):
        found = smaller(whole, num_dialogues=max(4, round(60 * scale)))
        index = folder / f"index-{found.name}"
        build_index(index, [found.write(folder)], KnowledgeSection())
        indexed[found.name] = (found, index)
        yield _search_legs(found, index)
    if "crosswoz" in indexed:
        asked = transcripts("crosswoz/val.jsonl.gz", "crosswoz", num=max(3, round(20 * scale)))
        yield _knowledge("crosswoz", indexed["crosswoz"][1], asked)
    if "doc2dial" in indexed:
        found, index = indexed["doc2dial"]
        yield _knowledge("doc2dial", index, with_candidates(of_turns(found, num=max(3, round(20 * scale)))))
    for name, file, num in (("tweetsumm", "valid.jsonl.gz", 20), ("star", "dialogues_test.jsonl.gz", 8)):
        if (DATA / name).is_dir():
            asked = transcripts(f"{name}/{file}", name, num=max(3, round(num * scale)))
            yield _formats(f"{name} {file.partition('.')[0]}", asked)


def smaller(found: RetrievalSet, *, num_dialogues: int) -> RetrievalSet:
    """Dialogues drawn by seed, and the documents they are about beside `NUM_OTHERS` that they are not."""
    names = sorted({turn.dialogue for turn in found.turns})
    drawn = set(random.Random(SEED).sample(names, min(num_dialogues, len(names))))
    turns = [turn for turn in found.turns if turn.dialogue in drawn]
    wanted = {name for turn in turns for name in turn.documents}
    others = sorted(found.documents.keys() - wanted)
    kept = sorted({*wanted, *random.Random(SEED).sample(others, min(NUM_OTHERS, len(others)))})
    return RetrievalSet(found.name, {name: found.documents[name] for name in kept}, turns)


def transcripts(file: str, format: str, *, num: int) -> list[Asked]:
    """The questions of `num` conversations of a file, drawn by seed."""
    with Reading(DATA / file, format=format) as reading:
        read = list(reading)
    drawn = random.Random(SEED).sample(read, min(num, len(read)))
    return with_candidates([asked for transcript in drawn for asked in questions(transcript).asked])


def of_turns(found: RetrievalSet, *, num: int) -> list[Asked]:
    """The turns of `num` dialogues of a retrieval set; what is wanted is the span that answers."""
    dialogues: dict[str, list[Turn]] = defaultdict(list)
    for turn in found.turns:
        dialogues[turn.dialogue].append(turn)
    drawn = random.Random(SEED).sample(sorted(dialogues), min(num, len(dialogues)))
    return [asked for name in drawn for asked in _asked(found, name, dialogues[name])]


def _asked(found: RetrievalSet, name: str, turns: Sequence[Turn]) -> Iterator[Asked]:
    for number, turn in enumerate(turns):
        text = "\n".join(
            found.documents[document][1][start:end]
            for document in turn.documents
            if turn.spans
            for start, end in turn.spans
        )
        yield Asked(
            conversation_id=name,
            turn=number,
            messages=(*turn.history, Message(role="user", content=turn.query)),
            wanted=Wanted(
                text=text.strip() or None,
                sources=tuple(_source(found.name, one) for one in sorted(turn.documents)),
            ),
            language=detect_language(turn.query),
        )


def _source(set_name: str, document: str) -> str:
    """What passages and citations call a document of the set (`RetrievalSet.write`)."""
    return f"{set_name}.jsonl#{document}"


def _search_legs(found: RetrievalSet, index: Path) -> Comparison:
    """The retriever alone, as two agents that only search."""
    settings = KnowledgeSection()
    catalog = Catalog(next(index.glob("store-*")) / "knowledge.db", read_only=True)
    with open_knowledge(index, settings) as knowledge, closing(catalog):
        by_name = {
            leg: search
            for query, leg, search in searches(knowledge, catalog, open_embedder(settings.embedder))
            if query == "conversation"
        }
        agents = [_searching(found.name, leg, by_name[leg]) for leg in ("fused", "dense")]
        return _compared(
            found.name, "hybrid search", "its dense leg", agents, of_turns(found, num=len(found.turns)), FOUND
        )


def _searching(set_name: str, leg: str, search: Callable[[Turn], Sequence[Hit]]) -> FunctionAgent:
    def answer(line: dict[str, Any]) -> Mapping[str, object]:
        *history, last = (Message.model_validate(one) for one in line["messages"])
        hits = search(Turn(last.content, tuple(history)))
        documents = dict.fromkeys(_source(set_name, hit.document) for hit in hits)
        return {"text": "found", "retrieved": list(documents)}

    return FunctionAgent(answer, timeout_s=600, fingerprint={"leg": leg})


def _knowledge(name: str, index: Path, asked: Sequence[Asked]) -> Comparison:
    agents = [_configured(f"knowledge.path={str(index)!r}"), _configured()]
    return _compared(name, "knowledge on", "knowledge off", agents, asked, GROUNDED)


def _formats(name: str, asked: Sequence[Asked]) -> Comparison:
    agents = [_configured("model.precision='int8'"), _configured("model.precision='fp32'")]
    return _compared(name, "int8", "fp32", agents, asked, SPOKEN)


def _configured(*overrides: str) -> ConfiguredAgent:
    always = (f"sampling.max_tokens={MAX_TOKENS}", "knowledge.path='no-index'", "model.threads=1")
    return ConfiguredAgent(load_config(overrides=[*always, *overrides], environment={}))


def _compared(
    name: str, a: str, b: str, agents: Sequence[ReplayAgent], asked: Sequence[Asked], metrics: Sequence[str]
) -> Comparison:
    before = time.process_time()
    manifest = Manifest(
        seeds=(0,),
        questions=hash_of(asked),
        fingerprints=Fingerprints(a=dict(agents[0].fingerprint), b=dict(agents[1].fingerprint)),
        data=Data(files=()),
    )
    judging = Judging([metric_named(metric) for metric in metrics])
    with tempfile.TemporaryDirectory() as folder, RunFolder(Path(folder)) as run:
        scored = replay(run, manifest, asked, {"a": agents[0], "b": agents[1]}, judging=judging)
    for agent in agents:
        agent.close()
    return Comparison(name, a, b, scored.outcome, time.process_time() - before)


def rows_of(one: Comparison) -> Iterator[tuple[object, ...]]:
    """One row a score that both agents have."""
    about = (one.name, one.a, one.b, one.outcome.num_conversations, one.outcome.num_turns)
    for name, metric in one.outcome.metrics.items():
        if metric.a is None and metric.b is None:
            continue
        ends = metric.ci95
        span = f"{ends[0]:+.3g} to {ends[1]:+.3g}" if ends is not None else "n/a"
        yield (*about, f"`{name}`", *(_shown(value) for value in (metric.a, metric.b)),
               _shown(metric.difference, signed=True), span, _shown(metric.p_value))  # fmt: skip


def _shown(value: float | None, *, signed: bool = False) -> str:
    return "n/a" if value is None else f"{value:+.3g}" if signed else f"{value:.3g}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
