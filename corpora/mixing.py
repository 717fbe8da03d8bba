"""Joining transcripts in given shares, each keeping where it came from.

What is taken of a source is decided by hashes of ids, so it does not depend on
the order of its lines; sources are dealt out evenly, so that every stretch of the
result has about the same shares.

    report = mix([Ingredient(Reading("a.jsonl"), "a", 2), Ingredient(Reading("b.jsonl"), "b", 1)], out)
    report.counts        # {"a": 600, "b": 300}
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from corpora.converting import Advance, target, unwritable
from corpora.reading import Reading
from corpora.schema import dumped
from corpora.seen import digest_of
from dialog.errors import CorpusError
from dialog.values import Transcript


@dataclass(frozen=True)
class Ingredient:
    """A source, the name its conversations' ids begin with, and its weight."""

    reading: Reading
    name: str
    weight: float = 1.0


@dataclass
class MixReport:
    """What was taken of what there was."""

    counts: dict[str, int] = field(default_factory=dict)
    available: dict[str, int] = field(default_factory=dict)
    skipped: list[CorpusError] = field(default_factory=list)
    notes: Counter[str] = field(default_factory=Counter)


def mix(
    ingredients: Sequence[Ingredient],
    out: Path,
    *,
    size: int | None = None,
    repeat: bool = False,
    seed: str = "0",
    advance: Advance = lambda done, total: None,
) -> MixReport:
    """Write one file, whole or not at all.

    Args:
        size: conversations to write; by default as many as the shares allow: without
            `repeat` until a source is used up, with it until all are.
        repeat: use a source's conversations again where there are too few.

    Raises:
        CorpusError: a file cannot be read or written, or holds too few without `repeat`.
    """
    report = MixReport()
    with ExitStack() as stack:
        digests = []
        for one in ingredients:
            stack.enter_context(one.reading)
            ids = array("Q", sorted(digest_of(each.id, seed=seed) for each in one.reading))
            if not ids:
                raise CorpusError("holds no conversation; leave it out", path=one.reading.path)
            digests.append(ids)
            report.available[one.name] = len(ids)
        counts = _counts([one.weight for one in ingredients], list(map(len, digests)), size, repeat)
        for one, count, ids in zip(ingredients, counts, digests, strict=True):
            if count > len(ids) and not repeat:
                problem = (
                    f"holds {len(ids)} conversations and {count} are wanted; lower --size or take --repeat"
                )
                raise CorpusError(problem, path=one.reading.path)
            report.counts[one.name] = count
        names = [one.reading.path for one in ingredients]
        streams = [_taken(*each, seed) for each in zip(ingredients, counts, digests, strict=True)]
        try:
            with target(out) as file:
                for number, transcript in enumerate(_dealt(streams, counts, names), start=1):
                    file.write(dumped(transcript, out) + b"\n")
                    advance(number, sum(counts))
        except OSError as error:
            raise unwritable(out, error) from error
        for one in ingredients:
            report.skipped += [bad.error for bad in one.reading.skipped]
            report.notes += one.reading.notes
    return report


def _counts(weights: list[float], available: list[int], size: int | None, repeat: bool) -> list[int]:
    """How many of each: shares of the size in whole numbers, by largest remainder."""
    shares = [weight / sum(weights) for weight in weights]
    if size is None:
        limits = [number / share for number, share in zip(available, shares, strict=True)]
        size = int(max(limits) if repeat else min(limits))
    exact = [share * size for share in shares]
    counts = [int(one) for one in exact]
    by_remainder = sorted(range(len(exact)), key=lambda place: counts[place] - exact[place])
    for place in by_remainder[: size - sum(counts)]:
        counts[place] += 1
    return counts


def _taken(one: Ingredient, count: int, digests: array[int], seed: str) -> Iterator[Transcript]:
    """A source's conversations: all of them as often as needed, then those with the smallest digests."""
    rounds, rest = divmod(count, len(digests))
    end = digests[rest]
    for copy in range(rounds + (rest > 0)):
        for transcript in one.reading:
            if copy < rounds or digest_of(transcript.id, seed=seed) < end:
                yield _named(transcript, one.name, copy)


def _named(transcript: Transcript, name: str, copy: int) -> Transcript:
    origin = {"source": name, "id": transcript.id} | ({"copy": copy + 1} if copy else {})
    new_id = f"{name}/{transcript.id}" + (f"#{copy + 1}" if copy else "")
    return transcript.model_copy(
        update={"id": new_id, "meta": {**(transcript.meta or {}), "mixed_from": origin}}
    )


def _dealt(
    streams: Sequence[Iterator[Transcript]], counts: Sequence[int], names: Sequence[Path]
) -> Iterator[Transcript]:
    """Always the source that is furthest behind its share."""
    total, given = sum(counts), [0] * len(counts)
    for number in range(1, total + 1):
        behind = [count * number / total - done for count, done in zip(counts, given, strict=True)]
        place = behind.index(max(behind))
        given[place] += 1
        transcript = next(streams[place], None)
        if transcript is None:
            raise CorpusError("has become shorter while it was read; run it again", path=names[place])
        yield transcript
