"""What goes wrong, what it says, and the exit code it ends with."""

import os

import pytest

from dialog.cli import config as config_verb
from dialog.errors import (
    ConfigError,
    CorpusError,
    Interrupted,
    KnowledgeError,
    MissingExtra,
    ModelError,
    PromptTooLong,
    SkillError,
    StaleHead,
    StoreError,
)


@pytest.fixture
def failing(monkeypatch):
    """`failing(error)`: the configuration cannot be loaded because of this."""

    def arrange(error):
        def load_config(*_, **__):
            raise error

        monkeypatch.setattr("dialog.config.load_config", load_config)

    return arrange


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ConfigError("bad setting; mend it"), 2),
        (CorpusError("bad line; mend it", path="a.jsonl", line=7), 2),
        (MissingExtra("postgres", needed_for="a PostgreSQL store"), 2),
        (KnowledgeError("no index; make one"), 1),
        (ModelError("no model; fetch it"), 1),
        (PromptTooLong(needed=9, limit=5), 1),
        (StoreError("no store; mend it"), 1),
        (StaleHead("moved on; retry"), 1),
        (SkillError("refused; ask less"), 1),
        (Interrupted("stopped"), 130),
        (KeyboardInterrupt(), 130),
        (RuntimeError("a bug"), 3),
        (RecursionError("deep"), 3),
        (MemoryError("much"), 3),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else str(value),
)
def test_each_kind_of_failure_has_its_exit_code(command, failing, error, code):
    failing(error)
    assert command("config").code == code


def test_a_known_error_is_one_line_on_stderr(command, failing):
    failing(ModelError("no model 'x'; fetch it"))
    result = command("config")
    assert (result.out, result.err) == ("", "instructrec: no model 'x'; fetch it\n")


def test_an_unexpected_error_is_one_line_and_names_the_way_to_the_traceback(command, failing):
    failing(ZeroDivisionError("division by zero"))
    assert command("config").err == (
        "instructrec: ZeroDivisionError: division by zero; run with --traceback to see where\n"
    )


@pytest.mark.parametrize("error", [ZeroDivisionError("division by zero"), ModelError("no model")])
def test_traceback_is_shown_on_request(command, failing, error):
    failing(error)
    result = command("config", "--traceback")
    assert "Traceback (most recent call last)" in result.err
    assert result.err.splitlines()[-1].startswith("instructrec: ")


def test_traceback_after_a_double_dash_is_not_an_option(command, failing):
    failing(ModelError("no model"))
    assert "Traceback" not in command("models", "info", "--", "--traceback").err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["serch", "x"], "Did you mean 'search'"),
        (["config", "--jsno"], "No such option: --jsno"),
        (["search"], "give QUERY or --batch"),
        (["search", "x", "--batch", "b.jsonl"], "exclude each other"),
        (["search", "x", "--top-k", "0"], "--top-k"),
        (["search", "  "], "QUERY is empty"),
        (["ask"], "give TEXT or --batch"),
        (["ask", ""], "TEXT is empty"),
        (["ask", "--batch", "b.jsonl", "--conversation", "c"], "leave --conversation out"),
        (["render"], "give --conversation or --history"),
        (["index"], "Missing argument"),
        (["index", "nowhere"], "'nowhere' does not exist"),
        (["chat", "--continue", "--resume", "c-1"], "contradict each other"),
        (["config", "--set", "nonsense"], "is not of the form section.key=value"),
        (["config", "--set", "modle.name=x"], "did you mean model?"),
        (["config", "--set", "sampling.temprature=1"], "did you mean sampling.temperature?"),
        (["config", "--set", "sampling.top_p=7"], "sampling.top_p = 7"),
        (["config", "--config", "absent.toml"], "'absent.toml' does not exist"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_wrong_usage_exits_2_and_says_what_is_wrong(command, arguments, told):
    result = command(*arguments)
    assert result.code == 2
    assert result.out == ""
    assert told in result.err


def test_no_arguments_show_the_help_and_exit_2(command):
    result = command()
    assert result.code == 2
    assert "Commands:" in result.err


def test_a_configuration_file_that_is_no_toml_exits_2(command, tmp_path):
    (tmp_path / "instructrec.toml").write_text("[model\nname = 1\n")
    result = command("config")
    assert result.code == 2
    assert "'instructrec.toml' is not valid TOML" in result.err


def test_a_missing_file_is_named_also_when_its_name_is_gbk(process):
    name = "客服.jsonl".encode("gbk")
    result = process("ask", "--batch", os.fsdecode(name))
    assert result.code == 2
    assert "cannot be read: No such file or directory" in result.err
    assert "Traceback" not in result.err


def test_a_configuration_in_a_gbk_folder_is_read(process, tmp_path):
    folder = tmp_path / os.fsdecode("客服".encode("gbk"))
    folder.mkdir()
    (folder / "设置.toml").write_text('[agent]\nname = "小明"\n', encoding="utf-8")
    result = process("config", "--json", "--config", str(folder / "设置.toml"))
    assert result.code == 0
    assert '"小明"' in result.out


def test_control_sequences_in_an_error_do_not_reach_the_terminal(command, failing, monkeypatch):
    failing(StoreError("no conversation '\x1b]0;owned\x07x'"))
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    assert command("config").err == "instructrec: no conversation 'x'\n"


def test_reader_that_leaves_early_is_no_crash(process, tmp_path):
    import subprocess
    import sys

    script = f"{sys.executable} -m dialog config --json | head -c 1; echo ${{PIPESTATUS[0]}} >&2"
    finished = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=False)
    assert "Traceback" not in finished.stderr
    assert "Exception ignored" not in finished.stderr
    assert finished.stderr.strip() in ("0", "1")


def test_closed_stdout_ends_quietly_with_1(process):
    import subprocess
    import sys

    reader, writer = os.pipe()
    os.close(reader)
    finished = subprocess.run(
        [sys.executable, "-m", "dialog", "config"], stdout=writer, stderr=subprocess.PIPE, check=False
    )
    os.close(writer)
    assert (finished.returncode, finished.stderr) == (1, b"")


def test_python_m_dialog_is_the_command(process):
    assert process("--version").out.startswith("instructrec ")


def test_password_of_a_store_is_not_shown():
    assert (
        config_verb.masked("postgresql+psycopg://shop:s3cret@db.example/chat")
        == "postgresql+psycopg://shop:***@db.example/chat"
    )
