"""Prompt and completion, one conversation a line: texts for a single exchange, else lists of messages.

The completion is the agent's last words: what it says after the last message
of anybody else that it does not answer with a tool. Earlier replies are in the
prompt and so are not trained on; `training` needs no such loss, other tools do.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from corpora.formats import BadRecord
from corpora.writers.written import JsonWriter, Writer, plain
from dialog.values import Message, Transcript


def writer(name: str, bare: bool) -> Writer:
    """With `bare`, the two fields alone."""
    loses = ("training on replies before the last", "fields of messages other than OpenAI's")
    more = ("id", "tags", "state", "meta", "time") if bare else ()
    own = ("prompt", "completion", "input", "system")
    return JsonWriter(name=name, make=_record, own=own, bare=bare, loses=(*loses, *more))


def _record(transcript: Transcript, bare: bool) -> dict[str, Any]:
    prompt, completion = parted(transcript)
    asked, replied = as_text(prompt, role="user"), as_text(completion, role="assistant")
    return {
        "prompt": _listed(prompt, bare) if asked is None else asked,
        "completion": _listed(completion, bare) if replied is None else replied,
    }


def parted(transcript: Transcript) -> tuple[Sequence[Message], Sequence[Message]]:
    """The messages before the last answer, and that answer with its tools.

    Raises:
        BadRecord: it does not end with an answer.
    """
    messages = transcript.messages
    start = len(messages)
    while start and _is_answer(messages[start - 1]):
        start -= 1
    if not any(message.role == "assistant" for message in messages[start:]):
        raise BadRecord("does not end with an answer to train on; leave it out or cut it after one")
    return messages[:start], messages[start:]


def _is_answer(message: Message) -> bool:
    return message.role in ("assistant", "tool") and message.loss is not False and message.weight != 0


def as_text(messages: Sequence[Message], *, role: str) -> str | None:
    """The text of a single plain message of that role; None if there is more to it."""
    if len(messages) == 1 and messages[0] == Message(role=messages[0].role, content=messages[0].content):
        return messages[0].content if messages[0].role == role else None
    return None


def _listed(messages: Sequence[Message], bare: bool) -> list[dict[str, Any]]:
    return [plain(message, bare=bare) for message in messages]
