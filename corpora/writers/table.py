"""CSV and TSV: one message a row, with the columns that `corpora.readers.table` knows."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass

from corpora.formats import BadRecord
from corpora.writers.written import Writer, Written
from dialog.values import Transcript

COLUMNS = ("conversation", "role", "time", "name", "text", "tags")
TAG_JOINT = ";"


@dataclass(frozen=True)
class Table:
    """Rows."""

    name: str
    delimiter: str
    loses: tuple[str, ...] = ("tool calls", "state", "meta", "loss and weight")

    def head(self) -> bytes:
        """The names of the columns."""
        return self._rows([COLUMNS])

    def line(self, transcript: Transcript) -> Written:
        """One row a message; the tags are in the first."""
        rows: list[tuple[str, ...]] = []
        lost = {"state"} if transcript.state else set()
        lost |= {"meta"} if transcript.meta else set()
        for number, message in enumerate(transcript.messages):
            tags = TAG_JOINT.join(transcript.tags) if number == 0 else ""
            time = message.time.isoformat() if message.time else ""
            rows.append((transcript.id, message.role, time, message.name or "", message.content, tags))
            lost |= {"tool calls"} if message.tool_calls or message.tool_call_id else set()
            lost |= {"loss and weight"} if message.loss is not None or message.weight is not None else set()
        return Written(self._rows(rows), tuple(f"{part} not written" for part in sorted(lost)))

    def _rows(self, rows: list[tuple[str, ...]]) -> bytes:
        text = io.StringIO()
        csv.writer(text, delimiter=self.delimiter, lineterminator="\n").writerows(rows)
        try:
            return text.getvalue().encode()
        except UnicodeEncodeError as error:
            raise BadRecord("has a lone surrogate, which is no text; remove it") from error


def writer(name: str, bare: bool) -> Writer:
    """Commas, or tabs for `tsv`."""
    return Table(name, "\t" if name == "tsv" else ",")
