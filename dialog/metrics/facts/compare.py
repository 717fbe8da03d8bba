"""Whether a reply states another fact than its reference.

A fact the reply leaves out, or adds, is no conflict; one that it replaces in a
sentence that says the same is. Sentences are matched by their content words;
where both texts state just one value of a type, these are compared whatever
surrounds them.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from dialog.claims import content_terms, is_question
from dialog.metrics.facts.extract import extract
from dialog.metrics.facts.fact import Fact
from dialog.metrics.facts.polarity import Clause, clauses, contradicts, likeness
from dialog.text import sentences
from dialog.values import Value

MAX_CHARS = 20_000
"""A longer reply or reference is refused."""
_MAX_SENTENCES = 400
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


def compare(reply: str, reference: str, *, today: datetime.date | None = None) -> Comparison:
    """What a reply states otherwise than its reference.

    Args:
        reply: what the agent said.
        reference: what should have been said.
        today: the day on which both were said; with it `明天` is comparable with a date.
    """
    if reply == reference:
        return Comparison()
    if refused := _refusal("the reply", reply) or _refusal("the reference", reference):
        return Comparison(refused=refused)
    found = [*_differing_facts(reply, reference, today), *_denials(reply, reference)]
    return Comparison(conflicts=tuple(sorted(found, key=lambda conflict: (conflict.start, conflict.end))))


def _refusal(name: str, text: str) -> str:
    if len(text) > MAX_CHARS:
        return f"{name} has {len(text)} characters; facts are compared up to {MAX_CHARS}"
    if (count := len(sentences(text))) > _MAX_SENTENCES:
        return f"{name} has {count} sentences; facts are compared up to {_MAX_SENTENCES}"
    return ""


def conflicts(reply: str, reference: str) -> tuple[Conflict, ...]:
    """The conflicts of `compare`; none where it refuses, which the metric `facts` counts as a failure."""
    return compare(reply, reference).conflicts


def _differing_facts(reply: str, reference: str, today: datetime.date | None) -> Iterable[Conflict]:
    given, wanted = _read(reply, today), _read(reference, today)
    all_given = [fact for sentence in given for fact in sentence.facts]
    all_wanted = [fact for sentence in wanted for fact in sentence.facts]
    open_wanted = [
        (sentence, fact)
        for sentence in wanted
        for fact in sentence.facts
        if not any(fact.same(other) for other in all_given)
    ]
    for sentence in given:
        for fact in sentence.facts:
            if any(fact.same(other) for other in all_wanted):
                continue
            rivals = [
                (_overlap(sentence, other), -index)
                for index, (other, rival) in enumerate(open_wanted)
                if fact.contradicts(rival)
                and (
                    _aligned(sentence, other)
                    or _are_alone(fact, rival, given=all_given, wanted=all_wanted, at=(sentence, other))
                )
            ]
            if rivals:
                _, rival = open_wanted.pop(-max(rivals)[1])
                yield _conflict(fact, rival, reply, reference)


def _read(text: str, today: datetime.date | None) -> list[_Sentence]:
    facts = extract(text, today=today)
    return [
        _Sentence(text[start:end], start, end, tuple(fact for fact in facts if start <= fact.start < end))
        for start, end in sentences(text)
    ]


def _aligned(first: _Sentence, second: _Sentence) -> bool:
    return _overlap(first, second) >= _MIN_OVERLAP


def _overlap(first: _Sentence, second: _Sentence) -> float:
    """Shared terms as a share of the shorter; 1 where one has nothing but facts."""
    shorter = min(len(first.terms), len(second.terms))
    return len(first.terms & second.terms) / shorter if shorter else 1.0


def _are_alone(
    fact: Fact,
    rival: Fact,
    *,
    given: Sequence[Fact],
    wanted: Sequence[Fact],
    at: tuple[_Sentence, _Sentence],
) -> bool:
    """Whether each is the only value of a telling type in its text, and stated."""
    is_telling = bool(fact.noun and fact.noun == rival.noun) if fact.is_bare else True
    if not is_telling or fact.shape in _RELATIVE or any(is_question(sentence.text) for sentence in at):
        return False
    return all(sum(fact.kind == other.kind for other in facts) == 1 for facts in (given, wanted))


def _denials(reply: str, reference: str) -> Iterable[Conflict]:
    wanted = clauses(reference)
    for clause in clauses(reply):
        rival = max(wanted, key=lambda other: _closeness(clause, other), default=None)
        if rival is not None and contradicts(clause, rival):
            yield _conflict(clause, rival, reply, reference)


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
