"""`ask`: one turn, standard input, files of questions."""

import io
import json
import signal

import pytest

from dialog.values import Reply


@pytest.fixture
def stdin(monkeypatch):
    def put(content):
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(content), encoding="utf-8"))

    return put


def replies(out):
    return [Reply.model_validate_json(line) for line in out.splitlines()]


def test_answer_is_on_stdout_and_its_sources_are_on_stderr(command, model, shop):
    result = command("ask", "Are returns free?")
    assert result.code == 0
    assert result.out == "Returns are free within 30 days.\n"
    assert result.err.startswith("[1] Returns (returns.md:")


def test_quiet_leaves_the_answer_only(command, model, shop):
    result = command("ask", "Are returns free?", "--quiet")
    assert (result.out, result.err) == ("Returns are free within 30 days.\n", "")


def test_json_is_a_reply(command, model, shop):
    (reply,) = replies(command("ask", "Are returns free?", "--json").out)
    assert reply.text == "Returns are free within 30 days."
    assert reply.citations[0].source == "returns.md"
    assert reply.citations[0].quote == "Returns are free within 30 days."


def test_json_keeps_chinese_readable(command, model, shop):
    result = command("ask", "退货免费吗？", "--json")
    assert "七天内可以免费退货" in result.out


def test_each_ask_is_a_conversation_of_its_own(command, model, shop):
    first, second = (replies(command("ask", "Are returns free?", "--json").out)[0] for _ in range(2))
    assert first.conversation_id != second.conversation_id


def test_conversation_goes_on_where_it_is_named(command, model, shop):
    command("ask", "My name is Ada.", "--conversation", "客服/1")
    command("ask", "Are returns free?", "--conversation", "客服/1")
    listed = json.loads(command("history", "list", "--json").out)
    assert [(item["id"], item["num_turns"]) for item in listed] == [("客服/1", 2)]


def test_dash_reads_stdin(command, model, shop, stdin):
    stdin("\ufeffAre returns free?\n".encode())
    assert command("ask", "-").out == "Returns are free within 30 days.\n"


def test_stdin_that_is_not_utf8_exits_2(command, model, stdin):
    stdin("退货".encode("gbk"))
    result = command("ask", "-")
    assert result.code == 2
    assert "stdin: not UTF-8 at byte 0" in result.err


def test_text_that_is_not_utf8_exits_2(process):
    result = process("ask", b"\xcd\xcb\xbb\xf5".decode("utf-8", "surrogateescape"))
    assert result.code == 2
    assert "TEXT is not UTF-8" in result.err


def test_batch_is_answered_in_order_with_its_ids(command, model, shop, lines, question):
    path = lines("q.jsonl", question("b", "Are returns free?"), "", question("a", "退货免费吗？"))
    result = command("ask", "--batch", path, "--json")
    assert [reply.conversation_id for reply in replies(result.out)] == ["b", "a"]


def test_batch_shows_the_model_the_messages_before(command, model, shop, lines, question):
    before = [("system", "Say sir."), ("user", "My order is 4711."), ("assistant", "Noted.")]
    command("ask", "--batch", lines("q.jsonl", question("a", "Are returns free?", *before)))
    shown = model.prompts[-1].text
    assert "Say sir." in shown
    assert shown.index("My order is 4711.") < shown.index("Noted.") < shown.index("Are returns free?")


def test_batch_leaves_no_conversation_behind(command, model, shop, lines, question):
    command("ask", "--batch", lines("q.jsonl", question("a", "Are returns free?")))
    assert json.loads(command("history", "list", "--json").out) == []


@pytest.mark.parametrize(
    ("bad", "told"),
    [
        ("{nonsense", "q.jsonl:2: Invalid JSON"),
        ('{"id": "a"}', "q.jsonl:2: messages: Field required"),
        ('{"id": "a", "messages": []}', "q.jsonl:2: messages"),
        ('{"id": "a", "messages": [{"role": "boss", "content": "x"}]}', "q.jsonl:2: messages.0.role"),
        ('{"id": "a", "messages": [{"role": "assistant", "content": "x"}]}', "q.jsonl:2: the last message"),
        (
            '{"id": "ok", "messages": [{"role": "user", "content": "x"}]}',
            "q.jsonl:2: the id 'ok' came before",
        ),
        ("[" * 100_000, "q.jsonl:2: "),
    ],
)
def test_bad_line_exits_2_before_anything_is_answered(command, model, shop, lines, question, bad, told):
    path = lines("q.jsonl", question("ok", "Are returns free?"), bad)
    result = command("ask", "--batch", path)
    assert result.code == 2
    assert result.out == ""
    assert told in result.err
    assert model.prompts == []


def test_batch_line_that_is_not_utf8_is_named(command, model, tmp_path):
    (tmp_path / "q.jsonl").write_bytes(b"\n" + '{"id": "退"}'.encode("gbk"))
    result = command("ask", "--batch", "q.jsonl")
    assert result.code == 2
    assert "q.jsonl:2: not UTF-8" in result.err


def test_empty_batch_exits_2(command, lines):
    result = command("ask", "--batch", lines("q.jsonl"))
    assert result.code == 2
    assert "is empty" in result.err


def test_tool_message_in_a_batch_is_refused(command, model, shop, lines, question):
    result = command("ask", "--batch", lines("q.jsonl", question("a", "And?", ("tool", "{}"))))
    assert result.code == 2
    assert "tool" in result.err


def test_line_that_cannot_be_answered_ends_the_batch_with_its_code(command, model, shop, lines, question):
    path = lines("q.jsonl", question("a", "Are returns free?"), question("b", "x" * 2000))
    result = command("ask", "--batch", path, "--set", "guard.max_message_bytes=1000")
    assert result.code == 1
    assert result.out == "Returns are free within 30 days.\n"
    assert "'b' could not be answered" in result.err


def test_ctrl_c_keeps_what_was_said_and_exits_130(command, model, shop):
    started = []

    def interrupted(prompt):
        if not started:
            started.append(True)
            signal.raise_signal(signal.SIGINT)
        return "Returns are free within 30 days. " * 50

    model._script = interrupted
    assert command("ask", "Are returns free?", "--conversation", "c").code == 130
    transcript = json.loads(command("history", "show", "c", "--json").out)
    assert [message["role"] for message in transcript["messages"]] == ["user", "assistant"]


def test_control_sequences_of_a_reply_do_not_reach_a_terminal(command, model, monkeypatch):
    model._script = lambda prompt: "The code is \x1b]52;c;ZWNobw==\x07 42 for everybody."
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    result = command("ask", "What is the code for everybody?")
    assert "42 for everybody" in result.out
    assert "\x1b" not in result.out
