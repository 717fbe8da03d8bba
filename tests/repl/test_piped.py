"""Input that is not a terminal: answered line by line, then the end."""

import io

import pytest

from dialog.errors import ModelError
from dialog.repl.piped import messages
from dialog.repl.session import run_piped
from dialog.testing import ScriptedModel


@pytest.fixture
def pipe(start):
    """`pipe(script, lines)`: exit code, what came out, what was told beside, and the agent."""

    def run(script, lines, **options):
        talk = start(script) if isinstance(script, list) else start(model=script)
        out, err = io.StringIO(), io.StringIO()
        code = run_piped(talk.agent, lines, out, conversation_id="c-1", err=err, **options)
        return code, out.getvalue(), err.getvalue(), talk.agent

    return run


def test_each_line_is_answered_in_one_conversation(pipe):
    code, out, err, agent = pipe(["Three days.", "没有。"], ["How long?\n", "\n", "有运费吗？"])
    assert (code, out, err) == (0, "Three days.\n\n没有。\n", "")
    assert [turn.user for turn in agent.history("c-1").turns()] == ["How long?", "有运费吗？"]


def test_there_is_no_color_and_no_markdown_is_changed(pipe):
    _, out, _, _ = pipe(["**Bold** and\n\n- [/INST] item"], ["go"])
    assert out == "**Bold** and\n\n- [/INST] item\n"


def test_no_escape_passes(pipe):
    _, out, _, _ = pipe(["a\x1b]52;c;x\x07b\x9b31mc\rd"], ["go"])
    assert out == "abc\nd\n"


def test_quotes_join_lines(pipe):
    _, _, _, agent = pipe(["Yes."] * 2, ['"""\n', "first\n", "\n", 'second"""\n', "third\n"])
    assert [turn.user for turn in agent.history("c-1").turns()] == ["first\n\nsecond", "third"]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([], []),
        (["", "  ", "\n"], []),
        (["a\r\n"], ["a"]),
        (['"""', "never", "closed"], ["never\nclosed"]),
        (['"""one line"""'], ["one line"]),
    ],
)
def test_lines_become_messages(lines, expected):
    assert list(messages(lines)) == expected


def test_a_failed_turn_is_told_and_the_next_one_answered(pipe):
    def answer(prompt):
        if "second" in prompt:
            return "Fine."
        raise ModelError("the model is gone; pull it again")

    code, out, err, _ = pipe(ScriptedModel(answer), ["first", "second"])
    assert (code, err) == (1, "the model is gone; pull it again\n")
    assert out.strip() == "Fine."


def test_commands_work_and_leave(pipe):
    code, out, _, agent = pipe(["One."], ["first", "/history", "/exit", "never said"])
    assert code == 0
    assert "  1 › first" in out
    assert agent.history("c-1").num_turns == 1


def test_an_unknown_command_is_not_sent_and_makes_the_exit_code(pipe):
    code, out, err, agent = pipe(["One."], ["/histroy"])
    assert (code, out) == (2, "")
    assert "did you mean /history?" in err
    assert agent.history("c-1").num_turns == 0


def test_a_reader_that_goes_away_is_no_error(start):
    class Gone(io.StringIO):
        def write(self, text):
            raise BrokenPipeError

    assert run_piped(start().agent, ["hello"], Gone(), err=io.StringIO()) == 0


def test_an_interrupt_has_its_exit_code(start):
    def lines():
        yield "hello"
        raise KeyboardInterrupt

    assert run_piped(start().agent, lines(), io.StringIO(), err=io.StringIO()) == 130
