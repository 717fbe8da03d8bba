"""Conversations made from topics by phrasings: asked, followed up, and asked what no document answers.

Every agent message is a verbatim part of a document, the name of its source, or
the admission that nothing was found; only questions are made. The order of the
topics and the seed determine everything.

    for made in conversations(topics, seed=1): print(made.turns[0].question)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Literal

from corpora.synth.passages import Topic
from corpora.synth.phrasings import UNANSWERABLE, asked_about, leaning, put, whence
from dialog.phrases import phrase
from dialog.values import Language

Kind = Literal["question", "follow-up", "source", "unanswerable"]
_UNANSWERABLE_SHARE = 0.2
_SOURCE_SHARE = 0.25


@dataclass(frozen=True)
class Made:
    """A question and its answer; `topic` is what the answer was taken from, None where there is none."""

    kind: Kind
    question: str
    answer: str
    topic: Topic | None
    language: Language
    made_by: str = "phrasings"


@dataclass(frozen=True)
class Conversation:
    """One made conversation; `number` is its place among all that were made."""

    number: int
    turns: tuple[Made, ...]


def conversations(topics: Sequence[Topic], *, seed: int, variants: int = 2) -> Iterator[Conversation]:
    """`variants` conversations a topic; a follow-up is about another section of the same document."""
    siblings: dict[str, list[Topic]] = {}
    for topic in topics:
        siblings.setdefault(topic.document, []).append(topic)
    number = 0
    for topic in topics:
        others = [one for one in siblings[topic.document] if one.passage_id != topic.passage_id]
        for variant in range(variants):
            draw = Random(f"{seed}|{topic.passage_id}|{variant}")
            yield Conversation(number, tuple(_turns(topic, others, draw)))
            number += 1


def reworded(conversation: Conversation, question: str, *, made_by: str) -> Conversation:
    """The same with another first question, and who worded it."""
    first = replace(conversation.turns[0], question=question, made_by=made_by)
    return replace(conversation, turns=(first, *conversation.turns[1:]))


def _turns(topic: Topic, others: Sequence[Topic], draw: Random) -> Iterator[Made]:
    language = topic.language
    asked = topic.question or asked_about(topic.heading, language=language, draw=draw)
    yield Made("question", put(asked, language=language, draw=draw), topic.answer, topic, language)
    headed = [one for one in others if one.question is None and one.language == language]
    if headed:
        other = draw.choice(headed)
        question = leaning(other.heading, language=language, draw=draw)
        yield Made("follow-up", question, other.answer, other, language)
    if draw.random() < _SOURCE_SHARE:
        question, answer = whence(topic.title, language=language, draw=draw)
        yield Made("source", question, answer, topic, language)
    if draw.random() < _UNANSWERABLE_SHARE:
        question = draw.choice(UNANSWERABLE[language])
        yield Made("unanswerable", question, phrase("abstain", language=language), None, language)
