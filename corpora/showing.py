"""Conversations for people: a heading, who says what, and on request the tokens that are trained on.

Every text passes the filter of terminals, whatever a file says.

    console.print(conversation(transcript))
    console.print(tokens(shown))
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from rich.text import Text

from corpora.filtering import language_of
from corpora.views import Shown
from dialog.guard.terminal import safe_text
from dialog.values import Message, Role, SegmentKind, Transcript

_ROLES: Mapping[Role, str] = {
    "user": "bold green",
    "assistant": "bold cyan",
    "system": "bold magenta",
    "tool": "bold red",
}
_KINDS: Mapping[SegmentKind, str] = {
    "template": "bright_black",
    "instruction": "magenta",
    "user": "green",
    "agent": "cyan",
    "passage": "yellow",
    "memory": "blue",
    "tool": "red",
}
_TRAINED = "bold reverse"
_INDENT = "  "


def conversation(transcript: Transcript) -> Text:
    """The heading and the messages."""
    text = heading(transcript)
    for message in transcript.messages:
        text.append("\n")
        text.append(message.role, style=_ROLES[message.role])
        if besides := _besides(message):
            text.append(f" ({besides})", style="bright_black")
        lines = [*safe_text(message.content).split("\n"), *_calls(message)]
        text.append("".join(f"\n{_INDENT}{line}" for line in lines if line.strip()))
    return text.append("\n")


def heading(transcript: Transcript) -> Text:
    """The id, how long it is, its language and its tags."""
    number = len(transcript.messages)
    facts = [f"{number} message{'s' * (number != 1)}", language_of(transcript)]
    facts += [f"tags: {', '.join(transcript.tags)}"] if transcript.tags else []
    text = Text().append(f"── {_line(transcript.id)}", style="bold")
    return text.append("".join(f"  {_line(fact)}" for fact in facts), style="bright_black")


def tokens(transcript: Transcript, shown: Shown) -> Text:
    """The sequences, what is trained on in reverse; without colours it stands in 【 】."""
    text = heading(transcript)
    for number, sequence in enumerate(shown.sequences, start=1):
        total = sum(stretch.num_tokens for stretch in sequence)
        trained = sum(stretch.num_tokens for stretch in sequence if stretch.weight)
        text.append(f"\nexample {number}: {total} tokens, {trained} trained on\n", style="bright_black")
        for stretch in sequence:
            words = safe_text(stretch.text)
            if stretch.weight:
                weight = "" if stretch.weight == 1 else f"{stretch.weight:g}×"
                text.append(f"【{weight}{words}】", style=f"{_TRAINED} {_KINDS[stretch.kind]}")
            else:
                text.append(words, style=_KINDS[stretch.kind])
    for note in shown.notes:
        text.append(f"\n! {_line(note)}", style="yellow")
    return text.append("\n")


def _besides(message: Message) -> str:
    parts = [_line(message.name)] if message.name else []
    parts += [_moment(message.time)] if message.time else []
    parts += ["not trained on"] if message.loss is False or message.weight == 0 else []
    parts += [f"weight {message.weight:g}"] if message.weight not in (None, 0, 1) else []
    return ", ".join(parts)


def _calls(message: Message) -> list[str]:
    functions = [call.get("function") or {} for call in message.tool_calls or ()]
    return [f"→ {_line(str(one.get('name')))}({_line(str(one.get('arguments')))})" for one in functions]


def _moment(time: datetime) -> str:
    return f"{time:%Y-%m-%d %H:%M}"


def _line(text: str) -> str:
    return " ".join(safe_text(text).split())
