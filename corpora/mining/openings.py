"""Opening turns: the first thing a customer says that asks for something, and the reply to it.

    opening = opening_of(transcript)
    opening.text, opening.turn, opening.reply

`turn` is the message's place in its conversation, from 0, as in `data check`.
"""

from __future__ import annotations

from dataclasses import dataclass

from dialog.phrases import small_talk
from dialog.text import words
from dialog.values import Transcript

MIN_WORDS = 2


@dataclass(frozen=True)
class Place:
    """A message: its conversation and its number there, from 0."""

    conversation: str
    turn: int


@dataclass(frozen=True)
class Reply:
    """What the business said to an opening; its messages up to the customer's next, joined."""

    text: str
    place: Place


@dataclass(frozen=True)
class Opening:
    """What a customer came with."""

    text: str
    place: Place
    reply: Reply | None


def opening_of(transcript: Transcript) -> Opening | None:
    """The first message of the user that is more than a greeting; None if there is none.

    A Han character counts as a word; one word says too little to be grouped.
    """
    for turn, message in enumerate(transcript.messages):
        text = message.content.strip()
        if message.role == "user" and not small_talk(text) and len(words(text)) >= MIN_WORDS:
            return Opening(text, Place(transcript.id, turn), reply_after(transcript, turn))
    return None


def reply_after(transcript: Transcript, turn: int) -> Reply | None:
    """What the business says between a message of the user and the user's next; None if nothing."""
    said: list[str] = []
    first = turn
    for number in range(turn + 1, len(transcript.messages)):
        message = transcript.messages[number]
        if message.role == "user":
            break
        if message.role == "assistant" and message.content.strip():
            first = first if said else number
            said.append(message.content.strip())
    return Reply("\n".join(said), Place(transcript.id, first)) if said else None
