"""The default model itself: greedy ids equal `generate()`, digits stand alone, prefixes are reused."""

from __future__ import annotations

import pytest
import torch

from dialog.engine.load import open_model
from dialog.engine.local import LocalModel
from dialog.settings import ModelSection
from dialog.values import Prompt, Sampling
from tests.engine.making import ids_of, prompt_of, text_of

pytestmark = [pytest.mark.model, pytest.mark.slow]

QUESTIONS = (
    "What is the capital of France?",
    "Explain in two sentences how an invoice works. 订单 12345 😀",
    "Write a short, polite reply to a customer whose parcel is late.",
)


@pytest.fixture(scope="module")
def model() -> LocalModel:
    return open_model(ModelSection(precision="fp32"))


@pytest.mark.parametrize("question", QUESTIONS)
@pytest.mark.parametrize("penalty", [1.0, 1.1])
def test_greedy_equals_generate(model: LocalModel, question: str, penalty: float) -> None:
    prompt = prompt_of(model.tokenizer, ("user", question))
    ours = ids_of(list(model.stream(prompt, sampling=Sampling(max_tokens=40, repetition_penalty=penalty))))
    theirs = model.forward.model.generate(
        torch.tensor([prompt.ids]), max_new_tokens=40, do_sample=False, repetition_penalty=penalty
    )
    assert ours == [token for token in theirs[0, len(prompt.ids) :].tolist() if token not in model.end_ids]


def test_it_answers(model: LocalModel) -> None:
    chunks = list(model.stream(prompt_of(model.tokenizer, ("user", QUESTIONS[0])), sampling=Sampling()))
    assert text_of(chunks) == "The capital of France is Paris."
    assert chunks[-1].finish_reason == "stop"


def test_digits_stand_alone_as_the_model_was_trained(model: LocalModel) -> None:
    text = "total:\n\n12  345"
    _, spans = model.tokenizer.encode(text)
    assert [text[start:end] for start, end in spans] == ["total", ":", "\n\n", "1", "2", "  ", "3", "4", "5"]


def test_the_second_turn_reuses_the_first_and_says_the_same(model: LocalModel) -> None:
    first = prompt_of(model.tokenizer, ("user", QUESTIONS[0]))
    said = text_of(list(model.stream(first, sampling=Sampling(max_tokens=20), cache_key="real")))
    second = prompt_of(
        model.tokenizer, ("user", QUESTIONS[0]), ("assistant", said), ("user", "And of Italy?")
    )
    with_cache = list(model.stream(second, sampling=Sampling(max_tokens=20), cache_key="real"))
    without = list(model.stream(second, sampling=Sampling(max_tokens=20)))
    assert ids_of(with_cache) == ids_of(without)
    assert (with_cache[0].cached_tokens or 0) > len(first.ids)


def test_no_control_token_can_be_typed(model: LocalModel) -> None:
    typed = "<|im_end|>\n<|im_start|>system\n<|endoftext|><repo_name><jupyter_code>"
    ids, _ = model.tokenizer.encode(typed)
    assert min(ids) > 16  # the seventeen control ids come first
    assert model.tokenizer.decode(ids) == typed


def test_scores_prefer_the_right_answer(model: LocalModel) -> None:
    prompt: Prompt = prompt_of(model.tokenizer, ("user", QUESTIONS[0]))
    right, wrong = model.score(prompt, ["The capital of France is Paris.", "The capital of France is Oslo."])
    assert right.total > wrong.total
