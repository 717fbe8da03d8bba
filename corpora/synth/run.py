"""Documents to marked conversations: read, made, filtered, written with where each came from.

    report = synthesise([Path("help-centre")], Path("made.jsonl"), Synthesis(seed=1), embedder=embedder)
    report.num_written, report.dropped

Every conversation is tagged `synthetic`, and `meta.synthetic` is true; `meta.made_from`
tells for each exchange its kind, who worded the question, and the passage: source,
span in the document, and the hash that is the passage's id in an index.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from corpora.schema import write_transcripts
from corpora.synth.filters import Filters
from corpora.synth.making import Conversation, Made, conversations, reworded
from corpora.synth.passages import Topic, topics
from corpora.synth.wording import ModelWording
from dialog.errors import CorpusError
from dialog.knowledge.base import open_knowledge
from dialog.knowledge.index import build_index
from dialog.knowledge.records import Skip
from dialog.protocols import Embedder
from dialog.settings import KnowledgeSection
from dialog.values import Message, Transcript


@dataclass(frozen=True)
class Synthesis:
    """How to make: `variants` conversations a topic, at most `limit` topics, the seed."""

    variants: int = 2
    limit: int | None = None
    seed: int = 0


@dataclass
class Report:
    """What came of it; `dropped` counts turns and conversations thrown out, by reason."""

    num_topics: int = 0
    num_unusable: int = 0
    num_made: int = 0
    num_unworded: int = 0
    num_written: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    dropped: Counter[str] = field(default_factory=Counter)
    skipped: list[Skip] = field(default_factory=list)


def synthesise(
    paths: Sequence[Path],
    out: Path,
    synthesis: Synthesis,
    *,
    embedder: Embedder,
    section: KnowledgeSection | None = None,
    wording: ModelWording | None = None,
) -> Report:
    """Make conversations from the documents and write those that stand, whole or not at all.

    Raises:
        CorpusError: the documents hold nothing to ask about, or the file cannot be written.
        KnowledgeError: the documents cannot be indexed.
        ModelError: the model fails.
    """
    section = section or KnowledgeSection()
    read = topics(paths, limit_words=section.chunk_tokens)
    report = Report(num_topics=len(read.topics), num_unusable=read.num_unusable, skipped=read.skipped)
    if not read.topics:
        problem = "holds nothing to ask about: headed sections or FAQ entries in Chinese or English"
        raise CorpusError(problem, path=paths[0])
    chosen = read.topics[: synthesis.limit] if synthesis.limit else read.topics
    with TemporaryDirectory() as folder:
        index = Path(folder) / "index"
        build_index(index, paths, section, embedder=embedder)
        with open_knowledge(index, section, embedder=embedder) as knowledge:
            filters = Filters(knowledge)
            made = _counted(_made(chosen, synthesis, wording, report), report)
            report.num_written = write_transcripts(
                out, (_transcript(one, synthesis.seed, report) for one in filters(made))
            )
            report.dropped = filters.dropped
    return report


def _made(
    chosen: Sequence[Topic], synthesis: Synthesis, wording: ModelWording | None, report: Report
) -> Iterator[Conversation]:
    for one in conversations(chosen, seed=synthesis.seed, variants=synthesis.variants):
        topic = one.turns[0].topic
        if wording is None or topic is None:
            yield one
            continue
        question = wording.question(topic, seed=synthesis.seed + one.number)
        if question is None:
            report.num_unworded += 1
            continue
        yield reworded(one, question, made_by=f"model {wording.name}")


def _counted(made: Iterator[Conversation], report: Report) -> Iterator[Conversation]:
    for one in made:
        report.num_made += 1
        yield one


def _transcript(one: Conversation, seed: int, report: Report) -> Transcript:
    report.kinds.update(turn.kind for turn in one.turns)
    messages = [
        message
        for turn in one.turns
        for message in (
            Message(role="user", content=turn.question),
            Message(role="assistant", content=turn.answer),
        )
    ]
    return Transcript(
        id=f"synthetic-{seed}-{one.number:06d}",
        messages=tuple(messages),
        tags=("synthetic",),
        meta={"synthetic": True, "made_from": [_provenance(turn) for turn in one.turns]},
    )


def _provenance(turn: Made) -> dict[str, Any]:
    known: dict[str, Any] = {"kind": turn.kind, "question_by": turn.made_by}
    if turn.topic is not None:
        topic = turn.topic
        known |= {"source": topic.source, "passage_id": topic.passage_id}
        if turn.kind != "source":
            known |= {"char_start": topic.start, "char_end": topic.end}
    return known
