"""Transcripts on disk: JSON Lines, one conversation a line, read and written as streams.

UTF-8, a byte order mark tolerated, blank lines passed over. A bad line is an
error that says `FILE:LINE: what, what to do`; up to `skip_bad` of them may be
skipped instead, and are listed.

    reader = TranscriptReader("chats.jsonl", skip_bad=3)
    for transcript in reader:
        ...
    for bad in reader.skipped:
        print(bad.error)
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from corpora.files import MAX_LINE_BYTES, Source, lines, replacing
from corpora.seen import Seen
from dialog.errors import CorpusError
from dialog.values import Transcript

__all__ = [
    "MAX_LINE_BYTES",
    "BadLine",
    "TranscriptReader",
    "dumped",
    "parse_transcript",
    "told",
    "write_transcripts",
]
_SHAPE = '{"id": ..., "messages": [{"role": ..., "content": ...}, ...]}'
_REMEDIES = {
    "extra_forbidden": 'remove it, or move it into "meta"',
    "missing": "add it",
    "json_invalid": f"make the line one JSON object: {_SHAPE}",
    "model_type": f"make the line one JSON object: {_SHAPE}",
    "too_short": "a conversation needs at least one message",
}


@dataclass(frozen=True)
class BadLine:
    """A line that was skipped, and why."""

    line: int
    error: CorpusError


class TranscriptReader:
    """Iterates over a file's transcripts; may be iterated again, which reads the file again.

    Args:
        path: a file, or "-" for standard input.
        skip_bad: how many bad lines may be skipped before one is an error.

    Raises (while iterating):
        CorpusError: the file cannot be read, or more than `skip_bad` lines are bad:
            not UTF-8, not JSON, not a transcript, too long, or with an id seen before.
    """

    def __init__(self, path: str | Path, *, skip_bad: int = 0) -> None:
        if skip_bad < 0:
            raise ValueError(f"skip_bad must not be negative, but is {skip_bad}")
        self.path = Path(path)
        self.skip_bad = skip_bad
        self.skipped: list[BadLine] = []
        self.line = 0
        """Of the transcript that was given out last."""

    def __iter__(self) -> Iterator[Transcript]:
        self.skipped = []
        seen = Seen()
        with Source(self.path) as source, source.open() as file:
            for number, line in lines(file, self.path):
                try:
                    if isinstance(line, CorpusError):
                        raise line
                    transcript = parse_transcript(line, path=self.path, line_number=number)
                    if first := seen.add(transcript.id, number):
                        raise repeated(transcript.id, first, path=self.path, line=number)
                except CorpusError as error:
                    self._skip(BadLine(number, error))
                    continue
                self.line = number
                yield transcript

    def _skip(self, bad: BadLine) -> None:
        if len(self.skipped) >= self.skip_bad:
            if not self.skip_bad:
                raise bad.error
            raise CorpusError(
                f"more than {self.skip_bad} bad lines, the last: {bad.error}; mend them or raise --skip-bad",
                path=self.path,
            ) from bad.error
        self.skipped.append(bad)


def repeated(id: str, first_line: int, *, path: str | Path, line: int) -> CorpusError:
    """The error for an id that came before."""
    problem = f"id {id!r} was used on line {first_line}; give every conversation an id of its own"
    return CorpusError(problem, path=path, line=line)


def parse_transcript(line: bytes, *, path: str | Path, line_number: int) -> Transcript:
    """One line as a transcript.

    Raises:
        CorpusError: it is none; the message names the first field that is wrong.
    """
    try:
        line.decode("utf-8")
        return Transcript.model_validate_json(line)
    except UnicodeDecodeError as error:
        problem = f"not UTF-8 at byte {error.start} of the line; save the file as UTF-8"
    except ValidationError as error:
        problem = told(error)
    raise CorpusError(problem, path=path, line=line_number)


def write_transcripts(path: str | Path, transcripts: Iterable[Transcript]) -> int:
    """Write a file, whole or not at all; returns how many conversations it holds.

    Raises:
        CorpusError: an id occurs twice, a text cannot be UTF-8, or the file cannot be written.
    """
    path = Path(path)
    seen = Seen()
    try:
        with replacing(path) as file:
            for number, transcript in enumerate(transcripts, start=1):
                if seen.add(transcript.id, number):
                    raise CorpusError(
                        f"conversation {number} has the id {transcript.id!r} of an earlier one; "
                        "give every conversation an id of its own",
                        path=path,
                    )
                file.write(dumped(transcript, path) + b"\n")
    except OSError as error:
        raise CorpusError(f"cannot be written: {error.strerror or error}", path=path) from error
    return len(seen)


def dumped(transcript: Transcript, path: Path) -> bytes:
    """One line, without its end.

    Raises:
        CorpusError: a text cannot be UTF-8.
    """
    try:
        return transcript.model_dump_json(exclude_defaults=True).encode("utf-8")
    except ValueError as error:  # pydantic's serialisation error is one
        raise CorpusError(
            f"conversation {transcript.id!r} cannot be written as UTF-8: {error}; remove lone surrogates",
            path=path,
        ) from error


def told(error: ValidationError) -> str:
    """The first thing that is wrong, the value, and what to do."""
    first = error.errors(include_url=False, include_context=False)[0]
    place = ".".join(str(step) for step in first["loc"])
    value = "" if first["type"] in ("missing", "json_invalid", "model_type") else _shown(first["input"])
    more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
    remedy = _REMEDIES.get(first["type"], "correct it")
    return f"{place + ': ' if place else ''}{first['msg']}{value}{more}; {remedy}"


def _shown(value: object) -> str:
    text = repr(value)
    return f", got {text if len(text) <= 60 else text[:57] + '...'}"
