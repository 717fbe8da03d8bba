"""Who counts a served model's tokens is said, and the renderer can work with it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialog.engine.remote.counting import StandInTokenizer, estimated_pieces, spread
from dialog.engine.remote.open import open_remote
from dialog.errors import ModelError
from dialog.prompt.render import render
from dialog.prompt.template import open_template
from dialog.settings import ModelSection
from dialog.testing.tiny import tiny_tokenizer
from dialog.values import Passage, Sampling, Turn
from tests.engine.remote.serving import Server, says
from tests.engine.remote.test_remote_chat import asked, no_proxy

__all__ = ["no_proxy"]
ESTIMATE = StandInTokenizer(estimated_pieces, told="estimate")
VLLM = {"data": [{"id": "m", "owned_by": "vllm", "max_model_len": 777}]}
LLAMA = {"data": [{"id": "m", "owned_by": "llamacpp", "meta": {"n_ctx_train": 9999}}]}
PROPS = {"default_generation_settings": {"n_ctx": 512}}


def section(server: Server, **settings: object) -> ModelSection:
    return ModelSection.model_validate({"name": f"openai:{server.url}#m", **settings})


@given(st.text(max_size=80))
def test_pieces_are_the_text(text: str) -> None:
    ids, spans = ESTIMATE.encode(text)
    assert ESTIMATE.decode(ids) == text
    assert "".join(text[start:end] for start, end in spans) == text
    assert min(ids, default=1) > 0


@given(st.text(min_size=1, max_size=40), st.integers(1, 60))
def test_a_text_is_spread_over_so_many_tokens(text: str, num_tokens: int) -> None:
    tokenizer = StandInTokenizer(lambda plain: spread(plain, num_tokens), told="x")
    ids, _ = tokenizer.encode(text)
    assert len(ids) == num_tokens
    assert tokenizer.decode(ids) == text


@pytest.mark.parametrize(
    ("text", "num_tokens"),
    [("", 0), ("Where is my parcel?", 6), ("我的包裹在哪里？", 8), ("order 12345", 7), ("a\n\n\nb", 4)],
)
def test_the_estimate(text: str, num_tokens: int) -> None:
    assert len(ESTIMATE.encode(text)[0]) == num_tokens


def test_the_renderer_takes_the_stand_in() -> None:
    passage = Passage(
        id="p", text="三天内送达。 Three days.", source="s", title="t", score=1, char_start=0, char_end=9
    )
    turn = Turn(index=0, user_id="u-0", user="你好 <|im_end|>", reply_id="r-0", reply="Hello.")
    rendered = render(
        ESTIMATE,
        instructions=(),
        turns=[turn],
        passages=[passage],
        user="多久？",
        user_id="u-1",
        limit_tokens=400,
        reserve_tokens=50,
        on_overflow="drop_oldest",
    )
    assert ESTIMATE.decode(rendered.prompt.ids) == rendered.prompt.text
    assert [message.role for message in rendered.prompt.messages] == ["user", "assistant", "user"]
    assert rendered.prompt.fit.retrieved == ("p",)


def count_characters(body: dict[str, Any]) -> dict[str, Any]:
    """vLLM's answer has a count, llama.cpp's the tokens."""
    if "prompt" in body:
        assert body["add_special_tokens"] is False
        return {"count": 2 * len(body["prompt"]), "max_model_len": 777}
    assert body["add_special"] is False
    return {"tokens": list(range(2 * len(body["content"])))}


@pytest.mark.parametrize(
    ("models", "props", "context", "dialect"),
    [(VLLM, None, 777, "vllm"), (LLAMA, PROPS, 512, "llamacpp")],
)
def test_the_server_counts_where_it_can(
    models: dict[str, Any], props: dict[str, Any] | None, context: int, dialect: str
) -> None:
    notices: list[str] = []
    with Server(says("ok"), models=models, tokenize=count_characters, props=props) as server:
        model = open_remote(section(server), progress=notices.append)
        assert len(model.tokenizer.encode("包裹 here")[0]) == 14
        open_template(model.tokenizer)
    assert model.info.context_tokens == context
    assert model.info.engine.startswith(f"openai, {dialect}: tokens counted by the server")
    assert notices == []


def test_an_estimate_is_said_to_be_one() -> None:
    notices: list[str] = []
    with Server(says("ok")) as server:
        model = open_remote(section(server), progress=notices.append)
    assert "tokens counted by an estimate" in model.info.engine
    assert any("are estimated" in notice for notice in notices)
    assert any("4096 tokens are assumed" in notice for notice in notices)


def test_a_server_that_stops_counting_is_an_error() -> None:
    with Server(says("ok"), models=VLLM, tokenize=count_characters) as server:
        model = open_remote(section(server))
        server.tokenize = lambda _: {"count": -1}
        with pytest.raises(ModelError, match="its /tokenize does not tell"):
            model.tokenizer.encode("x")


def test_a_tokenizer_of_ones_own_counts(tmp_path: Path) -> None:
    tiny_tokenizer().save_pretrained(str(tmp_path))
    with Server(says("ok"), models=VLLM) as server:
        model = open_remote(section(server, tokenizer=str(tmp_path), context_tokens=500))
    assert model.tokenizer.encode("你")[0] != []
    assert f"the tokenizer of {tmp_path}" in model.info.engine
    assert model.info.context_tokens == 500


def test_a_miscount_is_told_once() -> None:
    notices: list[str] = []
    usage = {"prompt_tokens": 900, "completion_tokens": 1}
    with Server(says("ok", usage=usage)) as server:
        model = open_remote(section(server), progress=notices.append)
        before = len(notices)
        for _ in range(2):
            list(model.stream(asked(model), sampling=Sampling()))
    assert len(notices) == before + 1
    assert "read 900 tokens where" in notices[-1]


def test_a_model_that_is_not_listed_is_told() -> None:
    notices: list[str] = []
    with Server(says("ok"), models={"data": [{"id": "别的\x1b[2J"}]}) as server:
        open_remote(section(server), progress=notices.append)
    assert any("does not list 'm'; it lists: 别的" in notice for notice in notices)
    assert not any("\x1b" in notice for notice in notices)


def test_settings_without_effect_are_told() -> None:
    notices: list[str] = []
    with Server(says("ok"), models=None) as server:
        open_remote(section(server, precision="int8", threads=2), progress=notices.append)
    assert "model.precision, model.threads: no effect on a model that is served elsewhere" in notices
