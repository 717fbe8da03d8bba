"""Files scrubbed as a stream, one process or several, with the same result.

A conversation depends on nothing but itself, the rules and the seed, so the
order of work does not matter; results are taken in the order of the files.
Memory holds a few conversations a worker, the ids, and the report's samples.

    job = Job(style="placeholders")
    report = scrub_files([Path("chats.jsonl")], Path("clean.jsonl"), job)
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Literal

from corpora.parallel import in_order
from corpora.schema import BadLine, TranscriptReader, write_transcripts
from corpora.scrub.conversation import Replaced, Replacement, scrub, texts_of
from corpora.scrub.detect import Detector
from corpora.scrub.patterns import Rules
from corpora.scrub.placeholders import Placeholders
from corpora.scrub.report import Report
from corpora.scrub.surrogates import Surrogates
from dialog.errors import CorpusError
from dialog.values import Transcript

Style = Literal["placeholders", "surrogates"]


@dataclass(frozen=True)
class Job:
    """How to scrub; with the text it determines the result."""

    style: Style = "placeholders"
    seed: int = 0
    rules: Rules = field(default_factory=Rules)
    workers: int = 1
    skip_bad: int = 0


@dataclass(frozen=True)
class _Done:
    place: tuple[str, int]
    transcript: str
    replaced: tuple[Replaced, ...]


def scrub_files(paths: Sequence[Path], out: Path, job: Job, *, report: Report | None = None) -> Report:
    """Scrub the files into one, whole or not at all.

    Raises:
        CorpusError: a file cannot be read or written, or two conversations have one id.
    """
    report = report or Report()
    for path in paths:
        if str(path) != "-" and out.exists() and path.exists() and path.samefile(out):
            raise CorpusError("is read and written at once; give --out another name", path=out)
    write_transcripts(out, scrubbed(paths, job, report))
    return report


def scrubbed(paths: Sequence[Path], job: Job, report: Report) -> Iterator[Transcript]:
    """The scrubbed conversations in order; `report` is filled on the way."""
    numbered = _numbered(paths, job, report)
    for done in in_order(numbered, partial(_Scrubber, job), workers=job.workers):
        transcript = Transcript.model_validate_json(done.transcript)
        report.add(done.place[0], done.place[1], transcript.id, done.replaced)
        yield transcript


def _numbered(paths: Sequence[Path], job: Job, report: Report) -> Iterator[tuple[str, int, str]]:
    for path in paths:
        reader = TranscriptReader(path, skip_bad=job.skip_bad)
        for number, transcript in enumerate(reader, start=1):
            yield str(path), number, transcript.model_dump_json(exclude_defaults=True)
        report.skipped.extend(_listed(reader.skipped))


def _listed(skipped: Iterable[BadLine]) -> Iterator[str]:
    for bad in skipped:
        yield str(bad.error)


class _Scrubber:
    """A process's own: the rules made ready once."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._detector = Detector(job.rules)

    def __call__(self, one: tuple[str, int, str]) -> _Done:
        return _scrub_one(one, self._detector, self._job)


def _scrub_one(one: tuple[str, int, str], detector: Detector, job: Job) -> _Done:
    path, number, line = one
    transcript = Transcript.model_validate_json(line)
    replacement: Replacement
    if job.style == "placeholders":
        replacement = Placeholders(taken=texts_of(transcript))
    else:
        replacement = Surrogates(seed=job.seed, conversation=transcript.id)
    result = scrub(transcript, detector, replacement=replacement)
    clean, replaced = result.transcript, result.replaced
    found = detector(transcript.id)
    if found:  # a hash of a telephone number could be tried out, so the place names the conversation
        clean = clean.model_copy(update={"id": f"{Path(path).stem}-{number:06d}"})
        first = found[0]
        replaced += (Replaced(-1, "id", first.kind, "id", first.start, first.end, transcript.id, clean.id),)
    return _Done((path, number), clean.model_dump_json(exclude_defaults=True), replaced)
