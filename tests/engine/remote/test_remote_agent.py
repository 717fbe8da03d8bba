"""An agent answers through a server; its reply says what the server counted."""

from __future__ import annotations

from pathlib import Path

import pytest

from dialog import DialogAgent, load_config
from dialog.errors import ModelError
from tests.engine.remote.serving import USAGE, Server, refuses, says
from tests.engine.remote.test_remote_chat import no_proxy

__all__ = ["no_proxy"]


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INSTRUCTREC_HOME", str(tmp_path))


def agent_of(server: Server) -> DialogAgent:
    overrides = [f"model.name='openai:{server.url}#m'", "model.retries=0"]
    return DialogAgent(load_config(overrides=overrides, environment={}))


@pytest.mark.parametrize(
    ("question", "answer"), [("Hello, how are you?", "Fine."), ("你好，你是谁？", "我是客服。")]
)
def test_a_turn_goes_through_the_server(question: str, answer: str) -> None:
    with Server(says(*answer)) as server, agent_of(server) as agent:
        reply = agent.reply(question, conversation_id="c")
        assert server.chats[0].body["messages"][-1]["content"] == question
    assert (reply.text, reply.mode, reply.finish_reason) == (answer, "generated", "stop")
    assert reply.timings.reply_tokens == USAGE["completion_tokens"]
    assert reply.timings.cached_tokens == 16


def test_the_next_turn_begins_like_the_last() -> None:
    """Whatever the server keeps of a prompt is found again."""
    with Server(says("好。")) as server, agent_of(server) as agent:
        agent.reply("你好，一", conversation_id="c")
        agent.reply("你好，二", conversation_id="c")
        first, second = (chat.body["messages"] for chat in server.chats)
    assert second[: len(first)] == first


def test_a_failing_server_is_told_in_the_turn() -> None:
    with (
        Server(refuses(500, "内部 error")) as server,
        agent_of(server) as agent,
        pytest.raises(ModelError, match="answered 500: 内部 error"),
    ):
        agent.reply("Hello, how are you?", conversation_id="c")
