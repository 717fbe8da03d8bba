"""Whether a reply states another fact than its reference.

A fact the reply leaves out, or adds, is no conflict; one that it replaces in a
sentence that says the same is. Sentences are matched by their content words;
where both texts state just one value of a type, these are compared whatever
surrounds them.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Literal

from dialog.claims import content_terms, is_question
from dialog.metrics.facts.extract import extract
from dialog.metrics.facts.fact import Fact
from dialog.metrics.facts.polarity import Clause, clauses, contradicts, likeness
from dialog.text import sentences
from dialog.values import Value

MAX_CHARS = 20_000
"""A longer reply or reference is refused."""
_MAX_PARTS = 200
"""A text with more sentences, clauses or facts is refused: each is compared with each of the other's."""
_MIN_OVERLAP = 0.5
_RELATIVE = ("date:distance", "date:week", "date:month", "date:year")

ConflictKind = Literal["number", "money", "date", "identifier", "negation"]


class Conflict(Value):
    """A fact that differs: as the reference states it and as the reply does, with the spans of both."""

    kind: ConflictKind
    wanted: str
    given: str
    start: int
    end: int
    wanted_start: int
    wanted_end: int

    @property
    def detail(self) -> str:
        """Both in words, for a report."""
        return f"says {self.given!r}, the reference {self.wanted!r}"


class Comparison(Value):
    """The conflicts in order of the reply; `refused` says why nothing was compared, else it is empty."""

    conflicts: tuple[Conflict, ...] = ()
    refused: str = ""


@dataclass(frozen=True)
class _Sentence:
    text: str
    start: int
    end: int
    facts: tuple[Fact, ...]

    @cached_property
    def terms(self) -> frozenset[str]:
        """Content terms outside the facts."""
        pieces, position = [], self.start
        for fact in self.facts:
            pieces.append(self.text[position - self.start : max(position, fact.start) - self.start])
            position = max(position, fact.end)
        pieces.append(self.text[position - self.start :])
        return frozenset(content_terms(" ".join(pieces)))


@dataclass(frozen=True)
class _Read:
    text: str
    sentences: tuple[_Sentence, ...]
    facts: tuple[Fact, ...]
    clauses: tuple[Clause, ...]

    def refusal(self, name: str) -> str:
        for what, parts in (("sentences", self.sentences), ("clauses", self.clauses), ("facts", self.facts)):
            if len(parts) > _MAX_PARTS:
                return f"{name} has more than {_MAX_PARTS} {what}; no more are compared"
        return ""


def compare(reply: str, reference: str, *, today: datetime.date | None = None) -> Comparison:
    """What a reply states otherwise than its reference.

    Args:
        reply: what the agent said.
        reference: what should have been said.
        today: the day on which both were said; with it `明天` is comparable with a date.
    """
    if reply == reference:
        return Comparison()
    if refused := _too_long("the reply", reply) or _too_long("the reference", reference):
        return Comparison(refused=refused)
    given, wanted = _read(reply, today), _read(reference, today)
    if refused := given.refusal("the reply") or wanted.refusal("the reference"):
        return Comparison(refused=refused)
    found = [*_differing_facts(given, wanted), *_denials(given, wanted)]
    return Comparison(conflicts=tuple(sorted(found, key=lambda conflict: (conflict.start, conflict.end))))


def _too_long(name: str, text: str) -> str:
    if len(text) <= MAX_CHARS:
        return ""
    return f"{name} has {len(text)} characters; facts are compared up to {MAX_CHARS}"


def conflicts(reply: str, reference: str, *, today: datetime.date | None = None) -> tuple[Conflict, ...]:
    """The conflicts of `compare`; none where it refuses, which the metric `facts` counts as a failure."""
    return compare(reply, reference, today=today).conflicts


def _read(text: str, today: datetime.date | None) -> _Read:
    facts = extract(text, today=today)
    read = [
        _Sentence(text[start:end], start, end, tuple(fact for fact in facts if start <= fact.start < end))
        for start, end in sentences(text)[: _MAX_PARTS + 1]
    ]
    return _Read(text, tuple(read), facts, tuple(clauses(text)))


def _differing_facts(given: _Read, wanted: _Read) -> Iterable[Conflict]:
    unsaid = _unsaid(given, wanted)
    for sentence in given.sentences:
        for fact in sentence.facts:
            if any(fact.same(other) for other in wanted.facts):
                continue
            rivals = [
                (_overlap(sentence, other), -index)
                for index, (other, rival) in enumerate(unsaid)
                if fact.contradicts(rival)
                and (_aligned(sentence, other) or _are_alone(fact, rival, (given, wanted), (sentence, other)))
            ]
            if rivals:
                _, rival = unsaid.pop(-max(rivals)[1])
                yield _conflict(fact, rival, given.text, wanted.text)


def _unsaid(given: _Read, wanted: _Read) -> list[tuple[_Sentence, Fact]]:
    """Wanted facts the reply does not state, also where it states an equal one less often."""
    unused = list(given.facts)
    missing = []
    for sentence in wanted.sentences:
        for fact in sentence.facts:
            used = next((index for index, other in enumerate(unused) if fact.same(other)), None)
            if used is None:
                missing.append((sentence, fact))
            else:
                unused.pop(used)
    return missing


def _aligned(first: _Sentence, second: _Sentence) -> bool:
    return _overlap(first, second) >= _MIN_OVERLAP


def _overlap(first: _Sentence, second: _Sentence) -> float:
    """Shared terms as a share of the shorter; 1 where one has nothing but facts."""
    shorter = min(len(first.terms), len(second.terms))
    return len(first.terms & second.terms) / shorter if shorter else 1.0


def _are_alone(fact: Fact, rival: Fact, texts: tuple[_Read, _Read], at: tuple[_Sentence, _Sentence]) -> bool:
    """Whether each is the only value of a telling type in its text, and stated."""
    is_telling = bool(fact.noun and fact.noun == rival.noun) if fact.is_bare else True
    if not is_telling or fact.shape in _RELATIVE or any(is_question(sentence.text) for sentence in at):
        return False
    return all(sum(fact.kind == other.kind for other in text.facts) == 1 for text in texts)


def _denials(given: _Read, wanted: _Read) -> Iterable[Conflict]:
    for clause in given.clauses:
        rival = max(wanted.clauses, key=partial(_closeness, clause), default=None)
        if rival is not None and contradicts(clause, rival):
            yield _conflict(clause, rival, given.text, wanted.text)


def _closeness(clause: Clause, other: Clause) -> tuple[float, bool]:
    """Of clauses that are equally like, one that does not contradict comes first."""
    alike = float(clause.answer is not None and other.answer is not None) or likeness(clause, other)
    return alike, not contradicts(clause, other)


def _conflict(given: Fact | Clause, wanted: Fact | Clause, reply: str, reference: str) -> Conflict:
    return Conflict(
        kind=given.kind if isinstance(given, Fact) else "negation",
        wanted=reference[wanted.start : wanted.end].strip(),
        given=reply[given.start : given.end].strip(),
        start=given.start,
        end=given.end,
        wanted_start=wanted.start,
        wanted_end=wanted.end,
    )
