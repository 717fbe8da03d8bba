"""E-mails: an mbox, an .eml file, or a folder of these; a thread is a conversation.

Two passes: headers first, to know the threads, then each thread's mails. What a
mail quotes and its signature are cut; attachments are counted and never opened.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from corpora.files import Source
from corpora.formats import BadRecord, Found, ReadOptions, bad, present, transcript
from corpora.mail.letters import Letter, envelope, parse
from corpora.mail.threads import Place, Threads
from corpora.schema import BadLine
from corpora.speakers import GUESSED, is_agent
from dialog.values import Transcript

MAX_MAIL_BYTES = 64_000_000
_MAX_HEAD_BYTES = 256_000
_SEPARATOR = b"From "
_HEADERS = re.compile(rb"(?:[!-9;-~]{1,80}:[^\n]*\n(?:[ \t][^\n]*\n)*){2,}", re.DOTALL)
_TELLING = re.compile(
    rb"^(?:From|Date|Subject|Message-ID|Received|Return-Path):", re.IGNORECASE | re.MULTILINE
)


@dataclass(frozen=True)
class Email:
    """Threads of mails."""

    name: str = "email"
    loses: tuple[str, ...] = (
        "quoted text",
        "signatures",
        "attachments",
        "the layout of HTML",
        "other headers",
    )

    def sniff(self, source: Source) -> bool:
        """An mbox's first line, or headers that only mails have."""
        head = source.head(1 << 14).replace(b"\r\n", b"\n").lstrip()
        if head.startswith(_SEPARATOR) and re.match(rb"From \S+ .{10,60}\n", head):
            return True
        found = _HEADERS.match(head)
        return found is not None and len(set(_TELLING.findall(found.group()))) >= 2

    def read(self, source: Source, options: ReadOptions) -> Iterator[Found | BadLine]:
        """The threads, in the order of their first mails."""
        if source.path.is_dir():
            yield from self._read_folder(source, options)
            return
        with source.open_seekable() as file:
            threads = Threads()
            for place in _places(file):
                file.seek(place.start)
                threads.add(envelope(file.read(min(_MAX_HEAD_BYTES, place.end - place.start))), place)
            for number, places in enumerate(threads.sorted(), start=1):
                yield _thread(source, places, f"{source.stem}-{number}", options, file)

    def _read_folder(self, source: Source, options: ReadOptions) -> Iterator[Found | BadLine]:
        threads = Threads()
        for path in sorted(source.path.rglob("*.eml")):
            with Source(path).open() as file:
                threads.add(envelope(file.read(_MAX_HEAD_BYTES)), Place(0, path.stat().st_size, 1, path))
        for number, places in enumerate(threads.sorted(), start=1):
            yield _thread(source, places, f"{source.stem}-{number}", options, None)


def _places(file: BinaryIO) -> Iterator[Place]:
    """Where the mails of a file lie; a file that is no mbox is one mail."""
    start, start_line, position, number, after_blank = -1, 1, 0, 0, True
    while line := file.readline(1 << 20):
        number += 1
        if after_blank and line.startswith(_SEPARATOR):
            if start >= 0:
                yield Place(start, position, start_line)
                file.seek(position + len(line))
            start, start_line = position + len(line), number + 1
        elif start < 0 and line.strip():
            start, start_line = position, number
        position += len(line)
        after_blank = not line.strip()
    if start >= 0:
        yield Place(start, position, start_line)


def _thread(
    source: Source, places: list[Place], id: str, options: ReadOptions, file: BinaryIO | None
) -> Found | BadLine:
    notes: list[str] = []
    letters: list[Letter] = []
    for place in places:
        if place.end - place.start > MAX_MAIL_BYTES:
            return bad(source, place.line, f"a mail of more than {MAX_MAIL_BYTES} bytes; leave it out")
        try:
            letter = parse(_content(place, file))
        except ValueError as error:
            return bad(source, place.line, f"a mail cannot be read: {error}")
        if letter.text:
            letters.append(letter)
        else:
            notes.append("a mail without words of its own is left out")
        notes += ["an attachment is left out"] * letter.num_attachments
        notes += ["quoted text or a signature is cut"] * letter.has_quotes
    try:
        return Found(_conversation(letters, id, options, notes), places[0].line, tuple(notes))
    except (BadRecord, ValueError) as error:
        return bad(source, places[0].line, str(error))


def _content(place: Place, file: BinaryIO | None) -> bytes:
    if place.path is not None:
        with Source(place.path).open() as own:
            return own.read(MAX_MAIL_BYTES)
    assert file is not None
    file.seek(place.start)
    return re.sub(rb"(?m)^>(>*From )", rb"\1", file.read(place.end - place.start))


def _conversation(letters: list[Letter], id: str, options: ReadOptions, notes: list[str]) -> Transcript:
    if not letters:
        raise BadRecord("no mail of the thread has words of its own; leave it out")
    first = letters[0].envelope
    senders = [(letter.envelope.name, letter.envelope.address) for letter in letters]
    known = {sender for sender in senders if any(is_agent(part, options.agents) for part in sender if part)}
    if not known and len(set(senders)) > 1:
        notes.append(GUESSED)
        known = {sender for sender in senders if sender != senders[0]}
    messages = [
        present(
            role="assistant" if sender in known else "user",
            content=letter.text,
            name=letter.envelope.name,
            time=letter.envelope.time,
        )
        for letter, sender in zip(letters, senders, strict=True)
    ]
    customer = next((address for name, address in senders if (name, address) not in known), "")
    return transcript(
        first.message_id or id, messages, meta=present(subject=first.subject, customer=customer)
    )


READER = Email()


def holds_mail(folder: Path) -> bool:
    """Whether a folder has mails to read."""
    return next(folder.rglob("*.eml"), None) is not None
