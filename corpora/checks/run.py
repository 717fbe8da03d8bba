"""Every check over every file, as one stream; several files are splits of one set.

Memory: the ids, a signature a conversation, counts, and the first findings of
each check with their conversations (scrubbed) for the page.

    outcome = check_files([Path("train.jsonl"), Path("test.jsonl")], Checking())
    for finding in outcome.findings:
        print(finding.where, finding.conversation, finding.message)
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

from corpora.checks.content import CountTokens
from corpora.checks.duplicates import THRESHOLD, DuplicateIndex
from corpora.checks.figures import Figures
from corpora.checks.finding import Finding, Findings, Problem
from corpora.checks.judging import Judge, Judged
from corpora.checks.labels import LabelChecks
from corpora.parallel import in_order
from corpora.schema import TranscriptReader
from corpora.scrub.conversation import scrub
from corpora.scrub.detect import Detector
from corpora.scrub.patterns import Rules
from corpora.scrub.placeholders import Placeholders
from dialog.errors import CorpusError
from dialog.values import Transcript

QUARANTINED = ("harmful",)
MAX_SHOWN = 300
_SHOWN_MESSAGES, _SHOWN_CHARS = 40, 600


@dataclass(frozen=True)
class Checking:
    """What to check with."""

    rules: Rules = field(default_factory=Rules)
    count_tokens: CountTokens | None = None
    window: int | None = None
    threshold: float = THRESHOLD
    quarantine: Path | None = None
    skip_bad: int = 0
    workers: int = 1

    def judge(self) -> Judge:
        """Of single conversations, for a process."""
        return Judge(self.rules, count_tokens=self.count_tokens, window=self.window)


@dataclass(frozen=True)
class Place:
    """Where a conversation stands."""

    file: str
    line: int
    id: str


@dataclass
class Outcome:
    """What came of it. `shown` are the conversations of kept findings, scrubbed and cut, by `FILE:LINE`."""

    findings: Findings = field(default_factory=Findings)
    figures: Figures = field(default_factory=Figures)
    shown: dict[str, tuple[tuple[str, str], ...]] = field(default_factory=dict)
    skipped: list[str] = field(default_factory=list)
    num_quarantined: int = 0


def check_files(paths: Sequence[Path], checking: Checking) -> Outcome:
    """Check the files.

    Raises:
        CorpusError: a file cannot be read, has too many bad lines, or the quarantine cannot be written.
    """
    work = _Work(checking)
    with ExitStack() as stack:
        quarantine = _quarantine(checking.quarantine, paths, stack)
        for path in paths:
            reader = TranscriptReader(path, skip_bad=checking.skip_bad)
            for transcript, place, judged in _judged(reader, path, checking):
                problems = [*judged.problems, *work.problems(transcript, place)]
                work.record(transcript, place, judged, problems)
                if quarantine is not None and any(one.check in QUARANTINED for one in problems):
                    quarantine.write(transcript.model_dump_json(exclude_defaults=True) + "\n")
                    work.outcome.num_quarantined += 1
            for bad in reader.skipped:
                work.outcome.skipped.append(str(bad.error))
                work.add(
                    Problem("bad-line", "error", None, "the line was skipped"), Place(str(path), bad.line, "")
                )
    work.finish()
    return work.outcome


def _judged(
    reader: TranscriptReader, path: Path, checking: Checking
) -> Iterator[tuple[Transcript, Place, Judged]]:
    """A file's conversations in order, each with what it shows by itself."""
    waiting: deque[tuple[Transcript, Place]] = deque()

    def lines() -> Iterator[str]:
        for transcript in reader:
            waiting.append((transcript, Place(str(path), reader.line, transcript.id)))
            yield transcript.model_dump_json(exclude_defaults=True)

    for judged in in_order(lines(), checking.judge, workers=checking.workers):
        yield *waiting.popleft(), judged


class _Work:
    """What needs more than one conversation, and what is told of all."""

    def __init__(self, checking: Checking) -> None:
        self.outcome = Outcome()
        self._detector = Detector(checking.rules)
        self._labels = LabelChecks()
        self._duplicates = DuplicateIndex(threshold=checking.threshold)
        self._places: list[Place] = []
        self._by_id: dict[str, int] = {}

    def problems(self, transcript: Transcript, place: Place) -> Iterator[Problem]:
        yield from self._labels(transcript, where=f"{place.file}:{place.line}")
        earlier = self._by_id.setdefault(transcript.id, len(self._places))
        if earlier != len(self._places):
            there = self._places[earlier]
            yield Problem("leakage", "error", None, f"the id stands at {there.file}:{there.line} too")

    def record(
        self, transcript: Transcript, place: Place, judged: Judged, problems: Sequence[Problem]
    ) -> None:
        self._places.append(place)
        self._duplicates.add(judged.print)
        self.outcome.figures.add(
            transcript, file=place.file, language=judged.language, num_tokens=judged.num_tokens
        )
        kept = [self.add(problem, place) for problem in problems]
        if any(kept):
            is_error = any(problem.severity == "error" for problem in problems)
            self._show(transcript, place, at_most=2 * MAX_SHOWN if is_error else MAX_SHOWN)

    def add(self, problem: Problem, place: Place) -> bool:
        return self.outcome.findings.add(
            Finding(
                problem.check,
                problem.severity,
                place.file,
                place.line,
                place.id,
                problem.turn,
                problem.message,
            )
        )

    def finish(self) -> None:
        """What only the whole set shows: duplicates, leaks, rare labels."""
        copies: Counter[int] = Counter()
        for pair in self._duplicates.pairs():
            first, second = self._places[pair.first], self._places[pair.second]
            copies[pair.first] += 1
            near = "equals" if pair.similarity == 1 else f"resembles ({pair.similarity:.2f})"
            told = f"{near} {first.file}:{first.line} ({first.id})"
            if first.file != second.file:
                self.add(Problem("leakage", "error", None, told), second)
            else:
                check = "duplicate" if pair.similarity == 1 else "near-duplicate"
                self.add(Problem(check, "warning", None, told), second)
        for count in copies.values():
            self.outcome.figures.clusters[count + 1] += 1
        self.outcome.figures.labels = self._labels.counts
        for text in self._labels.summary():
            self.add(Problem("labels", "note", None, text), Place("", 0, ""))

    def _show(self, transcript: Transcript, place: Place, *, at_most: int) -> None:
        if len(self.outcome.shown) >= at_most:
            return
        clean = scrub(transcript, self._detector, replacement=Placeholders()).transcript
        self.outcome.shown[f"{place.file}:{place.line}"] = tuple(
            (message.role, message.content[:_SHOWN_CHARS]) for message in clean.messages[:_SHOWN_MESSAGES]
        )


def _quarantine(path: Path | None, inputs: Sequence[Path], stack: ExitStack) -> TextIO | None:
    if path is None:
        return None
    for one in inputs:
        if path.exists() and one.exists() and path.samefile(one):
            raise CorpusError("is read and written at once; give --quarantine another name", path=path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return stack.enter_context(path.open("w", encoding="utf-8"))
    except OSError as error:
        raise CorpusError(f"cannot be written: {error.strerror or error}", path=path) from error
