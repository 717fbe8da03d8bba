"""OpenAI's messages, one conversation a line; `tools` come from `meta.tools`."""

from __future__ import annotations

from typing import Any

from corpora.writers.written import JsonWriter, Writer, message_fields, plain
from dialog.values import Transcript


def writer(name: str, bare: bool) -> Writer:
    """With `bare`, what the service's own fine-tuning takes: messages, tools, parallel_tool_calls."""
    return JsonWriter(
        name=name,
        make=_record,
        own=("messages",),
        bare=bare,
        loses=("id", "tags", "state", "meta", "time") if bare else (),
        meta_fields=("tools", "parallel_tool_calls"),
    )


def _record(transcript: Transcript, bare: bool) -> dict[str, Any]:
    extras = message_fields(transcript)
    messages = [
        plain(message, bare=bare) | ({} if bare else dict(extras.get(str(number), {})))
        for number, message in enumerate(transcript.messages)
    ]
    return {"messages": messages}
