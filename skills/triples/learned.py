"""Relation and value of what a message states, learned from messages that people marked.

    extractor = fit(examples, seed=0)
    extractor.extract("导演是尼克·卡索维茨。", before="导演知道是谁呢？")      # [("导演", "尼克·卡索维茨")]

Candidate values are the pieces between punctuation and function words, figures,
and titles; an averaged perceptron gives each a relation or none, by its shape,
the words around it, and those of the message before.

Source: Freund and Schapire, Large Margin Classification Using the Perceptron Algorithm (1999), 3.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from random import Random

from dialog.text import normalise
from dialog.values import Value

NONE = ""
_EPOCHS = 5
_MOST_CHARS = 60
_SHAPES = (
    ("date", re.compile(r"\d{4}年(?:\d{1,2}月(?:\d{1,2}日)?)?")),
    ("span", re.compile(r"\d+(?:\.\d+)?(?:分钟|小时|天|首|集|分|岁)(?:\s*[-~至]\s*\d+(?:小时|天))?")),
    ("span", re.compile(r"\d+(?:小时)?\s*[-~至]\s*\d+(?:小时|天|分钟)")),
    ("money", re.compile(r"[$¥￥]?\d[\d,.]*(?:万|亿)?(?:美元|人民币|港元|元)")),
    ("phone", re.compile(r"\d{3,4}-\d{6,8}(?:[,，;；、]\s*\d{3,4}-\d{6,8})*")),
    ("hours", re.compile(r"\d{1,2}[:：]\d{2}\s*[-~至]+\s*\d{1,2}[:：]\d{2}")),
    ("title", re.compile(r"《[^》]{1,40}》")),
)
_PIECE = re.compile(r"[^，。！？；、,!?;\s《》“”\"]+")
_EDGE = re.compile(
    r"是在|是由|叫做|叫|是|在|为|有|于|的话|的|了|由|和|与|还|也|就|都|他|她|它|吧|呀|啊|呢|哦|嗯|哈|对|毕业|出生|演唱|主演|执导|需要|大概|电话|地址"
)


class Example(Value):
    """A message, the one before it, and the (relation, value) pairs it states."""

    message: str
    before: str = ""
    stated: tuple[tuple[str, str], ...] = ()


class Extractor:
    """Weights by feature and relation."""

    def __init__(self, weights: dict[str, dict[str, float]], relations: Sequence[str]) -> None:
        self._weights = weights
        self._relations = (NONE, *relations)

    def extract(self, message: str, *, before: str = "") -> list[tuple[str, str]]:
        """(relation, value) pairs; of values that overlap the longest with a relation."""
        found: list[tuple[int, int, str]] = []
        for start, end in sorted(candidates(message), key=lambda span: (span[0] - span[1], span)):
            if any(start < other_end and other_start < end for other_start, other_end, _ in found):
                continue
            relation = self._best(features(message, start, end, before))
            if relation != NONE:
                found.append((start, end, relation))
        return [(relation, message[start:end].strip("《》")) for start, end, relation in sorted(found)]

    def _best(self, own: Sequence[str]) -> str:
        return _best(self._weights, own, self._relations)


def candidates(message: str) -> set[tuple[int, int]]:
    """Half-open spans that may be values."""
    found = {match.span() for _, shape in _SHAPES for match in shape.finditer(message)}
    for piece in _PIECE.finditer(message):
        cuts = {piece.start(), piece.end()}
        for edge in _EDGE.finditer(message, *piece.span()):
            cuts |= {edge.start(), edge.end()}
        places = sorted(cuts)
        found |= {
            (start, end)
            for at, start in enumerate(places)
            for end in places[at + 1 : at + 5]
            if 2 <= end - start <= _MOST_CHARS
        }
    return found


def features(message: str, start: int, end: int, before: str) -> list[str]:
    """Names of what is true of a span in its message."""
    value = message[start:end]
    shape = next((name for name, pattern in _SHAPES if pattern.fullmatch(value)), "words")
    own = [
        "bias",
        f"shape={shape}",
        f"length={min(12, len(value))}",
        f"first={value[:1]}",
        f"last={value[-1:]}",
        f"end={value[-2:]}",
        f"left={message[max(0, start - 1) : start]}",
        f"left2={message[max(0, start - 2) : start]}",
        f"right={message[end : end + 1]}",
        f"right2={message[end : end + 2]}",
        f"dot={'·' in value}",
        f"value={value}",
    ]
    own += [f"in={pair}" for pair in _pairs(value)]
    own += [f"{shape}|before={pair}" for pair in _pairs(before)]
    near = message[max(0, start - 8) : start]
    return own + [f"near={pair}" for pair in _pairs(near)]


def fit(examples: Sequence[Example], *, seed: int = 0) -> Extractor:
    """An extractor that gives the examples' pairs where their values stand in the message."""
    relations = sorted({relation for one in examples for relation, _ in one.stated})
    labels = (NONE, *relations)
    weights: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    totals: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    marked = [pair for one in examples for pair in _marked(one)]
    step = 0
    for epoch in range(_EPOCHS):
        Random(seed + epoch).shuffle(marked)
        for own, label in marked:
            step += 1
            guess = _best(weights, own, labels)
            if guess != label:
                for name in own:
                    for relation, change in ((label, 1.0), (guess, -1.0)):
                        weights[name][relation] += change
                        totals[name][relation] += step * change
    averaged = {
        name: {relation: value - totals[name][relation] / max(1, step) for relation, value in own.items()}
        for name, own in weights.items()
    }
    return Extractor(averaged, relations)


def _marked(one: Example) -> Iterator[tuple[list[str], str]]:
    stated = {normalise(value): relation for relation, value in one.stated}
    for start, end in sorted(candidates(one.message)):
        label = stated.get(normalise(one.message[start:end].strip("《》")), NONE)
        yield features(one.message, start, end, one.before), label


def _best(weights: dict[str, dict[str, float]], own: Sequence[str], labels: Sequence[str]) -> str:
    scores: dict[str, float] = dict.fromkeys(labels, 0.0)
    for name in own:
        if name in weights:
            for relation, weight in weights[name].items():
                scores[relation] += weight
    return max(labels, key=lambda label: scores[label])


def _pairs(text: str) -> list[str]:
    return [text[at : at + 2] for at in range(len(text) - 1)]
