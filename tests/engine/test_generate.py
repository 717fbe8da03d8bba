"""The loop chooses what `generate()` chooses, and ends for the stated reasons."""

from __future__ import annotations

import threading

import pytest
import torch

from dialog.engine.local import LocalModel
from dialog.errors import PromptTooLong
from dialog.testing import tiny_model
from dialog.testing.tiny import Family
from dialog.values import Prompt, Sampling
from tests.engine.making import ids_of, prompt_of, text_of

FAMILIES: tuple[Family, ...] = ("llama", "qwen2", "qwen3")


@pytest.fixture(scope="module")
def model() -> LocalModel:
    return tiny_model("llama", seed=0)


def greedy_ids(model: LocalModel, prompt: Prompt, *, num_tokens: int, **settings: float) -> list[int]:
    """What transformers generates, without the end token."""
    ids_BT = torch.tensor([prompt.ids])
    output = model.forward.model.generate(ids_BT, max_new_tokens=num_tokens, do_sample=False, **settings)
    return [token for token in output[0, len(prompt.ids) :].tolist() if token not in model.end_ids]


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("seed", range(4))
def test_greedy_equals_generate(family: Family, seed: int) -> None:
    model = tiny_model(family, seed=seed)
    prompt = prompt_of(model.tokenizer, ("system", "Be brief."), ("user", "你好, where is my parcel?"))
    ours = ids_of(list(model.stream(prompt, sampling=Sampling(max_tokens=40))))
    assert ours == greedy_ids(model, prompt, num_tokens=40)


@pytest.mark.parametrize("family", FAMILIES)
def test_greedy_with_penalty_equals_generate(family: Family) -> None:
    model = tiny_model(family, seed=5)
    prompt = prompt_of(model.tokenizer, ("user", "the the the"))
    ours = ids_of(list(model.stream(prompt, sampling=Sampling(max_tokens=40, repetition_penalty=1.3))))
    assert ours == greedy_ids(model, prompt, num_tokens=40, repetition_penalty=1.3)


def test_text_is_the_decoded_ids(model: LocalModel) -> None:
    chunks = list(model.stream(prompt_of(model.tokenizer, ("user", "x")), sampling=Sampling(max_tokens=60)))
    assert text_of(chunks) == model.tokenizer.decode(ids_of(chunks))


def test_only_the_first_chunk_tells_the_prefill_and_only_the_last_the_end(model: LocalModel) -> None:
    chunks = list(model.stream(prompt_of(model.tokenizer, ("user", "x")), sampling=Sampling(max_tokens=9)))
    assert [chunk.cached_tokens for chunk in chunks] == [0] + [None] * (len(chunks) - 1)
    assert chunks[0].prefill_s is not None
    assert chunks[0].prefill_s > 0
    assert [chunk.finish_reason for chunk in chunks] == [None] * (len(chunks) - 1) + ["length"]


def test_an_end_token_stops_and_is_not_part_of_the_reply(model: LocalModel) -> None:
    prompt = prompt_of(model.tokenizer, ("user", "x"))
    plain = ids_of(list(model.stream(prompt, sampling=Sampling(max_tokens=9))))
    model_ending_early = LocalModel(
        model.forward,
        model.tokenizer,  # type: ignore[arg-type]
        info=model.info,
        end_ids=frozenset({plain[4]}),
    )
    chunks = list(model_ending_early.stream(prompt, sampling=Sampling(max_tokens=9)))
    assert ids_of(chunks) == plain[: plain.index(plain[4])]
    assert chunks[-1].finish_reason == "stop"


def test_a_stop_string_ends_the_reply_before_it(model: LocalModel) -> None:
    prompt = prompt_of(model.tokenizer, ("user", "x"))
    text = text_of(list(model.stream(prompt, sampling=Sampling(max_tokens=30))))
    stop = text[10:14]
    chunks = list(model.stream(prompt, sampling=Sampling(max_tokens=30, stop=(stop,))))
    assert text_of(chunks) == text[: text.index(stop)]
    assert chunks[-1].finish_reason == "stop"


def test_sampling_follows_its_seed(model: LocalModel) -> None:
    prompt = prompt_of(model.tokenizer, ("user", "x"))

    def drawn(seed: int) -> list[int]:
        sampling = Sampling(max_tokens=20, temperature=1.5, top_p=0.95, seed=seed)
        return ids_of(list(model.stream(prompt, sampling=sampling)))

    assert drawn(1) == drawn(1)
    assert drawn(1) != drawn(2)


def test_cancelling_ends_after_the_token_in_work(model: LocalModel) -> None:
    cancel = threading.Event()
    chunks = []
    for chunk in model.stream(
        prompt_of(model.tokenizer, ("user", "x")), sampling=Sampling(max_tokens=400), cancel=cancel
    ):
        chunks.append(chunk)
        if len(chunks) == 3:
            cancel.set()
    assert chunks[-1].finish_reason == "interrupted"
    assert len(ids_of(chunks)) < 20


def test_cancelled_before_it_began_reads_nothing(model: LocalModel) -> None:
    cancel = threading.Event()
    cancel.set()
    [chunk] = model.stream(prompt_of(model.tokenizer, ("user", "x")), sampling=Sampling(), cancel=cancel)
    assert (chunk.text, chunk.finish_reason, chunk.ids) == ("", "interrupted", ())


def test_the_end_of_the_context_ends_the_reply() -> None:
    model = tiny_model("llama", context_tokens=64)
    prompt = prompt_of(model.tokenizer, ("user", "x"))
    chunks = list(model.stream(prompt, sampling=Sampling(max_tokens=1000)))
    assert len(prompt.ids) + len(ids_of(chunks)) == 64
    assert chunks[-1].finish_reason == "length"


def test_a_prompt_that_leaves_no_room_is_refused_before_anything_runs() -> None:
    model = tiny_model("llama", context_tokens=64)
    prompt = prompt_of(model.tokenizer, ("user", "x" * 100))
    with pytest.raises(PromptTooLong) as caught:
        model.stream(prompt, sampling=Sampling())
    assert (caught.value.needed, caught.value.limit) == (len(prompt.ids) + 1, 64)


@pytest.mark.parametrize("family", FAMILIES)
def test_scores_equal_one_forward_pass_over_everything(family: Family) -> None:
    model = tiny_model(family, seed=1)
    prompt = prompt_of(model.tokenizer, ("user", "which?"))
    for text, scores in zip(
        ("yes", "不", "no way"), model.score(prompt, ["yes", "不", "no way"]), strict=True
    ):
        ids, _ = model.tokenizer.encode(text)
        with torch.no_grad():
            logits_TV = model.forward.model(torch.tensor([[*prompt.ids, *ids]])).logits[0]
        whole = logits_TV[len(prompt.ids) - 1 : -1].log_softmax(-1).gather(1, torch.tensor(ids)[:, None])
        assert scores.ids == tuple(ids)
        assert scores.logprobs == pytest.approx(whole[:, 0].tolist(), abs=1e-4)


def test_an_empty_continuation_scores_nothing(model: LocalModel) -> None:
    [scores] = model.score(prompt_of(model.tokenizer, ("user", "x")), [""])
    assert (scores.ids, scores.total) == ((), 0)


def test_a_continuation_beyond_the_context_is_refused() -> None:
    model = tiny_model("llama", context_tokens=64)
    with pytest.raises(PromptTooLong):
        model.score(prompt_of(model.tokenizer, ("user", "x")), ["y", "y" * 100])


def test_streams_of_several_threads_do_not_disturb_each_other(model: LocalModel) -> None:
    prompts = [prompt_of(model.tokenizer, ("user", text)) for text in ("a", "bb", "你好", "d d")]
    alone = [ids_of(list(model.stream(prompt, sampling=Sampling(max_tokens=25)))) for prompt in prompts]
    together: dict[int, list[int]] = {}

    def work(index: int) -> None:
        stream = model.stream(prompts[index], sampling=Sampling(max_tokens=25), cache_key=f"t{index}")
        together[index] = ids_of(list(stream))

    threads = [threading.Thread(target=work, args=(index,)) for index in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [together[index] for index in range(4)] == alone


def test_a_stream_in_waiting_does_not_hold_up_another(model: LocalModel) -> None:
    prompt = prompt_of(model.tokenizer, ("user", "x"))
    first = model.stream(prompt, sampling=Sampling(max_tokens=9))
    begun = [next(first)]
    whole = list(model.stream(prompt, sampling=Sampling(max_tokens=9)))
    assert ids_of([*begun, *first]) == ids_of(whole)
