"""Questions to calibrate by: read from a file, or made from the documents themselves.

Made ones are no good questions, but they stand to the passages as a
customer's do: about half of a sentence's informative words, in order, in a
frame of words the passage does not hold. With its own document in reach such a
question is answerable, with it hidden it is not.

    for made in made_from(passages, seed=0): print(made.text, made.number)
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import ConfigDict, Field, ValidationError

from dialog.errors import CorpusError
from dialog.knowledge.rows import ChunkRow
from dialog.knowledge.segment import query_terms
from dialog.text import detect_language, is_han, sentences, words
from dialog.values import Language, Message, Value

MAX_QUESTIONS = 5_000
_MAX_LINE_BYTES = 100_000
_KEPT = (0.35, 0.7)
"""Share of a sentence's informative words that a made question keeps, drawn evenly between these."""
_LEAST_WORDS = 3
_LEAST_HAN = 6
_CLAUSE = re.compile(r"[^，。；：！？、,.;:!?\s]+")
_FRAMES: dict[str, tuple[str, ...]] = {
    "en": (
        "{}?",
        "what about {}?",
        "how does it work with {}?",
        "my sister asked me about {}, can you help?",
        "quick question regarding {}",
        "is it true about {}?",
        "I bought something last month and wonder about {}",
        "who can tell me more on {} please",
    ),
    "zh": (
        "{}？",
        "请问{}吗？",
        "我上个月买过一次，想知道{}",
        "{}是怎么回事？",
        "朋友说{}，是真的吗？",
        "关于{}有什么规定？",
        "{}怎么弄啊",
        "能不能告诉我{}",
    ),
}


class GivenQuestion(Value):
    """A line of a file of questions; further fields are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    question: str = Field(min_length=1)
    answerable: bool
    language: Language | None = None
    history: tuple[Message, ...] = ()

    @property
    def spoken(self) -> Language:
        return self.language or detect_language(self.question)


@dataclass(frozen=True)
class MadeQuestion:
    """A question made from a passage, and the number of that passage."""

    text: str
    language: Language
    number: int


def read_questions(path: Path) -> list[GivenQuestion]:
    """Lines `{"question", "answerable", "language"?, "history"?}`; blank ones are passed over.

    Raises:
        CorpusError: a line is none, or there are too many.
    """
    found: list[GivenQuestion] = []
    try:
        with path.open("rb") as file:
            for number, line in enumerate(iter(lambda: file.readline(_MAX_LINE_BYTES + 1), b""), 1):
                if len(line) > _MAX_LINE_BYTES:
                    raise CorpusError("is longer than 100,000 bytes; split it", path=path, line=number)
                if line.strip():
                    found.append(_parsed(line, path=path, number=number))
                if len(found) > MAX_QUESTIONS:
                    raise CorpusError(
                        f"more than {MAX_QUESTIONS} questions; give fewer", path=path, line=number
                    )
    except OSError as error:
        raise CorpusError(f"cannot be read: {error.strerror or error}", path=path, line=0) from error
    return found


def _parsed(line: bytes, *, path: Path, number: int) -> GivenQuestion:
    try:
        return GivenQuestion.model_validate(json.loads(line.decode("utf-8-sig")))
    except (ValidationError, ValueError, RecursionError) as error:
        problem = (
            f"{error.errors()[0]['loc']}: {error.errors()[0]['msg']}"
            if isinstance(error, ValidationError)
            else str(error)
        )
        raise CorpusError(
            f'{problem}; write {{"question": "...", "answerable": true or false}}', path=path, line=number
        ) from error


def made_from(passages: Iterable[ChunkRow], *, seed: int) -> Iterator[MadeQuestion]:
    """One question a passage that has a sentence to ask about, the same for the same seed."""
    for row in passages:
        generator = random.Random(f"{seed}/{row.id}")
        language: Language = "zh" if row.language == "zh" else "en"
        kept = _kept_words(row.answer or row.text, language, generator)
        if kept:
            frame = generator.choice(_FRAMES[language])
            yield MadeQuestion(text=frame.format(kept), language=language, number=row.number)


def _kept_words(text: str, language: Language, generator: random.Random) -> str:
    candidates = [text[start:end] for start, end in sentences(text)]
    generator.shuffle(candidates)
    share = generator.uniform(*_KEPT)
    for sentence in candidates[:20]:
        kept = (_han_pieces if language == "zh" else _word_pieces)(sentence[:400], share, generator)
        if kept:
            return kept
    return ""


def _word_pieces(sentence: str, share: float, generator: random.Random) -> str:
    informative = [word for word in dict.fromkeys(words(sentence)) if query_terms(word) and len(word) > 2]
    num = round(share * len(informative))
    if num < _LEAST_WORDS:
        return ""
    chosen = set(generator.sample(range(len(informative)), min(num, 8)))
    return " ".join(word for i, word in enumerate(informative) if i in chosen)


def _han_pieces(sentence: str, share: float, generator: random.Random) -> str:
    """Pieces of two to four characters, some left out: pairs across the gaps are new."""
    pieces: list[str] = []
    for clause in _CLAUSE.findall(sentence):
        start = 0
        while start < len(clause):
            length = generator.randint(2, 4)
            pieces.append(clause[start : start + length])
            start += length
    if sum(is_han(c) for piece in pieces for c in piece) < _LEAST_HAN:
        return ""
    num = min(6, max(2, round(share * len(pieces))))
    chosen = set(generator.sample(range(len(pieces)), min(num, len(pieces))))
    return "".join(piece for i, piece in enumerate(pieces) if i in chosen)


def spread(numbers: Sequence[int], *, limit: int, seed: int) -> list[int]:
    """At most `limit` of the numbers, drawn by seed, in their order."""
    if len(numbers) <= limit:
        return list(numbers)
    return sorted(random.Random(seed).sample(list(numbers), limit))
