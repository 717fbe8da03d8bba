"""Our own format, which holds everything."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from corpora.schema import dumped
from corpora.writers.written import Writer, Written
from dialog.values import Transcript

_NOWHERE = Path("output")


@dataclass(frozen=True)
class Canonical:
    """One transcript a line."""

    name: str = "canonical"
    loses: tuple[str, ...] = ()

    def head(self) -> bytes:
        """Nothing."""
        return b""

    def line(self, transcript: Transcript) -> Written:
        """One line."""
        return Written(dumped(transcript, _NOWHERE) + b"\n")


def writer(name: str, bare: bool) -> Writer:
    """The writer; there is nothing to leave out."""
    return Canonical()
