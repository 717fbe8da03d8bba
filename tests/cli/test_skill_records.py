"""`skill run NAME --in FILE` and `skill test NAME` with cases, over a skill of another distribution."""

import json
from pathlib import Path

import pytest

from dialog.cli.skill_records import read_records
from dialog.errors import CorpusError
from skills.summarize import Summarize
from skills.triples import Triples

COUNTER = """
from pathlib import Path
from pydantic import BaseModel
from dialog.skill import SkillSpec

LOG = Path("worked.txt")

class Input(BaseModel):
    text: str
    times: int = 1
    note: str | None = None

class Output(BaseModel):
    text: str
    words: int

class Counter:
    spec = SkillSpec(
        name="counter", description="counts", input=Input, output=Output, cases=Path("cases.jsonl")
    )

    def matches(self, turn):
        return 0.1

    def run(self, turn):
        return turn.say(turn.text)

    def work(self, items, tools):
        for item in items:
            if item.text == "stop" and not Path("go").exists():
                raise KeyboardInterrupt
            with LOG.open("a", encoding="utf-8") as log:
                log.write(item.text + "\\n")
            text = item.text * item.times
            yield Output(text=text, words=len(text.split()) if text.isascii() else len(text))
"""


@pytest.fixture
def counter(install):
    install("acme", {"instructrec.skills": {"counter": "acme:Counter"}}, COUNTER)


def test_a_worker_is_run_on_a_text_or_on_a_record(command, counter):
    assert command("skill", "run", "counter", "one two").out == "text: one two\nwords: 2\n"
    record = '{"text": "好", "times": 3}'
    assert json.loads(command("skill", "run", "counter", record, "--json").out) == {
        "text": "好好好",
        "words": 3,
    }


def test_a_file_gives_one_output_a_record_with_its_id(command, counter, lines):
    name = lines("in.jsonl", {"id": 7, "text": "a b"}, {"text": "您好", "times": 2})
    assert command("skill", "run", "counter", "--in", name, "--out", "out.jsonl").code == 0
    with open("out.jsonl", encoding="utf-8") as out:
        assert [json.loads(line) for line in out] == [
            {"id": 7, "text": "a b", "words": 2},
            {"text": "您好您好", "words": 4},
        ]


def test_a_csv_header_names_the_fields_and_an_empty_cell_is_not_given(command, counter, tmp_path):
    path = tmp_path / "in.csv"
    path.write_text('\ufefftext,times,note\n"a,\nb",2,123\n好,,\n', encoding="utf-8")
    result = command("skill", "run", "counter", "--in", str(path))
    assert [json.loads(line)["text"] for line in result.out.splitlines()] == ["a,\nba,\nb", "好"]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("nonsense", "not JSON"),
        ('{"txt": "a"}', "unknown field 'txt'; a record has text, times?, note?"),
        ('{"text": "a", "times": "x"}', "times: Input should be a valid integer"),
        ('["a"]', "a list, not an object"),
    ],
)
def test_a_bad_line_is_named_before_anything_is_done(command, counter, lines, tmp_path, line, problem):
    name = lines("in.jsonl", {"text": "a"}, line)
    result = command("skill", "run", "counter", "--in", name, "--out", "out.jsonl")
    assert result.code == 2
    assert f"{name}:2: {problem}" in result.err
    assert not (tmp_path / "worked.txt").exists()


def test_bad_lines_up_to_the_number_allowed_are_skipped_and_listed(command, counter, lines):
    name = lines("in.jsonl", "nonsense", {"text": "a"}, "{}")
    result = command("skill", "run", "counter", "--in", name, "--skip-bad", "2")
    assert (result.code, len(result.out.splitlines())) == (0, 1)
    assert f"skipped: {name}:1: not JSON" in result.err
    assert f"skipped: {name}:3: text: Field required" in result.err
    assert command("skill", "run", "counter", "--in", name, "--skip-bad", "1").code == 2


def test_a_line_of_csv_is_named_where_it_begins(command, counter, tmp_path):
    path = tmp_path / "in.csv"
    path.write_text('text,times\n"a\nb",1\nc,x\nd,1,2\n', encoding="utf-8")
    assert f"{path}:4: times" in command("skill", "run", "counter", "--in", str(path)).err
    result = command("skill", "run", "counter", "--in", str(path), "--skip-bad", "2")
    assert f"{path}:5: 3 cells under 2 columns" in result.err


def test_stopped_and_started_again_nothing_is_done_twice(command, counter, lines, tmp_path):
    name = lines("in.jsonl", {"text": "a"}, {"text": "b"}, {"text": "stop"}, {"text": "d"})
    run = ("skill", "run", "counter", "--in", name, "--out", "out.jsonl")
    assert command(*run).code == 130
    with open("out.jsonl", "a", encoding="utf-8") as out:
        out.write('{"text": "sto')  # killed in the middle of a line
    (tmp_path / "go").touch()
    again = command(*run)
    assert (again.code, "2 of 4 outputs are there" in again.err) == (0, True)
    assert (tmp_path / "worked.txt").read_text() == "a\nb\nstop\nd\n"
    whole = (tmp_path / "out.jsonl").read_bytes()
    assert command("skill", "run", "counter", "--in", name, "--out", "whole.jsonl").code == 0
    assert (tmp_path / "whole.jsonl").read_bytes() == whole
    assert command(*run).code == 0
    assert (tmp_path / "out.jsonl").read_bytes() == whole


def test_outputs_of_something_else_are_not_gone_on_with(command, counter, lines, tmp_path):
    name = lines("in.jsonl", {"text": "a"})
    run = ("skill", "run", "counter", "--in", name, "--out", "out.jsonl")
    assert command(*run).code == 0
    other = command(*run, "--set", "sampling.max_tokens=7")
    assert (other.code, "another configuration" in other.err) == (1, True)
    lines("in.jsonl", {"text": "b"})
    assert "another input" in command(*run).err
    (tmp_path / "out.jsonl.run.json").unlink()
    assert "does not say what made it" in command(*run).err


def test_a_skill_that_only_talks_takes_no_file(command, install, lines):
    source = COUNTER.replace('input=Input, output=Output, cases=Path("cases.jsonl")', "").replace(
        "def work(", "def _work("
    )
    install("acme", {"instructrec.skills": {"counter": "acme:Counter"}}, source)
    result = command("skill", "run", "counter", "--in", lines("in.jsonl", {"text": "a"}))
    assert "works in conversations, not on records" in result.err


def test_cases_are_tried_and_counted_by_language(command, counter, lines):
    lines(
        "cases.jsonl",
        {"language": "en", "input": {"text": "a b"}, "expect": {"words": 2}},
        {"language": "zh", "input": {"text": "您好"}, "expect": {"words": 3}},
        {"language": "en", "input": {"words": 1}, "expect": {"words": 2}},
    )
    result = command("skill", "test", "counter")
    assert result.code == 1
    assert result.out.splitlines() == [
        "counter: keeps the rules",
        "zh: 0/1 cases passed",
        "  cases.jsonl:2: words is 2, not 3",
        "en: 1/2 cases passed",
        "  cases.jsonl:3: the input is none: text: Field required",
    ]
    found = json.loads(command("skill", "test", "counter", "--json").out)
    assert found["cases"]["en"]["num_passed"] == 1
    lines("cases.jsonl", {"language": "zh", "input": {"text": "您好"}, "expect": {"words": 2}})
    assert command("skill", "test", "counter").code == 0


def test_the_list_shows_what_goes_in_and_what_comes_out(command, counter):
    assert "counter: text, times?, note? -> text, words" in command("skill", "list").out
    rows = {row["name"]: row for row in json.loads(command("skill", "list", "--json").out)}
    assert set(rows["counter"]["input"]["properties"]) == {"text", "times", "note"}


def test_a_transcript_is_a_record_of_a_skill_that_takes_messages(tmp_path: Path) -> None:
    path = tmp_path / "chats.jsonl"
    said = [{"role": "user", "content": "我的包裹呢？", "time": "2026-01-01T10:00:00+08:00"}]
    talk = {"id": "c-1", "messages": said, "tags": ["a"], "meta": {"channel": "web"}, "state": {}}
    path.write_text(json.dumps(talk, ensure_ascii=False) + "\n", encoding="utf-8")
    (record,) = read_records(path, Summarize.spec.input).records
    assert record.id == "c-1"
    with pytest.raises(CorpusError, match="unknown field 'messages'"):
        read_records(path, Triples.spec.input)
