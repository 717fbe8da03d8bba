"""Ctrl-C, Ctrl-D and signals: what stops, what stays."""

import os
import signal
import threading

import pytest

from dialog.events import Finished, TextDelta
from dialog.testing import ScriptedModel
from tests.repl.conftest import INTERRUPT, LEAVE, EventStream

pytestmark = pytest.mark.timeout(20)


class InterruptedModel(ScriptedModel):
    """Does something in the middle of its first answer and waits until it is cancelled."""

    def __init__(self, act, script):
        super().__init__(script, piece_chars=6)
        self._act = act

    def stream(self, prompt, *, sampling, cache_key=None, cancel=None):
        chunks = super().stream(prompt, sampling=sampling, cache_key=cache_key, cancel=cancel)
        yield next(chunks)
        if self._act is not None:
            act, self._act = self._act, None
            act()
            assert cancel.wait(20), "nobody cancelled the turn"
        yield from chunks


def test_ctrl_c_keeps_the_part_that_was_said_and_comes_back(start, keys):
    model = InterruptedModel(lambda: keys.send_text(INTERRUPT), ["First second third fourth.", "Sure."])
    talk = start(model=model)
    shown = talk.step_by_step(("› ", "go on\r"), ("stopped", LEAVE), conversation_id="c-1")
    assert "First" in shown
    assert "fourth" not in shown
    assert "stopped" in shown
    (turn,) = talk.agent.history("c-1").turns()
    assert turn.reply is not None
    assert turn.reply.startswith("First")


def test_the_talk_goes_on_after_an_interruption(start, keys):
    model = InterruptedModel(
        lambda: keys.send_text(INTERRUPT + "again?\r\x04"), ["First second third.", "Sure."]
    )
    talk = start(model=model)
    keys.send_text("go on\r")
    shown = talk.without_leaving()
    assert "› again?\nSure." in shown


@pytest.mark.skipif(os.name == "nt", reason="no such signal")
def test_a_signal_from_outside_does_the_same(start):
    model = InterruptedModel(lambda: os.kill(os.getpid(), signal.SIGINT), ["First second third."])
    shown = start(model=model).step_by_step(("› ", "go on\r"), ("stopped", LEAVE))
    assert "stopped" in shown
    assert "third" not in shown


def test_a_second_ctrl_c_stops_waiting_for_a_turn_that_does_not_end(start, keys):
    talk, release = start(), threading.Event()

    def stuck(stream):
        yield TextDelta(text="I will ne")
        keys.send_text(INTERRUPT)
        assert stream.cancelled.wait(20)
        keys.send_text(INTERRUPT)
        release.wait(20)

    talk.agent.stream = lambda text, **options: EventStream(stuck)
    shown = talk.step_by_step(("› ", "go on\r"), ("no longer waiting", LEAVE))
    release.set()
    assert "I will ne\nno longer waiting" in shown


def test_keys_typed_during_a_reply_are_kept_for_the_next_line(start):
    talk, real = start(["One.", "Two."]), None
    shown_part = threading.Event()

    def stream(text, **options):
        def events(_):
            yield TextDelta(text="One, ")
            assert shown_part.wait(20)
            yield from real(text, **options)

        talk.agent.stream = real
        return EventStream(events)

    real, talk.agent.stream = talk.agent.stream, stream
    talk.terminal.when("› ", lambda: talk.keys.send_text("go\r"))
    talk.terminal.when("One,", lambda: (talk.keys.send_text("and then?\r"), shown_part.set()))
    talk.terminal.when("Two.", lambda: talk.keys.send_text(LEAVE))
    assert "› and then?\nTwo." in talk.without_leaving()


def test_ctrl_c_at_the_prompt_clears_the_line(start):
    talk = start(["Hello."])
    talk("delete everything" + INTERRUPT + "hello\r", conversation_id="c-1")
    assert [turn.user for turn in talk.agent.history("c-1").turns()] == ["hello"]


def test_ctrl_c_on_an_empty_line_says_how_to_leave(start):
    assert "Ctrl-D or /exit leaves" in start()(INTERRUPT)


def test_ctrl_d_leaves_and_says_where_the_talk_is_kept(start):
    shown = start(["Hello."])("hello\r", conversation_id="c-1")
    assert shown.rstrip().endswith("kept as c-1; instructrec chat --continue goes on")


def test_a_terminal_that_goes_away_ends_the_session(start, keys):
    talk = start(["Hello."])
    keys.send_text("hello\r")
    talk.terminal.when("0.0 s", keys.close)
    talk.without_leaving()
    assert "Hello." in talk.terminal.text


def test_a_terminal_that_goes_away_stops_the_reply(start, keys):
    talk = start(model=InterruptedModel(keys.close, ["First second third."]))
    keys.send_text("hello\r")
    shown = talk.without_leaving(conversation_id="c-1")
    assert "third" not in shown
    assert talk.agent.history("c-1").turns()[0].reply.startswith("First")


def test_a_finished_turn_is_shown_even_if_the_stop_comes_too_late(start, keys):
    talk = start(["All of it."])
    real = talk.agent.stream

    def stream(text, **options):
        events = list(real(text, **options))

        def late(turn):
            yield from events[:-1]
            keys.send_text(INTERRUPT)
            assert turn.cancelled.wait(20)
            assert isinstance(events[-1], Finished)
            yield events[-1]

        return EventStream(late)

    talk.agent.stream = stream
    assert "All of it." in talk.step_by_step(("› ", "go\r"), ("0.0 s", LEAVE))
