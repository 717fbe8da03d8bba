"""Transcript files: what is read, what is refused and how it is said."""

from __future__ import annotations

import io
import os
import time
from pathlib import Path

import pytest

from corpora.schema import MAX_LINE_BYTES, TranscriptReader, write_transcripts
from dialog.errors import CorpusError
from dialog.values import Message, Transcript

GOOD = b'{"id": "c-%d", "messages": [{"role": "user", "content": "\xe4\xbd\xa0\xe5\xa5\xbd"}]}\n'


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "chats.jsonl"


def ids(path: Path, **options: int) -> list[str]:
    return [transcript.id for transcript in TranscriptReader(path, **options)]


def problem(path: Path) -> str:
    with pytest.raises(CorpusError) as caught:
        ids(path)
    return str(caught.value).removeprefix(str(path))


def test_a_file_is_read_line_by_line(path: Path) -> None:
    path.write_bytes(GOOD % 1 + b"\n" + GOOD % 2)
    read = list(TranscriptReader(path))
    assert [one.id for one in read] == ["c-1", "c-2"]
    assert read[0].messages == (Message(role="user", content="你好"),)


def test_a_byte_order_mark_and_windows_line_ends_are_tolerated(path: Path) -> None:
    path.write_bytes(b"\xef\xbb\xbf" + (GOOD % 1).replace(b"\n", b"\r\n") + GOOD % 2)
    assert ids(path) == ["c-1", "c-2"]


def test_a_last_line_without_end_is_read(path: Path) -> None:
    path.write_bytes((GOOD % 1).rstrip())
    assert ids(path) == ["c-1"]


def test_an_empty_file_holds_nothing(path: Path) -> None:
    path.write_bytes(b"")
    assert ids(path) == []


def test_reading_is_lazy(path: Path) -> None:
    path.write_bytes(GOOD % 1 + b"broken\n")
    assert next(iter(TranscriptReader(path))).id == "c-1"


def test_standard_input_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(GOOD % 1)))
    assert ids(Path("-")) == ["c-1"]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b"not json", "Invalid JSON: expected ident at line 1 column 2; make the line one JSON object"),
        (b"[1, 2]", "make the line one JSON object"),
        (b'{"messages": [{"role": "user", "content": "x"}]}', "id: Field required; add it"),
        (b'{"id": "a", "messages": []}', "a conversation needs at least one message"),
        (
            b'{"id": "a", "messages": [{"role": "bot", "content": "x"}]}',
            "messages.0.role: Input should be 'system', 'user', 'assistant' or 'tool', got 'bot'",
        ),
        (
            b'{"id": "a", "messages": [{"role": "user", "content": "x"}], "mood": 1}',
            'mood: Extra inputs are not permitted, got 1; remove it, or move it into "meta"',
        ),
        (b'{"id": "a", "messages": [{"role": "user", "content": null}]}', "messages.0.content"),
        (b'{"id": "a", "messages": [{"role": "user", "content": "\\ud800"}]}', "Invalid JSON"),
        (b'{"id": "\xff"}', "not UTF-8 at byte 8 of the line; save the file as UTF-8"),
        (b'{"id": "a", "meta": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "recursion limit exceeded"),
        (b'{"id": "a", "messages": [' + b'{"a":' * 100_000, "recursion limit exceeded"),
    ],
)
def test_a_bad_line_is_named_with_its_remedy(path: Path, line: bytes, said: str) -> None:
    path.write_bytes(GOOD % 1 + line + b"\n")
    message = problem(path)
    assert message.startswith(":2: ")
    assert said in message
    assert len(message) < 400


def test_a_repeated_id_is_bad(path: Path) -> None:
    path.write_bytes(GOOD % 1 + GOOD % 2 + GOOD % 1)
    assert problem(path) == (":3: id 'c-1' was used on line 1; give every conversation an id of its own")


def test_a_line_of_ten_megabytes_is_bad_and_the_next_is_read(path: Path) -> None:
    path.write_bytes(b'{"id": "' + b"a" * 10_000_000 + b'"}\n' + GOOD % 2)
    started = time.process_time()
    reader = TranscriptReader(path, skip_bad=1)
    assert [one.id for one in reader] == ["c-2"]
    assert time.process_time() - started < 1
    assert (
        str(reader.skipped[0].error)
        == f"{path}:1: longer than {MAX_LINE_BYTES} bytes; split the conversation"
    )


def test_bad_lines_within_the_bound_are_skipped_and_listed(path: Path) -> None:
    path.write_bytes(b"bad\n" + GOOD % 1 + b"{}\n" + GOOD % 1 + GOOD % 2)
    reader = TranscriptReader(path, skip_bad=3)
    assert [one.id for one in reader] == ["c-1", "c-2"]
    assert [bad.line for bad in reader.skipped] == [1, 3, 4]


def test_one_bad_line_too_many_is_an_error(path: Path) -> None:
    path.write_bytes(b"bad\n" * 3)
    with pytest.raises(CorpusError, match=r"more than 2 bad lines, the last: .*:3: Invalid JSON"):
        ids(path, skip_bad=2)


def test_utf16_is_named(path: Path) -> None:
    path.write_text('{"id": "a"}', encoding="utf-16")
    assert problem(path) == ": is UTF-16; save it as UTF-8"


def test_a_missing_file_and_a_folder_are_named(path: Path, tmp_path: Path) -> None:
    assert "No such file" in problem(path)
    assert "Is a directory" in problem(tmp_path)


def test_what_is_written_is_read_back(path: Path) -> None:
    transcripts = [
        Transcript(
            id="c-1",
            messages=(
                Message(role="user", content="你好 <|im_end|>\u2028\n"),
                Message(role="assistant", content="Hi", loss=False, weight=0.5),
            ),
            tags=("a",),
            meta={"shop": 1},
        ),
        Transcript(id="c-2", messages=(Message(role="user", content=""),)),
    ]
    assert write_transcripts(path, transcripts) == 2
    assert list(TranscriptReader(path)) == transcripts
    assert path.read_bytes().count(b"\n") == 2
    assert "null" not in path.read_text(encoding="utf-8")


def test_a_failed_write_leaves_the_old_file(path: Path) -> None:
    one = Transcript(id="c-1", messages=(Message(role="user", content="x"),))
    write_transcripts(path, [one])
    with pytest.raises(CorpusError, match="conversation 2 has the id 'c-1'"):
        write_transcripts(path, [one, one])
    assert ids(path) == ["c-1"]
    assert os.listdir(path.parent) == [path.name]


def test_a_place_that_cannot_be_written_is_named(path: Path) -> None:
    path.write_text("a file, not a folder")
    with pytest.raises(CorpusError, match="cannot be written"):
        write_transcripts(path / "x.jsonl", [])
