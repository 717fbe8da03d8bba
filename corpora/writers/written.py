"""What a writer is and gives: bytes for each conversation, and what of it they do not hold.

`JsonWriter` makes one of a function, for formats of JSON lines.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from corpora.formats import BadRecord
from dialog.values import Message, Transcript


@dataclass(frozen=True)
class Written:
    """A conversation's bytes, and what was left out of them."""

    content: bytes
    notes: tuple[str, ...] = ()


class Writer(Protocol):
    """One format."""

    @property
    def name(self) -> str:
        """What `--to` calls it."""
        ...

    @property
    def loses(self) -> tuple[str, ...]:
        """What a transcript holds and the format does not."""
        ...

    def head(self) -> bytes:
        """What the file begins with."""
        ...

    def line(self, transcript: Transcript) -> Written:
        """One conversation.

        Raises:
            BadRecord: the format has no way to say it.
        """
        ...


@dataclass(frozen=True)
class JsonWriter:
    """A format of JSON lines. `make(transcript)` gives the fields that are the format's own.

    Unless `bare`, what these do not hold is written as further fields (`id`, `tags`,
    `state`, each entry of `meta`), which the reader of the format gives back.
    """

    name: str
    make: Callable[[Transcript, bool], dict[str, Any]]
    own: tuple[str, ...]
    bare: bool = False
    loses: tuple[str, ...] = ()
    meta_fields: tuple[str, ...] = ()
    """Entries of `meta` that are the format's own fields."""
    made_of: tuple[str, ...] = ()
    """Entries of `meta` that `make` has put elsewhere."""

    def head(self) -> bytes:
        """Nothing."""
        return b""

    def line(self, transcript: Transcript) -> Written:
        """One line."""
        record = self.make(transcript, self.bare)
        meta = dict(transcript.meta or {})
        for key in ("message_fields", *self.made_of):
            meta.pop(key, None)
        record |= {key: meta.pop(key) for key in self.meta_fields if key in meta}
        notes: tuple[str, ...] = ()
        if self.bare:
            notes = tuple(f"{part} not written" for part in _unwritten(transcript, meta))
        else:
            inside = {key: meta.pop(key) for key in list(meta) if key in _TAKEN or key in self.own}
            record = {"id": transcript.id, **record, **_besides(transcript), **meta}
            if inside:
                record["meta"] = inside
        return Written(_json(record), notes)


_TAKEN = ("id", "tags", "state", "meta")


def message_fields(transcript: Transcript) -> Mapping[str, Mapping[str, Any]]:
    """What a reader kept of messages besides our fields: number -> fields."""
    fields = (transcript.meta or {}).get("message_fields", {})
    return fields if isinstance(fields, dict) else {}


def plain(message: Message, *, bare: bool) -> dict[str, Any]:
    """A message in OpenAI's shape; `bare` drops `time` and says `loss` by `weight`."""
    record = message.model_dump(mode="json", exclude_none=True)
    if message.tool_calls and not message.content:
        record["content"] = None
    if bare:
        record.pop("time", None)
        if record.pop("loss", None) is False:
            record["weight"] = 0
    return record


def _besides(transcript: Transcript) -> dict[str, Any]:
    besides: dict[str, Any] = {}
    if transcript.tags:
        besides["tags"] = list(transcript.tags)
    if transcript.state is not None:
        besides["state"] = transcript.state
    return besides


def _unwritten(transcript: Transcript, meta: Mapping[str, Any]) -> list[str]:
    parts = ["id"]
    parts += ["tags"] if transcript.tags else []
    parts += ["state"] if transcript.state else []
    parts += ["meta"] if meta else []
    parts += ["time"] if any(message.time for message in transcript.messages) else []
    return parts


def _json(record: Mapping[str, Any]) -> bytes:
    try:
        return json.dumps(record, ensure_ascii=False).encode() + b"\n"
    except UnicodeEncodeError as error:
        raise BadRecord("has a lone surrogate, which is no text; remove it") from error
