"""`instructrec opinion watch`: a file of news into alarms and a page, in one run or in several."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from skills.opinion.cli import app


@pytest.fixture
def news(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("INSTRUCTREC_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    counts = [0, 1, 0, 1, 1, 0] * 8 + [9]
    rows = [
        {
            "title": f"甲公司 违规 {number}",
            "date": str(date(2026, 1, 1) + timedelta(days=day)),
            "company": "甲公司",
        }
        for day, count in enumerate(counts)
        for number in range(count)
    ]
    path = tmp_path / "news.jsonl"
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in [*rows, {"title": "x"}]))
    return path


def test_alarms_page_and_skipped_lines_are_told(news: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    told = CliRunner().invoke(app, ["watch", str(news), "--out", str(page), "--language", "zh"])
    assert told.exit_code == 0, told.output
    assert "2026-02-18 甲公司: spike, 9" in told.stdout
    assert "skipped news.jsonl, line" in told.stderr
    assert "舆情监测" in page.read_text(encoding="utf-8")


def test_it_goes_on_where_it_stood(news: Path, tmp_path: Path) -> None:
    lines = news.read_text(encoding="utf-8").splitlines(keepends=True)[:-1]
    whole = CliRunner().invoke(app, ["watch", str(news), "--json"])
    told = []
    for number, part in enumerate((lines[:20], lines[20:])):
        news.write_text("".join(part), encoding="utf-8")
        arguments = ["watch", str(news), "--json", "--state", str(tmp_path / "state.json")]
        told += json.loads(CliRunner().invoke(app, [*arguments, *(["--open"] if number == 0 else [])]).stdout)
    assert told == json.loads(whole.stdout)
    assert told


def test_a_hook_that_is_none_is_refused(news: Path) -> None:
    assert CliRunner().invoke(app, ["watch", str(news), "--webhook", "ftp://desk"]).exit_code == 2
