"""What every reader of transcripts is made of: the protocol, what it yields, what it may be told.

A reader yields a `Found` for each conversation and a `BadLine` for each that
cannot be read; it raises only where nothing further can be read. `JsonFormat`
makes one of two functions, for formats whose conversation is a JSON object:

    READER = JsonFormat("mine", fits=lambda record: "talk" in record, convert=convert)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Protocol

from pydantic import ValidationError

from corpora.files import Source
from corpora.json_records import json_records
from corpora.schema import BadLine, told
from dialog.errors import CorpusError
from dialog.values import Message, Transcript

_SAMPLE_RECORDS = 3
_HEAD_BYTES = 1 << 16


class BadRecord(ValueError):
    """What is wrong with one record and what to do; the reader adds the place."""


@dataclass(frozen=True)
class Found:
    """A conversation, the line it begins on, and what of the original it does not hold."""

    transcript: Transcript
    line: int = 0
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Columns:
    """Which columns of a table hold what, and which words in the speaker's column mean which role.

    `text` with `speaker` is one message a row; `question` and `answer` are one exchange a row.
    """

    conversation: str | None = None
    speaker: str | None = None
    text: str | None = None
    time: str | None = None
    name: str | None = None
    question: str | None = None
    answer: str | None = None
    customer: str | None = None
    tags: str | None = None
    roles: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class ReadOptions:
    """What a reader cannot find in the file and may be told.

    Attributes:
        agents: names, addresses or mail domains of those who speak for the business.
        columns: of a table.
        new_after_s: in a chat log, a silence this long begins a new conversation.
        ask: puts a question to the person at the keyboard; None where there is none.
    """

    agents: tuple[str, ...] = ()
    columns: Columns | None = None
    new_after_s: float | None = None
    ask: Callable[[str], str] | None = None


class Reader(Protocol):
    """One format. Another distribution adds one by the entry point group `instructrec.readers`."""

    @property
    def name(self) -> str:
        """What `--format` calls it."""
        ...

    @property
    def loses(self) -> tuple[str, ...]:
        """What the format holds and a transcript does not."""
        ...

    def sniff(self, source: Source) -> bool:
        """Whether the content looks like this format. May read the beginning; must not raise on any bytes."""
        ...

    def read(self, source: Source, options: ReadOptions) -> Iterator[Found | BadLine]:
        """The conversations, in order, as a stream."""
        ...


@dataclass(frozen=True)
class JsonFormat:
    """A format whose conversations are JSON objects: lines, an array, or an array under one of `wrappers`.

    `convert(record, id)` gives the conversation; `id` is for records that have none. It raises
    `BadRecord`, or lets pydantic's error through.
    """

    name: str
    fits: Callable[[dict[str, Any]], bool]
    convert: Callable[[dict[str, Any], str], Found]
    loses: tuple[str, ...] = ()
    wrappers: tuple[str, ...] = ()

    def sniff(self, source: Source) -> bool:
        """True if one of the first records fits; the others may be bad."""
        if source.head(_HEAD_BYTES).lstrip()[:1] not in (b"{", b"["):
            return False
        try:
            records = list(islice(json_records(source, wrappers=self.wrappers), _SAMPLE_RECORDS))
        except CorpusError:
            return False
        return any(record.value is not None and self._fits(record.value) for record in records)

    def _fits(self, value: dict[str, Any]) -> bool:
        try:
            return self.fits(value)
        except (LookupError, TypeError, AttributeError, ValueError):  # a shape it does not expect
            return False

    def read(self, source: Source, options: ReadOptions) -> Iterator[Found | BadLine]:
        """The conversations, in order."""
        for number, record in enumerate(json_records(source, wrappers=self.wrappers), start=1):
            if record.value is None:
                yield bad(source, record.line, record.problem)
                continue
            try:
                found = self.convert(record.value, f"{source.stem}-{number}")
            except ValidationError as error:
                yield bad(source, record.line, told(error))
            except BadRecord as error:
                yield bad(source, record.line, str(error))
            except (LookupError, TypeError, AttributeError, ValueError) as error:
                yield bad(source, record.line, f"{_missing(error)}; is it really {self.name}?")
            else:
                yield Found(found.transcript, record.line, found.notes)


def bad(source: Source, line: int, problem: str) -> BadLine:
    """A record that cannot be read."""
    return BadLine(line, CorpusError(problem, path=source.path, line=line))


def transcript(
    id: object,
    messages: list[Message] | list[dict[str, Any]],
    *,
    state: dict[str, Any] | None = None,
    tags: tuple[str, ...] = (),
    meta: Mapping[str, Any] | None = None,
) -> Transcript:
    """A validated transcript; empty `meta` is none (`present` leaves out what is empty in it).

    Raises:
        BadRecord: nothing is said.
        ValidationError: a part of it has the wrong type.
    """
    if not messages:
        raise BadRecord("nothing is said in it; leave it out")
    return Transcript.model_validate(
        {"id": str(id), "messages": messages, "state": state, "tags": tags, "meta": dict(meta or {}) or None}
    )


def present(**fields: Any) -> dict[str, Any]:
    """Those fields that hold something."""
    return {name: value for name, value in fields.items() if value not in (None, "", [], {}, ())}


def _missing(error: Exception) -> str:
    if isinstance(error, KeyError):
        return f"the field {error.args[0]!r} is missing"
    return f"a field has an unexpected shape ({error})"
