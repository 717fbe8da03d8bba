"""Servers fail in many ways; each is one sentence with a place and a remedy, and no key."""

from __future__ import annotations

import re
import socket
from threading import Event

import pytest

from dialog.engine.remote.open import open_remote
from dialog.errors import ModelError
from dialog.settings import ModelSection
from dialog.values import Chunk, Sampling
from tests.engine.making import text_of
from tests.engine.remote.serving import Server, breaks_off, data, event, refuses, says, stream, waits
from tests.engine.remote.test_remote_chat import asked, no_proxy, opened

__all__ = ["no_proxy"]
SECRET = "sk-very-secret-42"


def spoken(server: Server, *, notices: list[str] | None = None, **settings: object) -> list[Chunk]:
    """A chat with pauses that take no time."""
    section = ModelSection.model_validate({"name": f"openai:{server.url}#m", **settings})
    model = open_remote(section, progress=None if notices is None else notices.append)
    model._sleep = lambda _: None
    return list(model.stream(asked(model), sampling=Sampling(max_tokens=20)))


@pytest.mark.parametrize("status", [429, 500, 502, 503])
def test_a_passing_failure_is_tried_again(status: int) -> None:
    with Server(refuses(status, Retry_After="1"), refuses(status), says("好", " now")) as server:
        assert text_of(spoken(server)) == "好 now"
        assert len(server.chats) == 3


@pytest.mark.parametrize("retries", [0, 1])
def test_the_budget_of_retries_is_kept(retries: int) -> None:
    with Server(refuses(503, {"error": {"message": "loading model 载入中"}})) as server:
        with pytest.raises(ModelError, match=r"answered 503: loading model 载入中; its own log"):
            spoken(server, retries=retries)
        assert len(server.chats) == retries + 1


@pytest.mark.parametrize(
    ("status", "body", "sentence"),
    [
        (
            401,
            {"error": {"message": "no key"}},
            r"answered 401: no key; the environment variable OPENAI_API_KEY",
        ),
        (404, {"detail": "no such model"}, r"answered 404: no such model; is 'm' served there"),
        (
            400,
            {"message": "maximum context length is 9"},
            r"the prompt is too long for it: lower model.context",
        ),
        (400, "odd", r"answered 400: odd; see the server's documentation"),
        (307, "", r"answered 307; it sends elsewhere"),
    ],
)
def test_a_lasting_failure_is_told_at_once(status: int, body: object, sentence: str) -> None:
    with Server(refuses(status, body)) as server:
        with pytest.raises(ModelError, match=sentence) as caught:
            spoken(server)
        assert server.url in str(caught.value)
        assert len(server.chats) == 1


def test_a_long_wait_is_not_waited() -> None:
    with Server(refuses(429, "quota", Retry_After="3600")) as server:
        with pytest.raises(ModelError, match="it is busy or a quota is used up"):
            spoken(server)
        assert len(server.chats) == 1


def test_an_error_has_no_escapes_and_is_short() -> None:
    with Server(refuses(400, "\x1b[2Jevil\r\n" + "长" * 5000)) as server, pytest.raises(ModelError) as caught:
        spoken(server)
    told = str(caught.value)
    assert "\x1b" not in told
    assert "\n" not in told
    assert len(told) < 600


def test_the_key_is_sent_and_never_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", SECRET)
    with Server(says("ok"), key=SECRET) as server:
        assert text_of(spoken(server, api_key_env="MY_KEY")) == "ok"
        assert SECRET not in repr(opened(server, api_key_env="MY_KEY").__dict__)
    with (
        Server(says("ok"), key="another") as server,
        pytest.raises(ModelError, match=r"bad key Bearer \*\*\*; the environment variable MY_KEY is not"),
    ):
        spoken(server, api_key_env="MY_KEY")


def test_a_named_variable_that_is_not_set_is_told() -> None:
    with Server(says("ok")) as server, pytest.raises(ModelError, match="'NO_SUCH_KEY', but this environment"):
        spoken(server, api_key_env="NO_SUCH_KEY")


def test_a_drop_before_the_first_word_is_tried_again() -> None:
    with Server(breaks_off(), says("again 再来")) as server:
        assert text_of(spoken(server)) == "again 再来"


def test_a_drop_after_the_first_word_is_an_error() -> None:
    with Server(breaks_off("half 一半"), says("never")) as server:
        model = opened(server)
        chunks = model.stream(asked(model), sampling=Sampling())
        assert next(chunks).text == "half 一半"
        with pytest.raises(ModelError, match="broke the connection off"):
            list(chunks)
        assert len(server.chats) == 1


def test_an_end_without_a_reason_is_an_error() -> None:
    with (
        Server(stream(event("half"))) as server,
        pytest.raises(ModelError, match="without saying that it was"),
    ):
        spoken(server)


@pytest.mark.parametrize("silently", [True, False])
@pytest.mark.timeout(20)
def test_a_stall_is_told_after_the_timeout(silently: bool) -> None:
    server = Server(waits(lambda: server, "一", silently=silently))
    with server:
        with pytest.raises(ModelError, match=r"(sent nothing|went silent).*raise model.timeout_s"):
            spoken(server, timeout_s=0.3)
        assert server.is_left.wait(5)


@pytest.mark.parametrize(
    "broken", [{"error": {"message": "显存不足 out of memory"}}, {"error": "显存不足 out of memory"}]
)
def test_an_error_in_the_middle_of_a_stream(broken: object) -> None:
    told = r"broke off its reply: 显存不足 out of memory; its own log"
    with Server(stream(event("a") + data(broken))) as server, pytest.raises(ModelError, match=told):
        spoken(server)


@pytest.mark.parametrize("sent", ["<html>", r'{"choices": [{"delta": {"content": "\ud83d"}}]}', "[]"])
def test_what_is_no_event_is_shown(sent: str) -> None:
    content = f"data: {sent}\n\n".encode()
    with Server(stream(content)) as server, pytest.raises(ModelError, match="no chat event") as caught:
        spoken(server)
    assert repr(sent)[1:-1] in str(caught.value)


def test_a_filtered_reply_is_told() -> None:
    with Server(says("a", end="content_filter")) as server, pytest.raises(ModelError, match="content_filter"):
        spoken(server)


@pytest.mark.parametrize("status", [400, 422])
def test_a_server_is_asked_without_what_it_does_not_take(status: int) -> None:
    told = {"detail": "Unexpected fields in the request: {'stream_options'}"}
    notices: list[str] = []
    with Server(refuses(status, told), says("好")) as server:
        assert text_of(spoken(server, notices=notices)) == "好"
        assert ["stream_options" in chat.body for chat in server.chats] == [True, False]
    assert any("takes no stream_options" in notice for notice in notices)


def test_nobody_there() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        name = f"openai:http://127.0.0.1:{free.getsockname()[1]}/v1#m"
    with pytest.raises(ModelError, match=r"cannot be reached.*is it running"):
        open_remote(ModelSection(name=name))


@pytest.mark.timeout(20)
def test_cancelling_ends_the_wait_for_another_try() -> None:
    with Server(refuses(503)) as server:
        model, cancel = opened(server), Event()
        model._sleep = lambda _: cancel.set()
        chunks = list(model.stream(asked(model), sampling=Sampling(), cancel=cancel))
        assert [chunk.finish_reason for chunk in chunks] == ["interrupted"]
        assert len(server.chats) == 1


@pytest.mark.parametrize(
    "name", ["openai:", "openai:http://x/v1", "openai:http://x/v1#", "openai:ftp://x#m", "openai:x#m"]
)
def test_a_malformed_name_is_refused(name: str) -> None:
    with pytest.raises(ModelError, match=re.escape(repr(name))):
        open_remote(ModelSection(name=name))


def test_a_password_in_the_url_is_refused_and_not_repeated() -> None:
    with pytest.raises(ModelError, match="OPENAI_API_KEY") as caught:
        open_remote(ModelSection(name=f"openai:http://me:{SECRET}@x/v1#m"))
    assert SECRET not in str(caught.value)


def test_an_adapter_is_the_servers_affair() -> None:
    with pytest.raises(ModelError, match="let the server load it"):
        open_remote(ModelSection(name="openai:http://127.0.0.1:9/v1#m", adapter="out/mine"))


@pytest.mark.parametrize("models_status", [404, 500])
def test_a_server_without_a_list_of_models_is_talked_to(models_status: int) -> None:
    with Server(says("好"), models=None, models_status=models_status) as server:
        assert text_of(spoken(server)) == "好"


def test_a_server_that_is_not_ready_is_told() -> None:
    with Server(says("好"), models=None, models_status=503) as server, pytest.raises(ModelError, match="503"):
        spoken(server)
