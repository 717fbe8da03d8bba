"""Our own format: JSON lines, each a `dialog.values.Transcript` (docs/contracts.md)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from corpora.files import Source, lines
from corpora.formats import Found, ReadOptions
from corpora.schema import BadLine, parse_transcript
from dialog.errors import CorpusError


@dataclass(frozen=True)
class Canonical:
    """Lines that are transcripts already."""

    name: str = "canonical"
    loses: tuple[str, ...] = ()

    def sniff(self, source: Source) -> bool:
        """True if one of the first lines is a transcript; the others may be bad."""
        try:
            with source.open() as file:
                return any(self._is_one(line, source) for _, line in islice(lines(file, source.path), 3))
        except CorpusError:
            return False

    def read(self, source: Source, options: ReadOptions) -> Iterator[Found | BadLine]:
        """The conversations, in order."""
        with source.open() as file:
            for number, line in lines(file, source.path):
                try:
                    if isinstance(line, CorpusError):
                        raise line
                    yield Found(parse_transcript(line, path=source.path, line_number=number), number)
                except CorpusError as error:
                    yield BadLine(number, error)

    @staticmethod
    def _is_one(line: bytes | CorpusError, source: Source) -> bool:
        if isinstance(line, CorpusError):
            return False
        try:
            parse_transcript(line, path=source.path, line_number=0)
        except CorpusError:
            return False
        return True


READER = Canonical()
