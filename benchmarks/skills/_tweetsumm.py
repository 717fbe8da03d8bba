"""tweetsumm's dialogues with what three people wrote about each."""

from __future__ import annotations

import gzip
import json
import re
from dataclasses import dataclass

from benchmarks import DATA
from dialog.values import Message

FOLDER = DATA / "tweetsumm"
_NOISE = re.compile(r"https?://\S+|@\w+|(?:[/^*~-]\s?[A-Z]{1,3}\b\.?|\^[A-Za-z]+)\s*$|\b\d/\d\s*$")
"""Links, handles, and the initials agents sign with: nobody's words."""
_ENTITIES = {"&amp;": "&", "&gt;": ">", "&lt;": "<"}


@dataclass(frozen=True)
class Dialogue:
    """A dialogue and its abstractive summaries, at least one."""

    id: str
    messages: tuple[Message, ...]
    references: tuple[str, ...]


def dialogues(split: str) -> list[Dialogue]:
    """Those of `train` or `valid` that somebody summarised; empty where the data is not there."""
    path = FOLDER / f"{split}.jsonl.gz"
    if not path.is_file():
        return []
    with gzip.open(path, "rt", encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    return [_dialogue(row) for row in rows if any(one["abstractive"] for one in row["annotations"])]


def _dialogue(row: dict[str, list[dict[str, list[str]]]]) -> Dialogue:
    messages = tuple(
        Message(role="user" if who == "Customer" else "assistant", content=_plain(text))
        for who, text in row["turns"]
    )
    references = tuple(" ".join(one["abstractive"]) for one in row["annotations"] if one["abstractive"])
    return Dialogue(str(row["conversation_id"]), messages, references)


def _plain(text: str) -> str:
    for entity, character in _ENTITIES.items():
        text = text.replace(entity, character)
    return " ".join(_NOISE.sub(" ", text).split())
