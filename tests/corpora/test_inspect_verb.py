"""`data inspect`: found, shown, turned over, and coloured by what is trained on."""

from __future__ import annotations

import io
import json
import os
import sys
import tomllib
from collections.abc import Callable, Iterator
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from corpora import showing
from corpora.browsing import MAX_KEPT, browse
from corpora.cli import app
from corpora.filtering import Wanted, language_of
from corpora.views import Shown, Stretch
from dialog.values import Transcript
from tests.corpora.conftest import Result, Write
from tests.corpora.making import agent, user

Data = Callable[..., Result]
ZH = {
    "id": "c-zh",
    "messages": [{"role": "user", "content": "怎么退货？"}, {"role": "assistant", "content": "七天内。"}],
    "tags": ["退货"],
}
EN = {
    "id": "c-en",
    "messages": [
        {"role": "user", "content": "Where is it?", "time": "2024-05-01T10:00:00Z", "name": "Li"},
        {"role": "assistant", "content": "\x1b[31mSent.\n今天。", "loss": False},
    ],
    "tags": ["shipping"],
}


def chat(*said: str, id: str = "c-1", tags: tuple[str, ...] = ()) -> Transcript:
    return Transcript(id=id, messages=tuple(map(user, said)), tags=tags)


def test_conversations_are_printed_plain_where_nobody_watches(data: Data, write: Write) -> None:
    result = data("inspect", write("a.jsonl", ZH, EN))
    assert result.out == (
        "── c-zh  2 messages  zh  tags: 退货\nuser\n  怎么退货？\nassistant\n  七天内。\n\n"
        "── c-en  2 messages  en  tags: shipping\nuser (Li, 2024-05-01 10:00)\n  Where is it?\n"
        "assistant (not trained on)\n  Sent.\n  今天。\n\n"
    )


@pytest.mark.parametrize(
    ("options", "ids"),
    [
        (["--language", "zh"], ["c-zh"]),
        (["--language", "en"], ["c-en"]),
        (["--tag", "退货"], ["c-zh"]),
        (["--tag", "退货", "--tag", "shipping"], []),
        (["--search", "WHERE"], ["c-en"]),
        (["--search", "七天"], ["c-zh"]),
        (["--id", "c-en"], ["c-en"]),
        (["--limit", "1"], ["c-zh"]),
        ([], ["c-zh", "c-en"]),
    ],
)
def test_filters_choose(data: Data, write: Write, options: list[str], ids: list[str]) -> None:
    result = data("inspect", write("a.jsonl", ZH, EN), "--json", *options)
    assert [json.loads(line)["id"] for line in result.out.splitlines()] == ids


def test_other_formats_are_inspected_as_they_are(data: Data, write: Write) -> None:
    result = data("inspect", write("a.txt", "[10:00] 客户: 在吗\n[10:01] 客服: 在的\n"))
    assert "assistant (客服)\n  在的\n" in result.out


def test_the_language_is_that_of_the_user() -> None:
    assert language_of(Transcript(id="c", messages=(user("你好"), agent("Hello there, how are you")))) == "zh"
    assert Wanted(language="en").holds(chat("Hello"))


SHOWN = Shown(
    (
        (
            Stretch("<user>退货？", "user", 0.0, 4),
            Stretch("七天。", "agent", 1.0, 3),
            Stretch("!", "agent", 0.5, 1),
        ),
    ),
    ("turn 1: left out",),
)


def view(transcript: Transcript, tokenizer: object, *, limit_tokens: int) -> Shown:
    return SHOWN


@pytest.fixture
def tokenizer(monkeypatch: pytest.MonkeyPatch) -> None:
    from dialog.testing import WordTokenizer

    monkeypatch.setattr(
        "dialog.engine.open_tokenizer.open_tokenizer", lambda config, progress: WordTokenizer()
    )
    monkeypatch.setattr("corpora.views.view_of", lambda name: view)


@pytest.mark.usefixtures("tokenizer")
def test_trained_tokens_stand_out_without_colours_too(data: Data, write: Write) -> None:
    result = data("inspect", write("a.jsonl", ZH), "--tokens")
    assert (
        "example 1: 8 tokens, 4 trained on\n<user>退货？【七天。】【0.5×!】\n! turn 1: left out\n"
        in result.out
    )


@pytest.mark.usefixtures("tokenizer")
def test_trained_tokens_are_given_as_json(data: Data, write: Write) -> None:
    told = json.loads(data("inspect", write("a.jsonl", ZH), "--tokens", "--json").out)
    assert told["sequences"][0][1] == {"text": "七天。", "kind": "agent", "weight": 1.0, "num_tokens": 3}
    assert told["notes"] == ["turn 1: left out"]


def test_trained_tokens_are_reversed_on_a_terminal() -> None:
    out = io.StringIO()
    Console(file=out, force_terminal=True, color_system="standard").print(showing.tokens(chat("x"), SHOWN))
    assert "\x1b[1;7;36m【七天。】" in out.getvalue()
    assert "\x1b[32m<user>退货？" in out.getvalue()


def test_a_missing_view_says_what_to_do(data: Data, write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    from dialog import plugins

    load = plugins.load
    monkeypatch.setattr(
        plugins,
        "load",
        lambda group, only=None: plugins.Loaded() if group == "instructrec.views" else load(group, only=only),
    )
    result = data("inspect", write("a.jsonl", ZH), "--tokens")
    assert result.code == 1
    assert "no view 'trained' is installed; install instructrec again" in result.err


def keys(*typed: str) -> Callable[[str], str]:
    waiting = iter(typed)

    def ask(prompt: str) -> str:
        try:
            return next(waiting)
        except StopIteration:
            raise EOFError from None

    return ask


def seen(conversations: list[Transcript] | Iterator[Transcript], *typed: str) -> list[str]:
    shown: list[str] = []
    browse(iter(conversations), show=lambda one: shown.append(one.id), ask=keys(*typed), tell=shown.append)
    return shown


FIVE = [chat("退货" if number == 3 else "hello", id=f"c-{number}") for number in range(5)]


def test_enter_turns_on_and_p_turns_back() -> None:
    assert seen(FIVE, "", "", "p", "n") == ["c-0", "c-1", "c-2", "c-1", "c-2"]


def test_a_search_goes_to_the_next_that_says_it() -> None:
    assert seen(FIVE, "/退货", "", "q", "") == ["c-0", "c-3", "c-4"]


def test_the_ends_are_told() -> None:
    assert seen(FIVE[:1], "", "p", "/x") == [
        "c-0",
        "no further conversation; p goes back, q ends",
        "no earlier conversation is kept",
        "nothing further says 'x'",
    ]


@pytest.mark.terminal
def test_conversations_are_turned_over_on_a_terminal(write: Write, tmp_path: Path) -> None:
    pexpect = pytest.importorskip("pexpect")
    write("a.jsonl", ZH, EN)
    arguments = ["-m", "dialog", "data", "inspect", "a.jsonl"]
    with pexpect.spawn(sys.executable, arguments, cwd=str(tmp_path), encoding="utf-8", timeout=60) as screen:
        screen.expect("怎么退货？")
        screen.expect("quit: ")
        screen.sendline("/where")
        screen.expect("Where is it")
        screen.expect("quit: ")
        screen.sendline("q")
        screen.expect(pexpect.EOF)
        screen.wait()
        assert screen.exitstatus == 0


@pytest.mark.terminal
def test_a_pager_shows_what_comes_through_a_pipe(write: Write, tmp_path: Path) -> None:
    pexpect = pytest.importorskip("pexpect")
    write("a.jsonl", ZH)
    command = f"{sys.executable} -m dialog data inspect - < a.jsonl"
    env = os.environ | {"PAGER": "sed s/^/paged:/"}
    found = pexpect.run(f"bash -c '{command}'", cwd=str(tmp_path), env=env, encoding="utf-8", timeout=60)
    assert "paged:  怎么退货？" in found


def test_nothing_is_asked_where_there_is_nothing() -> None:
    assert seen([], "") == []


def test_only_the_last_conversations_are_kept() -> None:
    many = (chat("x", id=f"c-{number}") for number in range(MAX_KEPT + 10))
    shown = seen(many, *[""] * (MAX_KEPT + 9), *["p"] * MAX_KEPT)
    assert shown[MAX_KEPT + 9] == f"c-{MAX_KEPT + 9}"
    assert shown[-2:] == ["c-10", "no earlier conversation is kept"]


def test_the_entry_point_leads_to_the_group() -> None:
    text = (Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8")
    groups: dict[str, Any] = tomllib.loads(text)["project"]["entry-points"]
    assert EntryPoint("data", groups["instructrec.commands"]["data"], "instructrec.commands").load() is app
