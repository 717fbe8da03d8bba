"""Transcripts to examples, with every loss counted: what was refused, shortened or left out, and why.

data = make_examples(transcripts, tokenizer, limit_tokens=2048)
data.examples, data.num_supervised, data.refused
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from dialog.errors import CorpusError
from dialog.protocols import ChatTokenizer
from dialog.values import Transcript
from training.examples import Example, OnLong, build_examples


@dataclass(frozen=True)
class TrainingData:
    """Examples and what became of the rest.

    Attributes:
        refused: reason -> number of conversations nothing could be trained on.
        notes: kind of remark -> how often; details are of the single conversation.
    """

    examples: tuple[Example, ...]
    num_conversations: int
    refused: dict[str, int]
    notes: dict[str, int]
    sha256: dict[str, str]

    @property
    def num_supervised(self) -> int:
        return sum(one.num_supervised for one in self.examples)

    @property
    def num_tokens(self) -> int:
        return sum(len(one.ids) for one in self.examples)


def make_examples(
    transcripts: Sequence[Transcript],
    tokenizer: ChatTokenizer,
    *,
    limit_tokens: int,
    on_long: OnLong = "windows",
    paths: Sequence[Path] = (),
) -> TrainingData:
    """All examples of the transcripts.

    Args:
        paths: where they were read from, for the hashes; what is no file (standard input) has none.

    Raises:
        CorpusError: not one token of them is in the loss.
    """
    examples: list[Example] = []
    refused: Counter[str] = Counter()
    notes: Counter[str] = Counter()
    for transcript in transcripts:
        built = build_examples(transcript, tokenizer, limit_tokens=limit_tokens, on_long=on_long)
        examples += built.examples
        notes.update(_kind(note) for note in built.notes)
        if built.refused is not None:
            refused[_kind(built.refused)] += 1
    if not any(one.num_supervised for one in examples):
        reasons = "; ".join(f"{reason} ({count})" for reason, count in refused.most_common(3))
        raise CorpusError(
            f"no token would be trained on: {reasons or 'there are no conversations'}",
            path=", ".join(map(str, paths)) or "the data",
        )
    return TrainingData(
        examples=tuple(examples),
        num_conversations=len(transcripts),
        refused=dict(refused),
        notes=dict(notes),
        sha256=hashes(paths),
    )


def held_out(
    transcripts: Sequence[Transcript], *, share: float, seed: int
) -> tuple[list[Transcript], list[Transcript]]:
    """(train, valid) by conversation: always the same for a seed, whatever the order of files."""

    def place(transcript: Transcript) -> float:
        digest = hashlib.sha256(f"{seed}\n{transcript.id}".encode("utf-8", "surrogatepass")).digest()
        return int.from_bytes(digest[:8], "big") / 2**64

    train = [one for one in transcripts if place(one) >= share]
    valid = [one for one in transcripts if place(one) < share]
    return train, valid


def hashes(paths: Sequence[Path]) -> dict[str, str]:
    """SHA-256 of each path that is on disk."""
    return {str(path): _sha256(path) for path in paths if path.exists()}


def _sha256(path: Path) -> str:
    """Of a file; of a folder, over the names and contents of all its files."""
    digest = hashlib.sha256()
    if path.is_file():
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    for one in sorted(path.rglob("*")):
        if one.is_file():
            name = str(one.relative_to(path)).encode("utf-8", "surrogateescape")
            digest.update(name + b"\0" + bytes.fromhex(_sha256(one)))
    return digest.hexdigest()


def _kind(note: str) -> str:
    """A remark without the numbers that differ from conversation to conversation; the limit does not."""
    return re.sub(r"\b\d+\b(?! are allowed)", "N", re.sub(r"^(?:turn|message) \d+: ", "", note))
