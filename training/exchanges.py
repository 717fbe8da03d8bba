"""A transcript as the agent would have lived it: exchanges of one user message and one reply.

Chat shows the model turns, so training must too: agent messages in a row are one
reply, user messages in a row are turns of which only the last is answered, tool
results stand with the message they answer for, instructions apply from where they are.

    for exchange in exchanges_of(transcript).exchanges:
        exchange.user, exchange.reply_parts
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from dialog.instructions import Instruction
from dialog.prompt.parts import Part
from dialog.values import Message, Transcript, Turn

_JOIN = "\n"


@dataclass(frozen=True)
class Exchange:
    """One user message, and the reply in parts: its messages and the line breaks between them.

    `weights` gives the weight in the loss of each message by its ref (0: not
    trained on); `memory` holds tool results that came before the reply.
    """

    index: int
    user_id: str
    user: str
    instructions: tuple[Instruction, ...] = ()
    memory: str = ""
    reply_parts: tuple[Part, ...] = ()
    weights: Mapping[str, float] = field(default_factory=dict)

    @property
    def is_trained(self) -> bool:
        return any(self.weights.values())

    @property
    def reply(self) -> str | None:
        return "".join(part.text for part in self.reply_parts) if self.reply_parts else None

    @property
    def reply_id(self) -> str | None:
        return self.reply_parts[0].ref if self.reply_parts else None

    @property
    def as_turn(self) -> Turn:
        """The exchange as history of a later prompt."""
        return Turn(
            index=self.index, user_id=self.user_id, user=self.user, reply_id=self.reply_id, reply=self.reply
        )


@dataclass(frozen=True)
class Exchanges:
    """The exchanges in order, and what of the transcript is not in them and why."""

    exchanges: tuple[Exchange, ...]
    notes: tuple[str, ...]


def exchanges_of(transcript: Transcript) -> Exchanges:
    """Group the messages; ids are `m` and the message's number from 0."""
    found: list[Exchange] = []
    instructions: tuple[Instruction, ...] = ()
    notes: list[str] = []
    for number, message in enumerate(transcript.messages):
        ref = f"m{number}"
        match message.role:
            case "system":
                if message.content.strip():
                    instructions += (Instruction(id=ref, text=message.content, source="system"),)
            case "user":
                found.append(Exchange(len(found), ref, message.content, instructions))
            case "assistant" | "tool" if not found:
                notes.append(f"message {number}: {message.role} before the first user message, not shown")
            case "assistant":
                if message.content:
                    found[-1] = _answered(found[-1], ref, message)
                if message.tool_calls:
                    notes.append(f"message {number}: its tool calls are not shown")
            case "tool":
                if found[-1].reply_parts:
                    notes.append(f"message {number}: tool result after the reply, not shown")
                else:
                    found[-1] = _informed(found[-1], message)
    return Exchanges(tuple(found), tuple(notes))


def history(exchanges: Sequence[Exchange], before: int) -> list[Turn]:
    """The turns before exchange number `before`, newest first, as `render` reads them."""
    return [exchange.as_turn for exchange in reversed(exchanges[:before])]


def _answered(exchange: Exchange, ref: str, message: Message) -> Exchange:
    weight = 0.0 if message.loss is False else 1.0 if message.weight is None else message.weight
    joint = (Part("template", "", _JOIN),) if exchange.reply_parts else ()
    return replace(
        exchange,
        reply_parts=(*exchange.reply_parts, *joint, Part("agent", ref, message.content)),
        weights={**exchange.weights, ref: weight},
    )


def _informed(exchange: Exchange, message: Message) -> Exchange:
    memory = _JOIN.join(text for text in (exchange.memory, message.content) if text)
    return replace(exchange, memory=memory)
