"""Reading transcripts of any format: the one loop that counts, checks ids and bounds what is skipped.

with Reading("export.json", skip_bad=3) as reading:
    for transcript in reading:
        ...
reading.format, reading.num_read, reading.notes, reading.skipped
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Self

from corpora.files import Source
from corpora.formats import Found, Reader, ReadOptions
from corpora.readers import reader_of, recognised
from corpora.schema import BadLine, repeated
from corpora.seen import Seen
from dialog.errors import CorpusError
from dialog.values import Transcript


class Reading:
    """One pass, or several, over the conversations of a file.

    Args:
        path: a file (a folder for e-mails), or "-" for standard input.
        format: a name of `corpora.readers.names()`; recognised from the content if None.
        skip_bad: how many conversations that cannot be read may be skipped.

    Raises (on entering or iterating):
        CorpusError: the format is not recognised, the file cannot be read, or too much of it is bad.
        ValueError: there is no such format.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        format: str | None = None,
        skip_bad: int = 0,
        options: ReadOptions | None = None,
    ) -> None:
        if skip_bad < 0:
            raise ValueError(f"skip_bad must not be negative, but is {skip_bad}")
        self.path = Path(path)
        self.skip_bad = skip_bad
        self.num_read = 0
        self.skipped: list[BadLine] = []
        self.notes: Counter[str] = Counter()
        self._named = format
        self._options = options or ReadOptions()
        self._source = Source(path)
        self._reader: Reader | None = None

    def __enter__(self) -> Self:
        self._reader = self.reader
        return self

    def __exit__(self, *reason: object) -> None:
        self._source.__exit__()

    @property
    def reader(self) -> Reader:
        """The reader of the file's format."""
        if self._reader is None:
            self._reader = reader_of(self._named) if self._named else recognised(self._source)
        return self._reader

    @property
    def format(self) -> str:
        """The format's name."""
        return self.reader.name

    def __iter__(self) -> Iterator[Transcript]:
        self.num_read, self.skipped, self.notes = 0, [], Counter()
        seen = Seen()
        for found in self.reader.read(self._source, self._options):
            if isinstance(found, Found):
                first = seen.add(found.transcript.id, found.line)
                if first is None:
                    self.num_read += 1
                    self.notes.update(found.notes)
                    yield found.transcript
                    continue
                error = repeated(found.transcript.id, first, path=self.path, line=found.line)
                found = BadLine(found.line, error)
            self.refuse(found)

    def refuse(self, bad: BadLine) -> None:
        """Count a conversation as bad.

        Raises:
            CorpusError: there are more of them than may be skipped.
        """
        if len(self.skipped) >= self.skip_bad:
            if not self.skip_bad:
                raise bad.error
            raise CorpusError(
                f"more than {self.skip_bad} bad conversations, the last: {bad.error}; "
                "mend them or raise --skip-bad",
                path=self.path,
            ) from bad.error
        self.skipped.append(bad)
