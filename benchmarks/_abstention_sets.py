"""Questions that a base answers and questions that it does not, each set with its base.

    for asked in read_sets(folder): print(asked.name, asked.sources, len(asked.questions))

* shop: `examples/shop` and its questions in both languages, a fit and a report part.
* mtrag_un: all passages that its conversations cite; answerable and unanswerable turns with their
  history, report only (those partly answered or underspecified are left out).
* clinc150: ten seeded examples an intent as documents; in-scope and out-of-scope questions, every
  second one to fit on.
"""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from benchmarks import DATA
from dialog.values import Language, Message

EXAMPLES = Path(__file__).parents[1] / "examples"
EXAMPLES_AN_INTENT = 10
IN_SCOPE = 300
Part = Literal["fit", "report"]


@dataclass(frozen=True)
class Question:
    """A question and whether its base answers it."""

    text: str
    language: Language
    part: Part
    is_answerable: bool
    history: tuple[Message, ...] = ()


@dataclass(frozen=True)
class AskedBase:
    """A knowledge base to index and the questions put to it."""

    name: str
    sources: tuple[Path, ...]
    questions: tuple[Question, ...]


def read_sets(folder: Path) -> Iterator[AskedBase]:
    """The sets whose data is there; what has to be written as files goes into `folder`."""
    yield _shop()
    if (DATA / "mtrag_un").is_dir():
        yield _mtrag(folder)
    if (DATA / "clinc150").is_dir():
        yield _clinc(folder)


def _shop() -> AskedBase:
    questions = []
    for name in ("answerable", "unanswerable"):
        for line in (EXAMPLES / "questions" / f"{name}.jsonl").read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            history = tuple(Message.model_validate(message) for message in row.get("history", ()))
            questions.append(
                Question(row["question"], row["language"], row["part"], name == "answerable", history)
            )
    return AskedBase("shop", (EXAMPLES / "shop",), tuple(questions))


def _mtrag(folder: Path) -> AskedBase:
    with gzip.open(DATA / "mtrag_un" / "reference.jsonl.gz", "rt", encoding="utf-8") as file:
        rows: list[dict[str, Any]] = [json.loads(line) for line in file]
    contexts = {context["document_id"]: context for row in rows for context in row["contexts"]}
    texts = {key: (context.get("title") or "", context["text"]) for key, context in contexts.items()}
    kinds = {"ANSWERABLE": True, "UNANSWERABLE": False}
    questions = []
    for row in rows:
        if (kind := row["answerability"][0]) in kinds:
            *before, last = row["input"]
            history = tuple(
                Message(role="user" if one["speaker"] == "user" else "assistant", content=one["text"])
                for one in before
            )
            questions.append(Question(last["text"], "en", "report", kinds[kind], history))
    return AskedBase("mtrag_un", (_written(folder / "mtrag_un.jsonl", texts),), tuple(questions))


def _clinc(folder: Path) -> AskedBase:
    with gzip.open(DATA / "clinc150" / "data_full_train_val.json.gz", "rt", encoding="utf-8") as file:
        splits: dict[str, list[tuple[str, str]]] = json.load(file)
    generator = random.Random(0)
    intents: dict[str, list[str]] = {}
    for text, intent in splits["train"]:
        intents.setdefault(intent, []).append(text)
    texts = {
        f"{intent}-{i}": ("", text)
        for intent, said in intents.items()
        for i, text in enumerate(generator.sample(said, EXAMPLES_AN_INTENT))
    }
    asked = [(text, True) for text, _ in generator.sample(splits["val"], IN_SCOPE)]
    asked += [(text, False) for text, _ in (*splits["oos_val"], *splits["oos_train"])]
    parts: tuple[Part, Part] = ("fit", "report")
    questions = tuple(Question(text, "en", parts[i % 2], kind) for i, (text, kind) in enumerate(asked))
    return AskedBase("clinc150", (_written(folder / "clinc150.jsonl", texts),), questions)


def _written(path: Path, texts: dict[str, tuple[str, str]]) -> Path:
    rows = ({"id": key, "title": title, "text": text} for key, (title, text) in texts.items())
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path
