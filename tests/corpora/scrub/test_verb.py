"""`data scrub` through a command line of its own: files in, one file out, a report that keeps secrets."""

import json

import pytest
import typer
from typer.testing import CliRunner

from corpora.verbs import scrub as scrub_verb
from dialog.errors import ConfigError, CorpusError

LINES = [
    {
        "id": f"c-{number}",
        "messages": [
            {"role": "user", "content": f"我叫张伟，电话1381234567{number}, mail a{number}@b.org <b>"},
            {"role": "assistant", "content": "Thanks, 张伟先生"},
        ],
    }
    for number in range(3)
]


@pytest.fixture
def data(tmp_path):
    path = tmp_path / "chats.jsonl"
    path.write_text("\n".join(json.dumps(line, ensure_ascii=False) for line in LINES), encoding="utf-8")
    return path


def run(*arguments):
    app = typer.Typer()
    app.callback()(lambda: None)
    scrub_verb.register(app)
    return CliRunner().invoke(app, ["scrub", *map(str, arguments)])


def test_file_is_scrubbed_and_counted(data, tmp_path):
    out = tmp_path / "clean.jsonl"
    result = run(data, "--out", out)
    assert result.exit_code == 0
    assert "3 of 3 conversations changed" in result.stdout
    first = json.loads(out.read_text(encoding="utf-8").splitlines()[0])
    assert first["messages"][0]["content"] == "我叫[NAME_1]，电话[PHONE_1], mail [EMAIL_1] <b>"


@pytest.mark.parametrize("ending", ["json", "html"])
def test_report_has_context_but_not_what_was_found(data, tmp_path, ending):
    report = tmp_path / f"report.{ending}"
    result = run(data, "--out", tmp_path / "clean.jsonl", "--report", report)
    text = report.read_text(encoding="utf-8") + result.output
    assert "[PHONE_1]" in text
    assert "###########" in text
    assert not any(secret in text for secret in ("13812345670", "张伟", "a0@b.org"))


def test_report_shows_values_when_asked(data, tmp_path):
    report = tmp_path / "report.json"
    run(data, "--out", tmp_path / "clean.jsonl", "--report", report, "--show")
    assert "13812345670" in report.read_text(encoding="utf-8")


def test_report_page_escapes_what_customers_wrote(data, tmp_path):
    report = tmp_path / "report.html"
    run(data, "--out", tmp_path / "clean.jsonl", "--report", report)
    assert "&lt;b&gt;" in report.read_text(encoding="utf-8")
    assert " <b>" not in report.read_text(encoding="utf-8")


def test_id_that_is_a_telephone_number_is_replaced(tmp_path):
    path = tmp_path / "in.jsonl"
    path.write_text(
        '{"id": "13812345678", "messages": [{"role": "user", "content": "hi"}]}', encoding="utf-8"
    )
    run(path, "--out", tmp_path / "out.jsonl")
    assert json.loads((tmp_path / "out.jsonl").read_text())["id"] == "in-000001"


@pytest.mark.slow
def test_workers_change_nothing(data, tmp_path):
    for workers in (1, 2):
        run(
            data,
            "--out",
            tmp_path / f"{workers}.jsonl",
            "--report",
            tmp_path / f"{workers}.json",
            "--workers",
            workers,
        )
    assert (tmp_path / "1.jsonl").read_bytes() == (tmp_path / "2.jsonl").read_bytes()
    assert (tmp_path / "1.json").read_bytes() == (tmp_path / "2.json").read_bytes()


def test_rules_file_adds_patterns_and_allows(data, tmp_path):
    rules = tmp_path / "rules.toml"
    rules.write_text('allow = ["a0@b.org"]\n[[pattern]]\nkind = "TAG"\nregex = "<b>"\n', encoding="utf-8")
    run(data, "--out", tmp_path / "clean.jsonl", "--rules", rules)
    first = json.loads((tmp_path / "clean.jsonl").read_text(encoding="utf-8").splitlines()[0])
    assert first["messages"][0]["content"] == "我叫[NAME_1]，电话[PHONE_1], mail a0@b.org [TAG_1]"


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("allow = [", "is not TOML"),
        ("keep = ['EMALI']", "unknown kind 'EMALI'"),
        ("regions = ['XQ']", "unknown region"),
    ],
)
def test_bad_rules_are_an_error_with_the_place(data, tmp_path, content, problem):
    rules = tmp_path / "rules.toml"
    rules.write_text(content, encoding="utf-8")
    result = run(data, "--out", tmp_path / "clean.jsonl", "--rules", rules)
    assert isinstance(result.exception, ConfigError)
    assert problem in str(result.exception)


def test_output_must_not_be_the_input(data):
    result = run(data, "--out", data)
    assert isinstance(result.exception, CorpusError)
    assert len(data.read_text(encoding="utf-8").splitlines()) == 3
