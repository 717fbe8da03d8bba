"""What benchmarks of tuning train and measure on: TweetSumm's dialogues, and text that is nothing like them.

train = dialogues(base, "train", most=80)
drift = mean_loss(losses_of(method, general_text(base), batch_tokens=2048))
"""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Sequence

from benchmarks import DATA
from corpora.reading import Reading
from dialog.values import Segment, Transcript
from training.data import TrainingData, make_examples
from training.evaluation import Evaluated
from training.examples import Example
from training.methods.opening import Base

FOLDER = DATA / "tweetsumm"
LIMIT_TOKENS = 1024
_PIECE, _PIECES = 256, 8
_RESAMPLES = 2000


def dialogues(base: Base, part: str, *, most: int, skip: int = 0) -> TrainingData:
    """The first `most` dialogues of a part ("train", "valid") after `skip`, as examples."""
    found: list[Transcript] = []
    with Reading(FOLDER / f"{part}.jsonl.gz", format="tweetsumm") as reading:
        for transcript in reading:
            if len(found) == skip + most:
                break
            found.append(transcript)
    return make_examples(found[skip:], base.chat_tokenizer, limit_tokens=LIMIT_TOKENS)


def general_text(base: Base) -> list[Example]:
    """Pieces of documents of doc2dial, every token but the first in the loss."""
    path = DATA / "doc2dial" / "docs.jsonl.gz"
    with gzip.open(path, "rt", encoding="utf-8") as file:
        drawn = random.Random(0).sample(file.readlines(), _PIECES)
    found = []
    for number, text in enumerate(_text(json.loads(line)) for line in drawn):
        ids = tuple(base.chat_tokenizer.encode(text)[0][:_PIECE])
        segment = Segment(kind="passage", ref=str(number), start=0, end=len(ids))
        weights = (0.0, *([1.0] * (len(ids) - 1)))
        found.append(Example(str(number), ids, weights, (segment,), (), ()))
    return found


def mean_of(evaluated: Sequence[Evaluated]) -> float:
    """Cross-entropy per supervised token."""
    return sum(one.loss for one in evaluated) / sum(one.weight for one in evaluated)


def interval(before: Sequence[Evaluated], after: Sequence[Evaluated]) -> tuple[float, float]:
    """95 % of the gains of dialogues drawn with replacement, paired."""
    chance = random.Random(0)
    pairs = list(zip(before, after, strict=True))
    gains = []
    for _ in range(_RESAMPLES):
        drawn = chance.choices(pairs, k=len(pairs))
        gains.append(mean_of([one for one, _ in drawn]) - mean_of([one for _, one in drawn]))
    gains.sort()
    return gains[int(0.025 * _RESAMPLES)], gains[int(0.975 * _RESAMPLES)]


def _text(value: object) -> str:
    """The longest string in a record: the document."""
    match value:
        case str():
            return value
        case dict():
            return max(map(_text, value.values()), key=len, default="")
        case list():
            return max(map(_text, value), key=len, default="")
        case _:
            return ""
