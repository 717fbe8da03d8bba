"""Dividing transcripts into parts: by conversation, by customer, or by time.

report = split(readings, Parts({"train": 0.9, "test": 0.1}), Path("out"), by="customer")
report.counts        # {"train": 903, "test": 97}
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC
from pathlib import Path
from typing import Literal

from corpora.converting import Advance, unwritable
from corpora.files import replacing
from corpora.formats import BadRecord
from corpora.parts import Parts, Strata
from corpora.reading import Reading
from corpora.schema import BadLine, dumped
from corpora.seen import Seen
from dialog.errors import CorpusError
from dialog.values import Transcript

By = Literal["conversation", "customer", "time"]
_CUSTOMER_KEYS = ("customer", "customer_id", "user_id", "requester_id")


@dataclass
class SplitReport:
    """What went where."""

    files: dict[str, Path]
    counts: Counter[str] = field(default_factory=Counter)
    skipped: list[CorpusError] = field(default_factory=list)
    notes: Counter[str] = field(default_factory=Counter)


def split(
    readings: Sequence[Reading],
    parts: Parts,
    folder: Path,
    *,
    by: By = "conversation",
    seed: str = "0",
    stratify: str | None = None,
    advance: Advance = lambda done, total: None,
) -> SplitReport:
    """Write a file for each part, all or none of them.

    Args:
        by: conversations of one customer stay together with "customer"; with "time"
            the oldest are in the first part.
        stratify: tags that begin with this are spread evenly over the parts.

    Raises:
        CorpusError: a file cannot be read or written, too much is bad, or an id comes twice.
        ValueError: `stratify` with `by="time"`.
    """
    if stratify is not None and by == "time":
        raise ValueError("parts by time cannot be stratified; divide by conversation or by customer")
    report = SplitReport({name: folder / f"{name}.jsonl" for name in parts.names})
    with ExitStack() as open_readings:
        for reading in readings:
            open_readings.enter_context(reading)
        choose = _Chooser(parts, by, seed, stratify)
        if choose.needs_to_count:
            for _, transcript in _all(readings, by):
                choose.count(transcript)
            choose.settle()
        try:
            with ExitStack() as stack:
                files = {name: stack.enter_context(replacing(path)) for name, path in report.files.items()}
                for _, transcript in _all(readings, by):
                    part = choose.part(transcript)
                    files[part].write(dumped(transcript, report.files[part]) + b"\n")
                    report.counts[part] += 1
                    report.notes += Counter(choose.remarks(transcript))
                    advance(report.counts.total(), 0)
        except OSError as error:
            raise unwritable(folder, error) from error
        for reading in readings:
            report.skipped += [bad.error for bad in reading.skipped]
            report.notes += reading.notes
    return report


def customer_of(transcript: Transcript) -> str | None:
    """Who the customer is, as readers note it in `meta`, or by the name of who asks."""
    meta = transcript.meta or {}
    for key in _CUSTOMER_KEYS:
        if isinstance(meta.get(key), (str, int)) and meta[key] != "":
            return str(meta[key])
    return next((one.name for one in transcript.messages if one.role == "user" and one.name), None)


def began_at(transcript: Transcript) -> float | None:
    """When it began, in seconds; a time without a zone is taken for UTC."""
    for message in transcript.messages:
        if message.time is not None:
            time = message.time
            return (time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp()
    return None


class _Chooser:
    """Finds each conversation's part, in one pass or, where all have to be known first, in two."""

    def __init__(self, parts: Parts, by: By, seed: str, stratify: str | None) -> None:
        self._parts, self._by, self._seed, self._prefix = parts, by, seed, stratify
        self._times = array("d")
        self._cuts: list[float] = []
        self._strata = Strata(parts, seed=seed)

    @property
    def needs_to_count(self) -> bool:
        return self._by == "time" or self._prefix is not None

    def count(self, transcript: Transcript) -> None:
        if self._by == "time":
            self._times.append(_known(began_at(transcript)))
        elif self._prefix is not None:
            tags = sorted(tag for tag in transcript.tags if tag.startswith(self._prefix))
            self._strata.add(self._key(transcript), "\n".join(tags))

    def settle(self) -> None:
        if self._by == "time":
            self._cuts = self._parts.cuts(self._times)
        else:
            self._strata.settle()

    def part(self, transcript: Transcript) -> str:
        if self._by == "time":
            return self._parts.by_time(_known(began_at(transcript)), self._cuts)
        key = self._key(transcript)
        return (
            self._strata.part(key) if self._prefix is not None else self._parts.by_hash(key, seed=self._seed)
        )

    def remarks(self, transcript: Transcript) -> list[str]:
        if self._by == "customer" and customer_of(transcript) is None:
            return ["a conversation names no customer and is taken for one of its own"]
        return []

    def _key(self, transcript: Transcript) -> str:
        customer = customer_of(transcript) if self._by == "customer" else None
        return f"id {transcript.id}" if customer is None else f"customer {customer}"


def _all(readings: Sequence[Reading], by: By) -> Iterator[tuple[Reading, Transcript]]:
    seen = Seen()
    for number, reading in enumerate(readings, start=1):
        for transcript in reading:
            try:
                if first := seen.add(transcript.id, number):
                    raise BadRecord(
                        f"is in {str(readings[first - 1].path)!r} too; join them with data mix first"
                    )
                if by == "time" and began_at(transcript) is None:
                    raise BadRecord("has no time; divide by conversation, or leave it out")
            except BadRecord as error:
                problem = f"conversation {transcript.id!r} {error}"
                reading.refuse(BadLine(0, CorpusError(problem, path=reading.path)))
                continue
            yield reading, transcript


def _known(seconds: float | None) -> float:
    assert seconds is not None, "conversations without a time are refused before"
    return seconds
