"""What the decoder names is taken away and left alone, by rendering and reading anew."""

from __future__ import annotations

import pytest
import torch
from transformers import PreTrainedModel

from dialog.decoder.config import DecoderConfig
from dialog.decoder.module import InstructionDecoder
from dialog.engine.tokenizer import HFChatTokenizer
from dialog.errors import CorpusError
from dialog.testing.tiny import tiny_tokenizer
from dialog.values import Message, Transcript
from training.examples import build_examples
from training.faithfulness import Faithfulness, example_of, faithfulness, is_faithful, summary, units_of
from training.features import FeatureCache
from training.methods.decoder import DecoderMethod

CONFIG = DecoderConfig(hidden_size=64, taps=(1, 2), rank=32, heads=4, mlp_size=32)


def talk(language: str) -> Transcript:
    words = {
        "en": ("Be brief.", "Be kind.", "My code is 7.", "Thank you.", "What is it?", "7."),
        "zh": ("请简短。", "请友好。", "号码是7。", "谢谢。", "是多少？", "7。"),
    }[language]
    roles = ("system", "system", "user", "assistant", "user", "assistant")
    losses = (None, None, None, False, None, None)
    messages = tuple(
        Message(role=role, content=text, loss=loss)
        for role, text, loss in zip(roles, words, losses, strict=True)
    )
    return Transcript(id=language, messages=messages)


@pytest.fixture
def method(fresh_model: PreTrainedModel) -> DecoderMethod:
    torch.manual_seed(2)
    decoder = InstructionDecoder(CONFIG)
    for parameter in (decoder.up.weight, decoder.own.weight, decoder.copy_gate.weight):
        torch.nn.init.normal_(parameter, std=0.5)
    cache = FeatureCache(None, model=fresh_model, fingerprint="f", template="t", taps=CONFIG.taps)
    return DecoderMethod(decoder, cache, head_VD=fresh_model.get_output_embeddings().weight)


def test_instructions_and_earlier_exchanges_are_units() -> None:
    assert units_of(talk("en")) == [frozenset({0}), frozenset({1}), frozenset({2, 3})]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_each_unit_is_taken_away_and_left_alone(method: DecoderMethod, language: str) -> None:
    tokenizer = HFChatTokenizer(tiny_tokenizer())
    found = faithfulness(method, talk(language), tokenizer)
    assert found is not None
    assert len(found.shares) == len(found.without) == len(found.alone) == 3
    assert found.shares[found.named] == max(found.shares)
    assert 0 <= sum(found.shares) <= 1 + 1e-6
    assert all(0 <= one <= 1 for one in (found.whole, *found.without, *found.alone))
    assert len({found.whole, *found.without}) == 4  # something else was read each time


@pytest.mark.parametrize("language", ["en", "zh"])
def test_without_a_unit_is_as_if_it_had_never_been_said(language: str) -> None:
    tokenizer = HFChatTokenizer(tiny_tokenizer())
    whole = talk(language)
    shorter = whole.model_copy(update={"messages": whole.messages[1:2] + whole.messages[4:]})
    (never_said,) = build_examples(shorter, tokenizer, limit_tokens=2048).examples
    left_out = example_of(whole, {1, 4, 5}, tokenizer, limit_tokens=2048)
    assert (left_out.ids, left_out.weights) == (never_said.ids, never_said.weights)
    assert {"m1", "m4", "m5"} <= {one.ref for one in left_out.segments}


def test_two_replies_in_the_loss_are_refused(method: DecoderMethod) -> None:
    messages = tuple(one.model_copy(update={"loss": None}) for one in talk("en").messages)
    with pytest.raises(CorpusError, match="exactly one reply"):
        faithfulness(method, Transcript(id="two", messages=messages), HFChatTokenizer(tiny_tokenizer()))


def test_falls_are_compared_with_the_mean_over_all_units() -> None:
    one = Faithfulness(
        id="a", named=0, shares=(0.9, 0.0, 0.1), whole=0.9, without=(0.0, 0.9, 0.9), alone=(0.9, 0.0, 0.0)
    )
    summed = summary([one])
    assert summed == pytest.approx(
        {
            "comprehensiveness": 0.9,
            "sufficiency": 0.0,
            "random_comprehensiveness": 0.3,
            "random_sufficiency": 0.6,
        }
    )
    assert is_faithful(summed | {"random_comprehensiveness": 0.29})
    assert not is_faithful(summed | {"random_comprehensiveness": 0.31})
    assert not is_faithful(summed | {"random_comprehensiveness": 0.29, "sufficiency": 0.2})
