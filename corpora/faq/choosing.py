"""Which of several answers to one question an FAQ should give, and whether they contradict one another.

An answer's weight is the number of answers that agree with it (itself included),
one more for each that was thanked for, one less for each that was refuted.
The heaviest wins, the latest of equals. Two answers agree if they share half of
their words, their figures, and whether they deny; so "within 7 days" and
"within 30 days" never agree, and a group whose next heaviest answer differs in
figures or in denial is marked as a conflict to be settled by a person.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from corpora.faq.exchanges import Exchange
from corpora.mining.replies import resemblance
from dialog.claims import content_terms, figures_in, is_negated

AGREES = 0.5
CONFLICTS = 0.2
MAX_COMPARED = 200


@dataclass(frozen=True)
class Chosen:
    """The answer, how many agree with it, and another that contradicts it, if one does."""

    exchange: Exchange
    agreeing: int
    weight: int
    conflict: Exchange | None


@dataclass(frozen=True)
class _Answer:
    exchange: Exchange
    terms: frozenset[str]
    figures: frozenset[str]
    denies: bool


def choose(group: Sequence[Exchange]) -> Chosen:
    """The best answer of a group of exchanges about one question.

    Of more than `MAX_COMPARED` the latest are compared.

    Raises:
        ValueError: the group is empty.
    """
    if not group:
        raise ValueError("no exchange to choose from")
    latest = sorted(group, key=lambda one: _seconds(one.time))[-MAX_COMPARED:]
    answers = [_read(exchange) for exchange in latest]
    agreeing = [[other for other in answers if _agree(one, other)] for one in answers]
    weights = [sum(_vote(other.exchange) for other in others) for others in agreeing]
    best = max(range(len(answers)), key=lambda number: (weights[number], number))
    against = [
        number
        for number in range(len(answers))
        if weights[number] > 0 and _contradict(answers[best], answers[number])
    ]
    conflict = max(against, key=lambda number: (weights[number], number), default=None)
    return Chosen(
        exchange=answers[best].exchange,
        agreeing=len(agreeing[best]),
        weight=weights[best],
        conflict=None if conflict is None else answers[conflict].exchange,
    )


def _read(exchange: Exchange) -> _Answer:
    text = exchange.answer.text
    return _Answer(exchange, frozenset(content_terms(text)), frozenset(figures_in(text)), is_negated(text))


def _vote(exchange: Exchange) -> int:
    return {"thanked": 2, "open": 1, "refuted": 0}[exchange.outcome]


def _agree(one: _Answer, other: _Answer) -> bool:
    same = one.figures == other.figures and one.denies == other.denies
    return one is other or (same and resemblance(set(one.terms), set(other.terms)) >= AGREES)


def _contradict(one: _Answer, other: _Answer) -> bool:
    """They speak of the same and differ in what is compared exactly."""
    differ = one.denies != other.denies or bool(
        one.figures and other.figures and one.figures != other.figures
    )
    return differ and resemblance(set(one.terms), set(other.terms)) >= CONFLICTS


def _seconds(time: datetime | None) -> float:
    """Answers without a time are taken as older than all others; their order stays."""
    if time is None:
        return float("-inf")
    return (time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp()
