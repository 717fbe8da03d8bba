"""From any format to any other, as a stream: what was read, written, skipped and left behind is counted.

report = convert([Reading("export.json")], writer_of("openai"), Path("out.jsonl"))
report.num_written, report.skipped, report.notes
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from corpora.files import STDIN, replacing
from corpora.formats import BadRecord
from corpora.reading import Reading
from corpora.schema import BadLine
from corpora.seen import Seen
from corpora.writers.written import Writer
from dialog.errors import CorpusError

STDOUT = STDIN
Advance = Callable[[int, int], None]


@dataclass
class Report:
    """What came of a conversion."""

    num_written: int = 0
    num_messages: int = 0
    formats: dict[str, str] = field(default_factory=dict)
    skipped: list[CorpusError] = field(default_factory=list)
    notes: Counter[str] = field(default_factory=Counter)


def convert(
    readings: Sequence[Reading], writer: Writer, out: Path, *, advance: Advance = lambda done, total: None
) -> Report:
    """Read everything and write it to one file, whole or not at all; `-` is standard output.

    Raises:
        CorpusError: a file cannot be read or written, or more is bad than may be skipped.
    """
    report = Report()
    try:
        with target(out) as file:
            file.write(writer.head())
            for content in _contents(readings, writer, report):
                file.write(content)
                advance(report.num_written, 0)
    except OSError as error:
        raise unwritable(out, error) from error
    return report


def target(out: Path) -> AbstractContextManager[BinaryIO]:
    """Where to write: a file that appears when it is finished, or standard output."""
    return nullcontext(sys.stdout.buffer) if out == STDOUT else replacing(out)


def unwritable(out: Path, error: OSError) -> CorpusError:
    """The error for a file that cannot be written."""
    return CorpusError(f"cannot be written: {error.strerror or error}; name another file", path=out)


def _contents(readings: Sequence[Reading], writer: Writer, report: Report) -> Iterator[bytes]:
    seen = Seen() if len(readings) > 1 else None  # a single file's ids are checked while it is read
    for number, reading in enumerate(readings, start=1):
        with reading:
            report.formats[str(reading.path)] = reading.format
            for transcript in reading:
                try:
                    if seen is not None and (first := seen.add(transcript.id, number)):
                        raise BadRecord(
                            f"is in {str(readings[first - 1].path)!r} too; convert the files one by one and "
                            "join them with data mix, which renames"
                        )
                    written = writer.line(transcript)
                except BadRecord as error:
                    problem = f"conversation {transcript.id!r} {error}"
                    reading.refuse(BadLine(0, CorpusError(problem, path=reading.path)))
                    continue
                report.num_written += 1
                report.num_messages += len(transcript.messages)
                report.notes.update(written.notes)
                yield written.content
            report.skipped += [bad.error for bad in reading.skipped]
            report.notes += reading.notes
