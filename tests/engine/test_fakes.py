"""The public fakes keep the contracts they stand in for."""

from __future__ import annotations

import subprocess
import sys
import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialog.errors import ModelError, PromptTooLong
from dialog.protocols import ChatTokenizer, Embedder, LanguageModel
from dialog.testing import HashEmbedder, ScriptedModel, WordTokenizer, tiny_model
from dialog.values import Message, Sampling
from tests.engine.making import prompt_of, text_of

TOKENIZER = WordTokenizer()


def talk(model: ScriptedModel, text: str, **settings: object) -> str:
    prompt = prompt_of(model.tokenizer, ("user", text))
    return text_of(list(model.stream(prompt, sampling=Sampling(**settings))))


def test_the_fakes_fit_the_seams() -> None:
    models: list[LanguageModel] = [ScriptedModel(), tiny_model()]
    tokenizers: list[ChatTokenizer] = [TOKENIZER]
    embedders: list[Embedder] = [HashEmbedder()]
    assert [model.info.name for model in models] == ["scripted", "tiny-llama"]
    assert tokenizers
    assert embedders


def test_importing_the_fakes_loads_nothing_heavy() -> None:
    code = "import sys, dialog.testing; print({'torch', 'numpy', 'transformers'} & set(sys.modules))"
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "set()"
    )


def test_answers_come_in_order_and_end() -> None:
    model = ScriptedModel(["Yes.", "不可以。"])
    assert [talk(model, "a"), talk(model, "b")] == ["Yes.", "不可以。"]
    with pytest.raises(ModelError, match="2 answers and this is call 3"):
        talk(model, "c")
    assert "b" in model.prompts[1].text


def test_an_answer_may_depend_on_the_prompt() -> None:
    model = ScriptedModel(lambda prompt: "No." if "refund" in prompt else "Yes.")
    assert [talk(model, "a refund?"), talk(model, "a parcel?")] == ["No.", "Yes."]


def test_limits_are_kept() -> None:
    model = ScriptedModel(["one two three"] * 3, context_tokens=40)
    assert talk(model, "x", max_tokens=2) == "one two"
    assert talk(model, "x", stop=(" three",)) == "one two"
    with pytest.raises(PromptTooLong):
        talk(model, "x" * 300)


def test_cancelling_interrupts() -> None:
    cancel = threading.Event()
    model = ScriptedModel(["a long answer"])
    stream = model.stream(prompt_of(TOKENIZER, ("user", "x")), sampling=Sampling(), cancel=cancel)
    begun = [next(stream)]
    cancel.set()
    rest = list(stream)
    assert text_of([*begun, *rest]) == "a l"
    assert rest[-1].finish_reason == "interrupted"


def test_a_failure_can_be_scripted() -> None:
    model = ScriptedModel(["a long answer"], fail_with=ModelError("out of memory"), fail_after=2)
    stream = model.stream(prompt_of(TOKENIZER, ("user", "x")), sampling=Sampling())
    assert text_of([next(stream), next(stream)]) == "a long"
    with pytest.raises(ModelError, match="out of memory"):
        next(stream)


def test_the_shared_prefix_is_reported() -> None:
    model = ScriptedModel(["a", "b"])
    reported = []
    for word in ("yes", "no"):
        prompt = prompt_of(TOKENIZER, ("user", word))
        reported.append(next(model.stream(prompt, sampling=Sampling(), cache_key="k")).cached_tokens)
    assert reported == [0, 3]  # <|im_start|>, "user", "\n"


def test_scores_favour_what_the_prompt_said() -> None:
    model = ScriptedModel()
    said, unsaid = model.score(prompt_of(TOKENIZER, ("user", "red or blue")), ["red", "green"])
    assert said.total > unsaid.total


@given(st.text())
def test_the_word_tokenizer_keeps_every_text_and_makes_no_control_id(text: str) -> None:
    ids, spans = TOKENIZER.encode(text)
    assert TOKENIZER.decode(ids) == text
    assert min(ids, default=256) >= 256
    assert "".join(text[start:end] for start, end in spans) == text


def test_the_template_has_control_ids() -> None:
    text = TOKENIZER.apply_template([Message(role="user", content="你好")], add_generation_prompt=True)
    assert TOKENIZER.split_control(text) == [
        (1, "<|im_start|>"),
        (None, "user\n你好"),
        (2, "<|im_end|>"),
        (None, "\n"),
        (1, "<|im_start|>"),
        (None, "assistant\n"),
    ]


def test_a_role_the_template_does_not_know_is_refused() -> None:
    with pytest.raises(ValueError, match="'system'"):
        WordTokenizer(roles=("user", "assistant")).apply_template(
            [Message(role="system", content="x")], add_generation_prompt=False
        )


def test_embeddings_are_unit_rows_and_texts_that_share_words_are_near() -> None:
    rows = HashEmbedder().embed_passages(["退货需要七天", "退货要几天", "parcel tracking number", ""])
    assert rows.dtype == np.float32
    assert rows.shape == (4, 64)
    assert np.linalg.norm(rows, axis=1) == pytest.approx(1.0)
    assert rows[0] @ rows[1] > 0.3 > rows[0] @ rows[2]


def test_embeddings_are_equal_in_every_run() -> None:
    assert HashEmbedder().embed_queries(["a"]).argmax() == HashEmbedder().embed_queries(["a"]).argmax()
    assert HashEmbedder().embed_queries(["parcel"])[0].nonzero()[0].tolist() == [22]


def test_a_tiny_model_is_equal_for_equal_seeds() -> None:
    def said(seed: int) -> str:
        model = tiny_model(seed=seed)
        prompt = prompt_of(model.tokenizer, ("user", "x"))
        return text_of(list(model.stream(prompt, sampling=Sampling(max_tokens=20))))

    assert said(1) == said(1)
    assert said(1) != said(2)
