"""Plain chat logs: `[time] name: text` and its kin, also with the name and the time on a line above the text.

    [2024-05-01 10:03] Anna: Where is it?        2024-05-01 10:03:22 客服小李：您好
    01/05/24, 10:03 - Anna: Where is it?         客服小李 2024-05-01 10:03:22
                                                 您好

A line of dashes, equals signs or asterisks ends a conversation (words in it
become `meta.title`), as does a silence longer than `--new-after`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from corpora.decoding import open_text
from corpora.files import Source
from corpora.formats import Found, ReadOptions, bad, present, transcript
from corpora.schema import BadLine
from corpora.speakers import GUESSED, roles_of
from corpora.times import parse_time
from dialog.errors import CorpusError

MAX_LINE_CHARS = 1_000_000
MAX_CONVERSATION_CHARS = 8_000_000
_DATE = r"\d{1,4}\s?[-/.年]\s?\d{1,2}\s?[-/.月]\s?\d{1,4}日?"
_CLOCK = r"\d{1,2}[:：]\d{2}(?:[:：]\d{2})?(?:\.\d{1,6})?(?:\s?[AaPp][Mm])?(?:Z|[+-]\d\d:?\d\d)?"
_WHEN = rf"(?P<time>(?:{_DATE}[,，T\s]\s*)?(?:上午|下午)?{_CLOCK})"
_NAME = r"(?P<name>[^\s:：\[\]][^:：\[\]\n]{0,59}?)"
_LINES = tuple(
    re.compile(pattern)
    for pattern in (
        rf"\[{_WHEN}\]\s*{_NAME}\s*[:：][ \t]?(?P<text>.*)",
        rf"{_WHEN}\s+(?:-\s+)?\[?{_NAME}\]?\s*[:：][ \t]?(?P<text>.*)",
        rf"{_NAME}\s*[\[(（]{_WHEN}[\])）]\s*[:：]?[ \t]?(?P<text>.*)",
        rf"(?P<name>[^\s:：\[\]][^:：\[\]\n]{{0,59}}?)\s+(?P<time>{_DATE}[,，T\s]\s*(?:上午|下午)?{_CLOCK})[:：]?(?P<text>)",
        rf"(?P<time>{_DATE}[,，T\s]\s*(?:上午|下午)?{_CLOCK})\s+(?P<name>[^\s:：\[\]][^:：\[\]\n]{{0,59}}?)(?P<text>)",
    )
)
_RULE = re.compile(r"[-=*_#~]{3,}\s*(?P<title>[^\n]*?)\s*[-=*_#~]*")


@dataclass
class _Talk:
    """A conversation as its lines come."""

    line: int
    title: str = ""
    said: list[tuple[datetime | None, str, list[str]]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    num_chars: int = 0


@dataclass(frozen=True)
class ChatLog:
    """Lines with a time and a name."""

    name: str = "chat-log"
    loses: tuple[str, ...] = ("lines of the system", "lines before the first message")

    def sniff(self, source: Source) -> bool:
        """True if a message begins in at least a fifth of the first lines."""
        try:
            with open_text(source) as text:
                lines = [line for line in text.read(20_000).splitlines() if line.strip()][:50]
        except CorpusError:
            return False
        num_begun = sum(_begun(line) is not None for line in lines)
        return num_begun > 0 and 5 * num_begun >= len(lines)

    def read(self, source: Source, options: ReadOptions) -> Iterator[Found | BadLine]:
        """The conversations, in order."""
        for number, talk in enumerate(_talks(source, options), start=1):
            if talk.num_chars > MAX_CONVERSATION_CHARS:
                problem = (
                    f"longer than {MAX_CONVERSATION_CHARS} characters; "
                    "divide it by lines of dashes or --new-after"
                )
                yield bad(source, talk.line, problem)
            else:
                yield _found(source, talk, f"{source.stem}-{number}", options)


def _talks(source: Source, options: ReadOptions) -> Iterator[_Talk]:
    talk = _Talk(1)
    last: datetime | None = None
    with open_text(source) as text:
        number = 0
        while line := text.readline(MAX_LINE_CHARS):
            number += 1
            line = line.rstrip("\r\n")
            if rule := _RULE.fullmatch(line):
                if talk.said:
                    yield talk
                talk, last = _Talk(number + 1, title=rule["title"].strip("-=*_#~ ")), None
                continue
            begun = _begun(line)
            if begun is None:
                _continue(talk, line)
                continue
            now = parse_time(begun["time"].strip())
            if last and now and options.new_after_s is not None and _silence(last, now) > options.new_after_s:
                yield talk
                talk = _Talk(number)
            if not talk.said:
                talk.line = number
            last = now or last
            _append(talk, begun, now)
    if talk.said:
        yield talk


def _append(talk: _Talk, begun: re.Match[str], now: datetime | None) -> None:
    talk.num_chars += len(begun["text"])
    if talk.num_chars <= MAX_CONVERSATION_CHARS:
        talk.said.append((now, begun["name"].strip(), [begun["text"]]))


def _continue(talk: _Talk, line: str) -> None:
    if not talk.said:
        talk.notes += ["a line before the first message is left out"] * bool(line.strip())
        return
    talk.num_chars += len(line)
    if talk.num_chars <= MAX_CONVERSATION_CHARS:
        talk.said[-1][2].append(line)


def _found(source: Source, talk: _Talk, id: str, options: ReadOptions) -> Found | BadLine:
    names = list(dict.fromkeys(name for _, name, _ in talk.said))
    roles, guessed = roles_of(names, agents=options.agents)
    notes = [*talk.notes, *([GUESSED] if guessed else [])]
    messages = []
    for when, name, lines in talk.said:
        text = "\n".join(lines).strip()
        if roles[name] == "system":
            notes.append("a line of the system is left out")
        elif not text:
            notes.append("a message without words is left out")
        else:
            notes += ["a time is not read"] * (when is None)
            messages.append(present(role=roles[name], content=text, name=name, time=when))
    try:
        return Found(transcript(id, messages, meta=present(title=talk.title)), talk.line, tuple(notes))
    except ValueError as error:
        return bad(source, talk.line, str(error))


def _begun(line: str) -> re.Match[str] | None:
    if len(line) > MAX_LINE_CHARS - 1 or not any(character.isdigit() for character in line[:100]):
        return None
    return next((found for pattern in _LINES if (found := pattern.fullmatch(line.strip()))), None)


def _silence(last: datetime, now: datetime) -> float:
    if (last.tzinfo is None) != (now.tzinfo is None):
        return 0.0
    return (now - last).total_seconds()


READER = ChatLog()
