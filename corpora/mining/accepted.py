"""Accepted intents as files: texts to train a classifier on, and replies to index.

    write_texts(Path("intents.jsonl"), accepted)     # {"text", "label", "source"} a line
    write_replies(Path("replies.jsonl"), accepted)   # {"question", "answer", "source"} a line

Two proposals that were given one name are one intent.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from corpora.files import replacing
from corpora.mining.intents import Intent
from corpora.scrub.detect import PLACEHOLDER
from dialog.errors import CorpusError


def write_texts(path: Path, intents: Sequence[Intent]) -> None:
    """Every example with its intent's name.

    Raises:
        CorpusError: the file cannot be written, or one text stands in two intents.
    """
    names: dict[str, str] = {}
    lines = []
    for intent in intents:
        for example in intent.example:
            name = names.setdefault(example.text, intent.name)
            if name != intent.name:
                raise CorpusError(
                    f"{example.text!r} stands in {name!r} and in {intent.name!r}; delete one of them",
                    path=path,
                )
            source = f"{example.conversation}#{example.turn}"
            lines.append({"text": example.text, "label": intent.name, "source": source})
    _write(path, lines)


def write_replies(path: Path, intents: Sequence[Intent]) -> list[str]:
    """Each intent's reply under its most typical example; names of those left out for a placeholder.

    Raises:
        CorpusError: the file cannot be written.
    """
    lines, personal = [], []
    for intent in intents:
        if intent.reply is None:
            continue
        question, answer = intent.example[0].text, intent.reply.text
        if PLACEHOLDER.search(f"{question} {answer}"):
            personal.append(intent.name)
            continue
        source = f"{intent.reply.conversation}#{intent.reply.turn}"
        lines.append({"question": question, "answer": answer, "source": source})
    _write(path, lines)
    return personal


def _write(path: Path, lines: Iterable[Mapping[str, str]]) -> None:
    try:
        with replacing(path) as file:
            for line in lines:
                file.write((json.dumps(line, ensure_ascii=False) + "\n").encode("utf-8"))
    except OSError as error:
        raise CorpusError(f"cannot be written: {error.strerror or error}", path=path) from error
