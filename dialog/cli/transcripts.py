"""Transcript lines from a file or stdin, for `--batch` and `--history`.

Every line is checked before any is used, so that a bad one costs no work;
blank lines do not count. `-` is stdin.

    for transcript in read_batch("questions.jsonl"):
        print(transcript.id, transcript.messages[-1].content)
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

from pydantic import ValidationError

from dialog.errors import CorpusError
from dialog.values import Transcript

STDIN = "-"
_BOM = b"\xef\xbb\xbf"


def read_batch(path: str) -> list[Transcript]:
    """Transcripts to be answered: each ends with a user's message, no id comes twice.

    Raises:
        CorpusError: the file cannot be read, a line is malformed, or there is none.
    """
    found: dict[str, Transcript] = {}
    for number, transcript in _numbered(path):
        if transcript.messages[-1].role != "user":
            role = transcript.messages[-1].role
            raise CorpusError(
                f"the last message is the {role}'s; end with the user's message to be answered",
                path=path,
                line=number,
            )
        if transcript.id in found:
            problem = f"the id {transcript.id!r} came before; ids must differ"
            raise CorpusError(problem, path=path, line=number)
        found[transcript.id] = transcript
    return list(found.values())


def read_one(path: str) -> Transcript:
    """The only transcript of a file.

    Raises:
        CorpusError: as `read_batch`, or the file holds several conversations.
    """
    transcripts = list(_numbered(path))
    if len(transcripts) > 1:
        raise CorpusError(f"holds {len(transcripts)} conversations; keep the one that is meant", path=path)
    return transcripts[0][1]


def read_stdin() -> str:
    """All of stdin as text, without the line break that ends it.

    Raises:
        CorpusError: it is not UTF-8.
    """
    return _decoded(sys.stdin.buffer.read().removeprefix(_BOM), path="stdin", line=0).rstrip("\r\n")


def stdin_lines() -> Iterator[str]:
    """The lines of stdin as they come, each with its end.

    Raises:
        CorpusError: a line is not UTF-8.
    """
    for number, line in enumerate(sys.stdin.buffer, start=1):
        yield _decoded(line.removeprefix(_BOM) if number == 1 else line, path="stdin", line=number)


def numbered_lines(path: str) -> list[tuple[int, str]]:
    """The lines that are not blank, with their numbers from 1.

    Raises:
        CorpusError: the file cannot be read, is no UTF-8, or holds nothing.
    """
    lines = _bytes(path).removeprefix(_BOM).split(b"\n")
    found = [
        (number, _decoded(line, path=path, line=number))
        for number, line in enumerate(lines, start=1)
        if line.strip()
    ]
    if not found:
        raise CorpusError('is empty; write one {"id", "messages"} a line', path=path)
    return found


def parsed(line: str, *, path: str, line_number: int) -> Transcript:
    """A line as a transcript. Raises CorpusError with its place."""
    try:
        return Transcript.model_validate_json(line)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        problem = f"{where}: {first['msg']}" if where else first["msg"]
        raise CorpusError(
            f'{problem}; a line is {{"id", "messages": [{{"role", "content"}}]}}', path=path, line=line_number
        ) from error


def _numbered(path: str) -> list[tuple[int, Transcript]]:
    return [(number, parsed(line, path=path, line_number=number)) for number, line in numbered_lines(path)]


def _bytes(path: str) -> bytes:
    if path == STDIN:
        return sys.stdin.buffer.read()
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError as error:
        problem = f"cannot be read: {error.strerror}; name a readable JSONL file"
        raise CorpusError(problem, path=path) from error


def _decoded(content: bytes, *, path: str, line: int) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        problem = f"not UTF-8 at byte {error.start}; convert it first"
        raise CorpusError(problem, path=path, line=line) from error
