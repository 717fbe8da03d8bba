"""Scores of a served model are the log-probabilities of the very model, or a sentence that says why not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from dialog.engine.remote.model import RemoteModel
from dialog.errors import ModelError, PromptTooLong
from dialog.testing import tiny_model
from dialog.testing.tiny import tiny_tokenizer
from dialog.values import Prompt
from tests.engine.remote.serving import Server, says
from tests.engine.remote.test_remote_chat import asked, no_proxy, opened

__all__ = ["no_proxy"]
TEXTS = ["The parcel is here.", "包裹在这里。", "是"]


@pytest.fixture
def tokenizer(tmp_path: Path) -> str:
    tiny_tokenizer().save_pretrained(tmp_path / "tokenizer")
    return str(tmp_path / "tokenizer")


def completing() -> Callable[[dict[str, Any]], Any]:
    """`/completions` by the tiny model, in the shape OpenAI gave it."""
    forward = tiny_model(seed=4).forward

    def complete(body: dict[str, Any]) -> dict[str, Any]:
        ids = body["prompt"]
        assert body["echo"]
        assert body["max_tokens"] == 1
        rows_TV = forward.all_logits(ids, forward.new_cache()).log_softmax(-1)
        following = [*ids[1:], int(rows_TV[-1].argmax())]
        told = rows_TV.gather(1, torch.tensor(following)[:, None])[:, 0].tolist()
        logprobs = {"token_logprobs": [None, *told], "tokens": [str(one) for one in [*ids, following[-1]]]}
        usage = {"prompt_tokens": len(ids), "completion_tokens": 1}
        return {"choices": [{"text": "", "logprobs": logprobs}], "usage": usage}

    return complete


def scored(model: RemoteModel, text: str = "Yes. 是。") -> tuple[Prompt, Any]:
    prompt = asked(model)
    return prompt, model.score(prompt, [text])


def test_scores_are_those_of_the_model_in_this_process(tokenizer: str) -> None:
    with Server(says("ok"), completions=completing()) as server:
        model = opened(server, tokenizer=tokenizer)
        prompt = asked(model)
        found = model.score(prompt, [*TEXTS, ""])
    expected = tiny_model(seed=4).score(prompt, [*TEXTS, ""])
    assert [one.ids for one in found] == [one.ids for one in expected]
    for one, other in zip(found, expected, strict=True):
        assert one.logprobs == pytest.approx(other.logprobs, abs=1e-4)
    assert found[-1].total == 0


def test_without_the_models_own_tokenizer_nothing_is_scored() -> None:
    with Server(says("ok"), completions=completing()) as server:
        model = opened(server)
        assert model.info.engine.endswith("no scores")
        with pytest.raises(ModelError, match=r"set model\.tokenizer"):
            scored(model)
        assert [request.path for request in server.requests] == ["/v1/models"]


ANSWERS: dict[str, Any] = {
    "no log-probabilities": {"choices": [{"text": "是", "logprobs": None}]},
    "only those of the reply": {"choices": [{"logprobs": {"token_logprobs": [-0.1]}}]},
    "nothing": {"choices": []},
    "no completion": "hello",
}


@pytest.mark.parametrize("name", ANSWERS)
def test_a_server_that_does_not_tell_is_said_to(tokenizer: str, name: str) -> None:
    with (
        Server(says("ok"), completions=lambda _: ANSWERS[name]) as server,
        pytest.raises(ModelError, match=r"does not tell how probable .* vLLM does"),
    ):
        scored(opened(server, tokenizer=tokenizer))


def test_a_server_without_completions_is_said_to(tokenizer: str) -> None:
    with Server(says("ok")) as server, pytest.raises(ModelError, match=r"does not tell .*no such path"):
        scored(opened(server, tokenizer=tokenizer))


def test_a_server_that_read_other_tokens_is_not_believed(tokenizer: str) -> None:
    complete = completing()

    def with_a_first_token(body: dict[str, Any]) -> Any:
        return complete({**body, "prompt": [1, *body["prompt"]]})

    with (
        Server(says("ok"), completions=with_a_first_token) as server,
        pytest.raises(ModelError, match=r"it read \d+ tokens where \d+ were sent"),
    ):
        scored(opened(server, tokenizer=tokenizer))


def test_what_does_not_fit_is_not_sent(tokenizer: str) -> None:
    with Server(says("ok"), completions=completing()) as server:
        model = opened(server, tokenizer=tokenizer, context_tokens=64)
        with pytest.raises(PromptTooLong):
            scored(model, "很长" * 50)
        assert [request.path for request in server.requests] == ["/v1/models"]
