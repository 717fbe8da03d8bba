"""`instructrec data convert`: whole files or none, everything left out told."""

from __future__ import annotations

import io
import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.corpora.conftest import Result, Write

Data = Callable[..., Result]
ZH = {
    "messages": [
        {"role": "user", "content": "我的包裹在哪里？"},
        {"role": "assistant", "content": "已发货。"},
    ]
}
EN = {"messages": [{"role": "user", "content": "Where is it?"}, {"role": "assistant", "content": "Sent."}]}
BAD = {"messages": []}


def test_the_group_lists_its_verbs(data: Data) -> None:
    assert "convert" in data("--help").out


def test_a_file_becomes_transcripts(data: Data, write: Write, tmp_path: Path) -> None:
    result = data("convert", write("a.jsonl", ZH, EN), "--out", tmp_path / "b.jsonl")
    assert result.code == 0, result.err
    lines = [json.loads(line) for line in (tmp_path / "b.jsonl").read_text().splitlines()]
    assert [line["id"] for line in lines] == ["a-1", "a-2"]
    assert "2 conversations from" in result.err


def test_json_tells_what_was_done(data: Data, write: Write, tmp_path: Path) -> None:
    path = write("a.jsonl", ZH, BAD, EN)
    result = data("convert", path, "--out", "b.jsonl", "--skip-bad", 1, "--json")
    told = json.loads(result.out)
    assert (told["conversations"], told["messages"], told["inputs"]) == (2, 4, {str(path): "openai"})
    assert told["skipped"][0].startswith(f"{path}:2: messages is no list")


def test_a_bad_record_exits_2_and_leaves_no_file(data: Data, write: Write, tmp_path: Path) -> None:
    path = write("a.jsonl", ZH, BAD)
    result = data("convert", path, "--out", "b.jsonl")
    assert result.code == 2
    assert f"{path}:2: messages is no list of messages" in result.err
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.jsonl"]


def test_an_interruption_leaves_no_file_and_the_old_one(
    data: Data, write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = write("b.jsonl", "old")

    def stopped(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("corpora.writers.canonical.Canonical.line", stopped)
    assert data("convert", write("a.jsonl", ZH), "--out", old).code == 130
    assert old.read_text() == "old"
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["a.jsonl", "b.jsonl"]


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_process_that_is_stopped_leaves_no_file(tmp_path: Path, sent: signal.Signals, code: int) -> None:
    (tmp_path / "a.jsonl").write_bytes((json.dumps(EN).encode() + b"\n") * 200_000)
    (tmp_path / "out").mkdir()
    command = [sys.executable, "-m", "dialog", "data", "convert", "a.jsonl", "--out", "out/b.jsonl"]
    with subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.DEVNULL) as process:
        while not any(path.stat().st_size for path in (tmp_path / "out").iterdir()):
            assert process.poll() is None
            time.sleep(0.01)
        process.send_signal(sent)
        assert process.wait(timeout=60) == code
    assert list((tmp_path / "out").iterdir()) == []


def test_a_file_may_be_converted_onto_itself(data: Data, write: Write) -> None:
    path = write("a.jsonl", ZH)
    assert data("convert", path, "--out", path).code == 0
    assert json.loads(path.read_text())["id"] == "a-1"


def test_a_table_is_written_where_the_name_asks_for_one(data: Data, write: Write, tmp_path: Path) -> None:
    data("convert", write("a.jsonl", ZH), "--out", "b.csv")
    assert (tmp_path / "b.csv").read_text() == (
        "conversation,role,time,name,text,tags\na-1,user,,,我的包裹在哪里？,\na-1,assistant,,,已发货。,\n"
    )


def test_what_a_table_cannot_hold_is_told(data: Data, write: Write) -> None:
    path = write("a.jsonl", {"id": "c", **EN, "meta": {"shop": 1}}, {"id": "d", **ZH, "meta": {"shop": 1}})
    assert "meta not written (2 times)" in data("convert", path, "--out", "b.csv").err


def test_a_conversation_that_a_format_cannot_say_is_bad(data: Data, write: Write) -> None:
    path = write("a.jsonl", EN, {"messages": EN["messages"][:1]})
    result = data("convert", path, "--out", "b.jsonl", "--to", "prompt-completion")
    assert result.code == 2
    assert "conversation 'a-2' does not end with an answer to train on" in result.err


def test_the_same_id_in_two_files_is_an_error_with_the_way_out(data: Data, write: Write) -> None:
    one, other = write("x/a.jsonl", EN), write("y/a.jsonl", ZH)
    result = data("convert", one, other, "--out", "b.jsonl")
    assert result.code == 2
    assert f"conversation 'a-1' is in {str(one)!r} too" in result.err
    assert "data mix" in result.err


def test_standard_output_takes_the_result(data: Data, write: Write) -> None:
    result = data("convert", write("a.jsonl", ZH), "--out", "-", "--quiet")
    assert json.loads(result.out)["messages"][0]["content"] == "我的包裹在哪里？"
    assert result.err == ""


def test_standard_input_is_read_as_often_as_needed(
    data: Data, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = "".join(json.dumps(one) + "\n" for one in (ZH, EN)).encode()
    for verb in (["convert", "-", "--out", "b.jsonl"], ["split", "-", "--out", "parts", "--stratify", ""]):
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(content)))
        assert data(*verb).code == 0
    assert json.loads((tmp_path / "b.jsonl").read_text().splitlines()[1])["id"] == "stdin-2"
    assert sum(len(path.read_text().splitlines()) for path in (tmp_path / "parts").iterdir()) == 2


def test_a_folder_without_mails_says_what_to_do(data: Data, tmp_path: Path) -> None:
    result = data("convert", tmp_path, "--out", "b.jsonl")
    assert result.code == 2
    assert "is a folder without .eml files; name its files one by one" in result.err


def test_an_output_that_cannot_be_written_is_named(data: Data, write: Write) -> None:
    result = data("convert", write("a.jsonl", ZH), "--out", "/proc/nowhere/b.jsonl")
    assert result.code == 2
    assert "/proc/nowhere/b.jsonl: cannot be written" in result.err


@pytest.mark.parametrize("option", ["--format", "--to"])
def test_an_unknown_format_is_a_usage_error_that_lists_the_known(
    data: Data, write: Write, option: str
) -> None:
    result = data("convert", write("a.jsonl", ZH), "--out", "b.jsonl", option, "wordstar")
    assert result.code == 2
    assert "no format 'wordstar'" in result.err
    assert "sharegpt" in result.err


def test_formats_are_listed_with_what_they_lose(data: Data) -> None:
    rows = {row["name"]: row for row in json.loads(data("formats", "--json").out)}
    assert (rows["openai"]["reads"], rows["openai"]["writes"]) == (True, True)
    assert "images and sounds in a message" in rows["openai"]["reading_loses"]
    assert rows["csv"]["writing_loses"] == ["tool calls", "state", "meta", "loss and weight"]
