"""What goes over the wire: the request's body, and the events that come back.

    body = request_body(prompt.messages, model="m", sampling=sampling, dialect=dialect)
    for event in events(pieces):            # server-sent events, wherever the bytes were cut
        delta = read_delta(event)

Of an answer only what is named here is read; everything else is ignored.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Literal

from pydantic import BaseModel, Field, ValidationError

from dialog.engine.remote.failures import Refused, plain
from dialog.guard.control import clean, defuse
from dialog.values import Message, Sampling

Dialect = Literal["vllm", "llamacpp", "other"]
DONE = "[DONE]"
_MAX_LINE_BYTES = 1 << 20


class PromptDetails(BaseModel):
    cached_tokens: int | None = None


class Usage(BaseModel):
    """What the server counted."""

    prompt_tokens: int = Field(ge=0)
    completion_tokens: int = Field(default=0, ge=0)
    prompt_tokens_details: PromptDetails | None = None

    @property
    def cached_tokens(self) -> int | None:
        return self.prompt_tokens_details.cached_tokens if self.prompt_tokens_details else None


class Words(BaseModel):
    """`reasoning` goes under two names; it is thought, not said, and only counted."""

    content: str | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None

    @property
    def is_empty(self) -> bool:
        return not (self.content or self.reasoning_content or self.reasoning)


class Choice(BaseModel):
    delta: Words = Words()
    finish_reason: str | None = None


class Delta(BaseModel):
    """One event of a stream."""

    choices: list[Choice] = Field(default_factory=list)
    usage: Usage | None = None
    error: Any = None


def request_body(
    messages: Sequence[Message], *, model: str, sampling: Sampling, dialect: Dialect
) -> dict[str, Any]:
    """The body of a `chat/completions` request.

    Marks that look like control tokens are broken in the messages: the server
    tokenizes on its side. What is not OpenAI's own (`top_k`, `min_p`, the
    penalty) is sent where it matters, and always to servers that would
    otherwise put values of their own in its place.
    """
    body: dict[str, Any] = {
        "model": model,
        "messages": [{"role": one.role, "content": defuse(clean(one.content).text)} for one in messages],
        "stream": True,
        "stream_options": {"include_usage": True},
        "temperature": sampling.temperature,
        "max_tokens": sampling.max_tokens,
    }
    if sampling.stop:
        body["stop"] = list(sampling.stop)
    if sampling.seed is not None:
        body["seed"] = sampling.seed
    if sampling.temperature > 0:
        body["top_p"] = sampling.top_p
        if sampling.top_k or dialect != "other":
            body["top_k"] = sampling.top_k
        if sampling.min_p or dialect != "other":
            body["min_p"] = sampling.min_p
    if sampling.repetition_penalty != 1.0 or dialect != "other":
        name = "repeat_penalty" if dialect == "llamacpp" else "repetition_penalty"
        body[name] = sampling.repetition_penalty
    return body


def events(pieces: Iterable[bytes]) -> Iterator[str]:
    """The data of each server-sent event; a character may be cut by the pieces, comments are skipped.

    Source: WHATWG HTML, 9.2.6, without the fields nobody sends here (id, retry, event).

    Raises:
        Refused: a line of more than a megabyte.
    """
    data: list[str] = []
    for line in _lines(pieces):
        if not line:
            if data:
                yield "\n".join(data)
            data = []
        elif line.startswith(b"data:"):
            data.append(line[5:].removeprefix(b" ").decode("utf-8", "replace"))
        elif line.startswith(b"error:"):  # llama.cpp's own
            yield json.dumps({"error": line[6:].decode("utf-8", "replace").strip()})
    if data:
        yield "\n".join(data)


def read_delta(event: str) -> Delta:
    """Raises Refused where the event is an error, or no event of this kind."""
    try:
        delta = Delta.model_validate_json(event.encode("utf-8", "replace"))
    except ValidationError as error:
        raise Refused(status=0, said=f"it sent {plain(event)[:80]!r}, which is no chat event") from error
    if delta.error:
        told = delta.error.get("message") if isinstance(delta.error, dict) else delta.error
        raise Refused(status=0, said=str(told or delta.error))
    return delta


def _lines(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Lines without their ends, which are LF or CRLF."""
    held = b""
    for piece in pieces:
        *whole, held = (held + piece).split(b"\n")
        if len(held) > _MAX_LINE_BYTES:
            raise Refused(status=0, said="it sent a line of more than a megabyte")
        for line in whole:
            yield line.removesuffix(b"\r")
    if held:
        yield held.removesuffix(b"\r")
