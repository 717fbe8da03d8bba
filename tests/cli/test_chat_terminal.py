"""The real command in a pseudo-terminal, with the real model."""

import os
import sys

import pexpect
import pytest

pytestmark = [pytest.mark.model, pytest.mark.terminal]


@pytest.fixture
def chat(tmp_path, monkeypatch):
    """`chat(...)` starts the command; the cache of fetched models is the user's."""
    from dialog import home

    monkeypatch.delenv("INSTRUCTREC_HOME")
    cache = home.cache_dir()
    cache.mkdir(parents=True, exist_ok=True)
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "cache").symlink_to(cache, target_is_directory=True)
    started = []

    def start(*arguments):
        child = pexpect.spawn(
            sys.executable,
            ["-m", "dialog", *arguments],
            env=os.environ
            | {"INSTRUCTREC_HOME": str(tmp_path / "home"), "TERM": "xterm", "PROMPT_TOOLKIT_NO_CPR": "1"},
            cwd=tmp_path,
            dimensions=(30, 100),
            timeout=180,
            encoding="utf-8",
        )
        started.append(child)
        return child

    yield start
    for child in started:
        child.close(force=True)


def finish(child):
    child.expect(pexpect.EOF)
    child.close()
    return child.exitstatus


def test_chat_answers_and_leaves_with_ctrl_d(chat, tmp_path):
    (tmp_path / "a.md").write_text("# Returns\n\nReturns are free within 30 days.\n")
    assert finish(chat("index", "a.md")) == 0
    child = chat("chat")
    child.expect("› ")
    child.send("Are returns free?\r")
    child.expect("/sources")
    child.expect("› ")
    child.sendeof()
    assert finish(child) == 0
    child = chat("chat", "--continue")
    child.expect("Are returns free")
    child.expect("› ")
    child.sendeof()
    assert finish(child) == 0


def test_ctrl_c_twice_while_it_answers_exits_130(chat, tmp_path):
    child = chat("ask", "Tell me a very long story.", "--set", "sampling.max_tokens=2000")
    child.expect(r"\w+ \w+")
    child.sendintr()
    child.sendintr()
    assert finish(child) == 130
