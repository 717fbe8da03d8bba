"""Conversations in and out: lossless records, and plain transcripts.

A *record* is one JSON line with every entry of every branch; what `to_record`
writes, `from_record` gives back equal. A *transcript* is the path to the head
as messages, for other tools and for training; read in again, it is a
conversation without what the messages do not say.

    line = to_record(conversation).model_dump_json()
    conversation = from_record(read_record(line, path=path, line=1))
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from dialog.conversation import Conversation
from dialog.entries import Entry, HumanSaid, InstructionSet, Replied, UserSaid
from dialog.errors import CorpusError
from dialog.heads import Head
from dialog.instructions import Instruction
from dialog.store.codec import dump, load
from dialog.store.keys import key_of
from dialog.values import Fingerprint, FitReport, Message, Reply, Timings, Transcript, Value

FORMAT: Literal["instructrec-record-1"] = "instructrec-record-1"
IMPORTED = "imported"


class Record(Value):
    """A whole conversation; `entries` are the entries' own JSON, in recorded order."""

    format: Literal["instructrec-record-1"] = FORMAT
    id: str
    head: str | None
    tip: str | None
    entries: tuple[str, ...]


def to_record(conversation: Conversation) -> Record:
    """Everything about a conversation but its version, which belongs to a store."""
    head = conversation.head
    return Record(
        id=conversation.id,
        head=head.head if head else None,
        tip=head.tip if head else None,
        entries=tuple(dump(entry).body for entry in conversation.entries()),
    )


def from_record(record: Record) -> Conversation:
    """The conversation of a record.

    Raises:
        StoreError: an entry is damaged or of a newer version.
        ValueError: the entries do not form a tree.
    """
    entries = [load(body, where=f"conversation {record.id!r}") for body in record.entries]
    head = Head(conversation_id=record.id, head=record.head, tip=record.tip, version=1)
    return Conversation.of(record.id, entries, head if entries else None)


def read_record(line: str, *, path: str | Path, line_number: int) -> Record:
    """One line of a record file. Raises CorpusError with the place."""
    try:
        return Record.model_validate_json(line)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "line"
        raise CorpusError(
            f"not a conversation record ({place}: {first['msg']}); "
            "records are written by history export --format record",
            path=path,
            line=line_number,
        ) from error


def to_transcript(conversation: Conversation) -> Transcript | None:
    """The path to the head as messages; None if nobody said anything on it.

    What a person said stands as an assistant's message with their name; active
    system instructions come first.
    """
    messages = tuple(_messages(conversation))
    if not any(message.role != "system" for message in messages):
        return None
    return Transcript(id=conversation.id, messages=messages)


def _messages(conversation: Conversation) -> Iterator[Message]:
    for entry in conversation.path():
        match entry:
            case UserSaid():
                yield Message(role="user", content=entry.text, time=entry.time)
            case Replied():
                yield Message(role="assistant", content=entry.reply.text, time=entry.time)
            case HumanSaid():
                yield Message(role="assistant", content=entry.text, name=entry.author, time=entry.time)
            case InstructionSet(active=True, instruction=instruction) if instruction.source == "system":
                yield Message(role="system", content=instruction.text, time=entry.time)
            case _:
                pass


def from_transcript(transcript: Transcript, *, now: datetime | None = None) -> Conversation:
    """A conversation whose path says what the messages say.

    Args:
        now: the time of messages that have none; the beginning of 1970 if not given.

    Raises:
        ValueError: a message is a tool's, which a conversation has no entry for.
    """
    default = now or datetime.fromtimestamp(0, UTC)
    conversation = Conversation.empty(transcript.id)
    for at, message in enumerate(transcript.messages):
        entry_id = key_of(f"{transcript.id}\0{at}")[:32]
        time = message.time or default
        entry = _entry(
            message, id=entry_id, parent=conversation.head_id, time=time, transcript=transcript, at=at
        )
        conversation = conversation.append(entry)
    return conversation


def _entry(
    message: Message, *, id: str, parent: str | None, time: datetime, transcript: Transcript, at: int
) -> Entry:
    match message.role:
        case "user":
            return UserSaid(id=id, parent=parent, time=time, text=message.content)
        case "assistant" if message.name:
            return HumanSaid(id=id, parent=parent, time=time, text=message.content, author=message.name)
        case "assistant":
            reply = _reply(message.content, conversation_id=transcript.id, turn_id=parent or id)
            return Replied(id=id, parent=parent, time=time, reply=reply)
        case "system":
            instruction = Instruction(id=f"system:{at}", text=message.content or " ", source="system")
            return InstructionSet(id=id, parent=parent, time=time, instruction=instruction)
        case "tool":
            raise ValueError(
                f"transcript {transcript.id!r}, message {at}: a tool's message cannot be imported; "
                "convert the file with: instructrec data convert"
            )


def _reply(text: str, *, conversation_id: str, turn_id: str) -> Reply:
    return Reply(
        text=text,
        mode="fixed",
        finish_reason="stop",
        conversation_id=conversation_id,
        turn_id=turn_id,
        skill=IMPORTED,
        fit=FitReport(limit_tokens=0, used_tokens=0, reserved_tokens=0),
        timings=Timings(),
        fingerprint=Fingerprint(model=IMPORTED, template="", prompt="", config=""),
    )
