"""One conversation without its personal data: messages, author names, tool calls, state, tags and meta.

Authors' names, and names that rules found once, are replaced wherever they
stand in the conversation. In structured fields the key speaks with its value:
`{"phone": "1234567"}` is read as "phone: 1234567". Arguments of tool calls stay
valid JSON. Nothing is changed where nothing was found.

    scrubbed = scrub(transcript, Detector(), replacement=Placeholders)
    scrubbed.transcript, scrubbed.replaced
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from corpora.scrub.detect import Detector
from corpora.scrub.finds import Find
from corpora.scrub.keys import kind_by_key
from corpora.scrub.names import is_generic
from dialog.values import Message, Transcript

Replacement = Callable[[str, str], str]
"""(kind, value) -> what stands in for it."""
MAX_NAMES = 100
CONTEXT_CHARS = 30
_AUTHORS = ("user", "assistant")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])|[_\-.]+")
_MAX_DEPTH = 60


@dataclass(frozen=True)
class Replaced:
    """One replacement; `start:end` index the original field, `before` and `after` stand around it, scrubbed.

    `turn` is the message's place from 0, -1 outside messages; `value` is what stood there.
    """

    turn: int
    field: str
    kind: str
    rule: str
    start: int
    end: int
    value: str
    placeholder: str
    before: str = ""
    after: str = ""


@dataclass(frozen=True)
class Scrubbed:
    """A conversation after scrubbing, and what was replaced, in order."""

    transcript: Transcript
    replaced: tuple[Replaced, ...]


def scrub(transcript: Transcript, detector: Detector, *, replacement: Replacement) -> Scrubbed:
    """The conversation with every find replaced. The id is the caller's business."""
    work = _Work(detector, replacement, known=_known_names(transcript, detector))
    messages = tuple(_message(work, place, message) for place, message in enumerate(transcript.messages))
    work.turn = -1
    update: dict[str, Any] = {"messages": messages}
    if transcript.state is not None:
        update["state"] = work.tree(transcript.state, "state")
    if transcript.meta is not None:
        update["meta"] = work.tree(transcript.meta, "meta")
    update["tags"] = tuple(work.text(tag, "tags") for tag in transcript.tags)
    return Scrubbed(transcript.model_copy(update=update), tuple(work.replaced))


def texts_of(transcript: Transcript) -> Iterator[str]:
    """Every text a placeholder could already stand in."""
    for message in transcript.messages:
        yield message.content
        if message.tool_calls:
            yield json.dumps(message.tool_calls, ensure_ascii=False, default=str)
    for part in (transcript.state, transcript.meta):
        if part:
            yield json.dumps(part, ensure_ascii=False, default=str)


class _Work:
    """What is collected while a conversation is scrubbed."""

    def __init__(self, detector: Detector, replacement: Replacement, *, known: tuple[str, ...]) -> None:
        self._detector = detector
        self._replacement = replacement
        self._known = known
        self.replaced: list[Replaced] = []
        self.turn = -1

    def text(self, text: str, field: str, *, told: str = "") -> str:
        """`text` with its finds replaced; `told` is what a key says about it."""
        kind = kind_by_key(told, text) if told and not field.endswith("function.name") else None
        if kind is not None and not self._detector.allows(kind, text):
            return self._with(text, field, [(Find(kind, 0, len(text), rule="key"), 0, len(text))])
        prefix = f"{told}: " if told and told.lower() not in ("name", "names") else ""
        finds = self._detector(prefix + text, known=self._known)
        spans = [
            (f, max(0, f.start - len(prefix)), f.end - len(prefix)) for f in finds if f.end > len(prefix)
        ]
        return self._with(text, field, spans) if spans else text

    def author(self, name: str) -> str:
        """The stand-in of an author's name."""
        whole = Find("NAME", 0, len(name), rule="author")
        return self._with(name, "name", [(whole, 0, len(name))])

    def tree(self, value: Any, field: str, *, told: str = "", depth: int = 0) -> Any:
        """JSON with the texts and long numbers in it scrubbed."""
        if depth > _MAX_DEPTH:
            return self.text(json.dumps(value, ensure_ascii=False, default=str), field)
        match value:
            case str():
                return (
                    self._json_text(value, field, told, depth)
                    if value[:1] in "{["
                    else self.text(value, field, told=told)
                )
            case bool():
                return value
            case int() | float():
                shown = str(value)
                scrubbed = self.text(shown, field, told=told) if len(shown) >= 6 else shown
                return value if scrubbed == shown else scrubbed
            case dict():
                return {
                    self.text(str(key), field): self.tree(
                        item, f"{field}.{key}", told=_CAMEL.sub(" ", str(key)), depth=depth + 1
                    )
                    for key, item in value.items()
                }
            case list() | tuple():
                return [self.tree(item, field, told=told, depth=depth + 1) for item in value]
        return value

    def _json_text(self, text: str, field: str, told: str, depth: int) -> str:
        """A text that may be JSON, as tool arguments are: scrubbed inside, and still JSON."""
        try:
            inner = json.loads(text)
        except (ValueError, RecursionError):
            return self.text(text, field, told=told)
        if not isinstance(inner, (dict, list)):
            return self.text(text, field, told=told)
        scrubbed = self.tree(inner, field, depth=depth + 1)
        return text if scrubbed == inner else json.dumps(scrubbed, ensure_ascii=False)

    def _with(self, text: str, field: str, spans: list[tuple[Find, int, int]]) -> str:
        pieces, last = [], 0
        stands = [self._replacement(find.kind, text[start:end]) for find, start, end in spans]
        for (_, start, end), stand in zip(spans, stands, strict=True):
            pieces += [text[last:start], stand]
            last = end
        pieces.append(text[last:])
        scrubbed = "".join(pieces)
        at = 0
        for place, ((find, start, end), stand) in enumerate(zip(spans, stands, strict=True)):
            at += len(pieces[2 * place])
            record = Replaced(
                turn=self.turn,
                field=field,
                kind=find.kind,
                rule=find.rule,
                start=start,
                end=end,
                value=text[start:end],
                placeholder=stand,
                before=scrubbed[max(0, at - CONTEXT_CHARS) : at],
                after=scrubbed[at + len(stand) : at + len(stand) + CONTEXT_CHARS],
            )
            self.replaced.append(record)
            at += len(stand)
        return scrubbed


def _message(work: _Work, turn: int, message: Message) -> Message:
    work.turn = turn
    update: dict[str, Any] = {"content": _content(work, message)}
    if message.name and message.role in _AUTHORS and not is_generic(message.name):
        update["name"] = work.author(message.name)
    elif message.name:
        update["name"] = work.text(message.name, "name")
    if message.tool_calls:
        update["tool_calls"] = tuple(work.tree(call, "tool_calls") for call in message.tool_calls)
    if message.tool_call_id:
        update["tool_call_id"] = work.text(message.tool_call_id, "tool_call_id")
    return message.model_copy(update=update)


def _content(work: _Work, message: Message) -> str:
    """A tool's result is often JSON: read with its keys."""
    if message.role == "tool":
        return str(work.tree(message.content, "content"))
    return work.text(message.content, "content")


def _known_names(transcript: Transcript, detector: Detector) -> tuple[str, ...]:
    """Names to look for everywhere: authors', and those that words give away once."""
    found: dict[str, None] = {}
    for message in transcript.messages:
        if message.name and message.role in _AUTHORS and not is_generic(message.name):
            _add(found, message.name)
    for message in transcript.messages:
        if len(found) >= MAX_NAMES:
            break
        for find in detector.names(message.content):
            if find.rule not in ("en-given", "en-given-alone", "zh-title"):
                _add(found, message.content[find.start : find.end])
    return tuple(found)


def _add(found: dict[str, None], name: str) -> None:
    han = any("\u3400" <= c <= "\u9fff" for c in name)
    if len(name) >= 2 if han else len(name) >= 3:
        found[name] = None
    if not han:
        for part in re.findall(r"[^\W\d_]{3,}", name):
            if part[0].isupper() and not is_generic(part):
                found[part] = None
