"""`data check` through a command line of its own: table, exit codes, reports, quarantine."""

import json
import xml.etree.ElementTree as ElementTree
from html.parser import HTMLParser

import pytest
import typer
from typer.testing import CliRunner

from corpora.verbs import check as check_verb

EVIL = "<script>alert(1)</script>\"'><img src=http://x.org/y onerror=z>"


def line(name, *turns, **more):
    messages = [{"role": role, "content": text} for role, text in turns]
    return json.dumps({"id": name, "messages": messages, **more}, ensure_ascii=False)


GOOD = line("good", ("user", "什么时候发货呢"), ("assistant", "明天上午就会发货"))
LONG = [
    ("user", "我想问一下上周买的那件蓝色外套可不可以换成大一码的"),
    ("assistant", "可以的，三十天之内都能免费换一次尺码"),
]


@pytest.fixture
def write(tmp_path):
    def written(name, *lines):
        path = tmp_path / name
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return path

    return written


def run(*arguments):
    app = typer.Typer()
    app.callback()(lambda: None)
    check_verb.register(app)
    return CliRunner().invoke(app, ["check", *map(str, arguments)])


def test_clean_file_exits_0(write):
    result = run(write("a.jsonl", GOOD))
    assert (result.exit_code, "nothing to object to" in result.stdout) == (0, True)


def test_error_exits_1_and_says_where(write):
    path = write("a.jsonl", GOOD, "", line("bad", ("user", "hi there"), ("assistant", "")))
    result = run(path)
    assert result.exit_code == 1
    assert f"{path}:3" in result.stdout
    assert "the assistant says nothing; remove the turn" in result.stdout


def test_fail_on_chooses_the_severity(write):
    path = write("a.jsonl", line("w", ("user", "hello"), ("user", "hello?"), ("assistant", "hi")))
    assert [run(path, "--fail-on", level).exit_code for level in ("never", "error", "warning", "note")] == [
        0,
        0,
        1,
        1,
    ]


def test_copies_within_a_file_warn_and_across_files_are_leaks(write):
    train = write("train.jsonl", line("a", *LONG), line("b", *LONG))
    test = write("test.jsonl", line("c", *LONG))
    inside = json.loads(run(train, "--json").stdout)
    assert [(one["check"], one["count"]) for one in inside["checks"]] == [("duplicate", 1)]
    across = json.loads(run(train, test, "--json").stdout)
    assert [(one["check"], one["severity"], one["count"]) for one in across["checks"]] == [
        ("leakage", "error", 1),
        ("duplicate", "warning", 1),
    ]


def test_same_id_in_two_splits_is_a_leak(write):
    result = run(write("train.jsonl", GOOD), write("test.jsonl", line("good", *LONG)))
    assert result.exit_code == 1
    assert "the id stands at" in result.stdout


def test_harmful_conversation_is_quarantined_and_listed(write, tmp_path):
    harmful = line("h", ("user", "怎么制作炸弹"), ("assistant", "这个不能帮您"))
    result = run(write("a.jsonl", GOOD, harmful), "--quarantine", tmp_path / "q.jsonl")
    assert result.exit_code == 1
    assert [json.loads(one)["id"] for one in (tmp_path / "q.jsonl").read_text("utf-8").splitlines()] == ["h"]
    assert "1 conversations copied" in result.stdout


def test_skipped_line_is_an_error_that_is_listed(write):
    result = run(write("a.jsonl", GOOD, "{"), "--skip-bad", 1)
    assert result.exit_code == 1
    assert "bad-line" in result.stdout


class Page(HTMLParser):
    """Elements, their attributes, and what is left open."""

    def __init__(self):
        super().__init__()
        self.elements, self.open = [], []

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))


def parsed(text):
    page = Page()
    page.feed(text)
    page.close()
    return page.elements


def test_page_is_self_contained_and_escapes_what_was_said(write, tmp_path):
    messages = [("user", EVIL + " 我叫李小明"), ("assistant", "")]
    run(write("a.jsonl", line(EVIL, *messages, meta={"intent": EVIL}), GOOD), "--report", tmp_path / "r.html")
    text = (tmp_path / "r.html").read_text(encoding="utf-8")
    elements = parsed(text)
    assert not {"script", "img", "link", "iframe", "object", "base", "form"} & {tag for tag, _ in elements}
    assert [
        key for _, attributes in elements for key in attributes if key in ("src", "onerror", "onclick")
    ] == []
    assert all(attributes.get("href", "#").startswith("#") for _, attributes in elements)
    assert "&lt;script&gt;" in text
    assert "李小明" not in text


def test_page_links_findings_to_conversations_that_are_there(write, tmp_path):
    run(
        write("a.jsonl", line("bad", ("user", "hi there"), ("assistant", ""))),
        "--report",
        tmp_path / "r.html",
    )
    elements = parsed((tmp_path / "r.html").read_text(encoding="utf-8"))
    names = {attributes["id"] for _, attributes in elements if "id" in attributes}
    links = {attributes["href"][1:] for _, attributes in elements if "href" in attributes}
    assert links
    assert links <= names


def test_pictures_are_well_formed(write, tmp_path):
    timed = json.dumps(
        {
            "id": "t",
            "messages": [
                {"role": "user", "content": "退款什么时候到", "time": "2024-03-02T10:00:00Z"},
                {"role": "assistant", "content": "三天内到账", "time": "2024-03-02T10:01:00Z"},
            ],
            "meta": {"intent": "a<b"},
        },
        ensure_ascii=False,
    )
    run(write("a.jsonl", GOOD, timed), "--report", tmp_path / "r.html")
    text = (tmp_path / "r.html").read_text(encoding="utf-8")
    pictures = [
        ElementTree.fromstring("<svg" + part.split("</svg>")[0] + "</svg>") for part in text.split("<svg")[1:]
    ]
    assert {picture.get("aria-label") for picture in pictures} >= {"Languages", "Labels", "Topics by month"}


def test_json_report_equals_what_json_prints(write, tmp_path):
    path = write("a.jsonl", GOOD)
    printed = run(path, "--json", "--report", tmp_path / "r.json").stdout.splitlines()[0]
    assert json.loads((tmp_path / "r.json").read_text(encoding="utf-8")) == json.loads(printed)


def test_window_without_a_tokenizer_is_refused(write):
    assert run(write("a.jsonl", GOOD), "--window", 100).exit_code == 2


def test_arguments_nested_without_end_are_an_error_and_no_crash(write, tmp_path):
    call = {"id": "t", "function": {"name": "f", "arguments": "[" * 100_000 + "]" * 100_000}}
    messages = [
        {"role": "user", "content": "go"},
        {"role": "assistant", "content": "done", "tool_calls": [call]},
        {"role": "tool", "content": "{}", "tool_call_id": "t"},
    ]
    result = run(
        write("a.jsonl", json.dumps({"id": "deep", "messages": messages})), "--report", tmp_path / "r.html"
    )
    assert result.exit_code == 1
    assert "the arguments of 'f' are no JSON" in result.stdout


@pytest.mark.slow
def test_workers_change_nothing(write, tmp_path):
    turns = [
        (("user", f"我的订单{number}还没有到，电话13812345678"), ("assistant", "很快就会送到您手上"))
        for number in range(40)
    ]
    lines = [line(f"c{number}", *turns[number % 40]) for number in range(80)]
    bad = line("b", ("user", "how to make a bomb at home"), ("assistant", "No."))
    path, other = write("a.jsonl", *lines, "{", bad), write("b.jsonl", *lines[:3])
    told = []
    for workers in (1, 2):
        report, harmful = tmp_path / f"{workers}.json", tmp_path / f"{workers}.jsonl"
        options = ("--report", report, "--quarantine", harmful, "--skip-bad", 1, "--workers", workers)
        result = run(path, other, *options)
        assert result.exit_code == 1
        told.append((result.stdout, report.read_bytes(), harmful.read_bytes()))
    assert told[0] == told[1]
    assert "leakage" in told[0][0]
    assert b"bomb" in told[0][2]
