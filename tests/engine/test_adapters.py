"""Conversations choose adapters of their own on one loaded model, which keeps what each has read apart."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from threading import Thread

import pytest
import torch
from peft import LoraConfig, get_peft_model

from dialog.decoder.files import save_decoder
from dialog.engine.load import open_model
from dialog.engine.local import LocalModel
from dialog.engine.prepare import adapted
from dialog.errors import ModelError
from dialog.settings import ModelSection
from dialog.testing.tiny import Family, tiny_tokenizer, tiny_transformer
from dialog.values import Prompt
from tests.engine.making import ids_of
from tests.engine.test_decoded import CONFIG, answer, asked_of, decoder_of

# peft asks transformers for an attribute that is about to be renamed.
pytestmark = pytest.mark.filterwarnings("ignore:.*is_gradient_checkpointing:FutureWarning")
TEXTS = ["Where is my parcel 12345?", "我的快递到哪里了？"]
Open = Callable[..., LocalModel]


@pytest.fixture
def opened(tmp_path: Path) -> Open:
    """A tiny model from a folder with the LoRAs "refunds" and "退款" beside it."""

    def make(family: Family = "llama", **settings: object) -> LocalModel:
        base = tmp_path / family
        if not base.is_dir():
            tiny_transformer(family, seed=1, context_tokens=512).save_pretrained(base)
            tiny_tokenizer().save_pretrained(base)
            for seed, name in enumerate(("refunds", "退款"), start=1):
                config = LoraConfig(r=4, target_modules="all-linear", init_lora_weights=False)
                with torch.random.fork_rng(devices=[]):
                    torch.manual_seed(seed)
                    model = get_peft_model(tiny_transformer(family, seed=1, context_tokens=512), config)
                model.save_pretrained(tmp_path / name)
        adapters = {name: str(tmp_path / name) for name in ("refunds", "退款")}
        told = {"name": str(base), "precision": "fp32", "device": "cpu", "adapters": adapters, **settings}
        return open_model(ModelSection.model_validate(told))

    return make


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("name", ["refunds", "退款"])
def test_a_conversation_is_answered_as_by_the_model_with_the_adapter_merged(
    opened: Open, tmp_path: Path, text: str, name: str
) -> None:
    model = opened()
    prompt = asked_of(model, text)
    bare = ids_of(answer(model, prompt, "other"))
    model.choose_adapter("mine", name)
    mine = ids_of(answer(model, prompt, "mine"))
    assert mine == ids_of(answer(opened(adapters={}, adapter=str(tmp_path / name)), prompt))
    assert mine != bare
    assert ids_of(answer(model, prompt, "other")) == bare


def test_an_adapter_stands_on_one_that_is_merged(opened: Open, tmp_path: Path) -> None:
    model = opened(adapter=str(tmp_path / "退款"))
    prompt = asked_of(model, TEXTS[0])
    model.choose_adapter("both", "refunds")
    one, both = ids_of(answer(model, prompt, "one")), ids_of(answer(model, prompt, "both"))
    assert one != both
    assert model.in_use("one") == (str(tmp_path / "退款"),)
    assert model.in_use("both") == (str(tmp_path / "退款"), str(tmp_path / "refunds"))


def test_what_was_read_with_one_adapter_is_not_gone_on_from_with_another(opened: Open) -> None:
    model = opened()
    prompt = asked_of(model, *TEXTS)
    first = answer(model, prompt, "c")
    again = answer(model, prompt, "c")
    assert again[0].cached_tokens == len(prompt.ids) - 1
    model.choose_adapter("c", "退款")
    assert answer(model, prompt, "c")[0].cached_tokens == 0
    assert answer(model, prompt, "c")[0].cached_tokens == len(prompt.ids) - 1
    model.choose_adapter("c", None)
    back = answer(model, prompt, "c")
    assert back[0].cached_tokens == 0
    assert ids_of(back) == ids_of(first)


def test_a_new_conversation_borrows_only_from_those_with_its_adapter(opened: Open) -> None:
    model = opened()
    prompt = asked_of(model, *TEXTS)
    model.choose_adapter("a", "refunds")
    model.choose_adapter("b", "refunds")
    answer(model, prompt, "a")
    assert answer(model, prompt, "bare")[0].cached_tokens == 0
    assert answer(model, prompt, "b")[0].cached_tokens == len(prompt.ids) - 1


@pytest.mark.parametrize("precision", ["fp32", "int8"])
def test_conversations_with_different_adapters_are_answered_together(opened: Open, precision: str) -> None:
    model = opened(precision=precision)
    names = {"a": "refunds", "b": "退款", "c": None, "d": "refunds"}
    prompts: dict[str, Prompt] = {key: asked_of(model, f"{key} {TEXTS[1]}") for key in names}
    for key, name in names.items():
        model.choose_adapter(key, name)
    alone = {key: ids_of(answer(model, prompt, key)) for key, prompt in prompts.items()}
    model.prefixes.clear()
    together: dict[str, list[int]] = {}

    def work(key: str) -> None:
        together[key] = ids_of(answer(model, prompts[key], key))

    threads = [Thread(target=work, args=(key,)) for key in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert together == alone


def test_a_name_that_is_not_configured_is_refused_with_those_that_are(opened: Open) -> None:
    model = opened()
    model.choose_adapter("c", "退款")
    with pytest.raises(ModelError, match=r"no adapter 'refund'; model\.adapters has: refunds, 退款"):
        model.choose_adapter("c", "refund")
    assert len(model.in_use("c")) == 1
    with pytest.raises(ModelError, match=r"set model\.adapters"):
        opened(adapters={}).choose_adapter("c", "refunds")


def test_an_adapter_that_is_missing_is_said_when_the_model_is_opened(opened: Open, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="is no adapter"):
        opened(adapters={"gone": str(tmp_path / "gone")})


def test_a_decoder_is_only_used_with_the_adapter_it_was_trained_on(opened: Open, tmp_path: Path) -> None:
    plain = opened()
    template = plain.info.template_fingerprint
    folders = {}
    on_refunds = adapted(plain.info.fingerprint, tmp_path / "refunds")
    for seed, (name, model) in enumerate({"bare": plain.info.fingerprint, "tuned": on_refunds}.items()):
        config = CONFIG.model_copy(update={"model": model, "template": template})
        folders[name] = tmp_path / name
        save_decoder(decoder_of(seed, std=0.4, config=config), folders[name])
    model = opened(decoder=str(folders["bare"]))
    prompt = asked_of(model, TEXTS[1])
    with pytest.raises(ModelError, match="not trained with the adapter 'refunds'"):
        model.choose_adapter("c", "refunds")
    model.choose_decoder("c", None)
    model.choose_adapter("c", "refunds")
    without = ids_of(answer(model, prompt, "c"))
    with pytest.raises(ModelError, match="trained on the model"):
        model.choose_decoder("c", folders["bare"])
    model.choose_decoder("c", folders["tuned"])
    assert ids_of(answer(model, prompt, "c")) != without
    assert model.in_use("c") == (str(tmp_path / "refunds"), str(folders["tuned"]))
    assert model.in_use("other") == (str(folders["bare"]),)
    assert model.attribute(prompt, "It is here. 在这里。", prompt.segments, cache_key="c") is not None


def test_where_transformers_serves_the_model_the_choice_is_refused(
    opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dialog.engine import load
    from dialog.engine.lean.rope import Unsupported

    def refuse(*_: object) -> None:
        raise Unsupported("its layers")

    monkeypatch.setattr(load, "plan", refuse)
    with pytest.raises(ModelError, match=r"model\.adapters needs the lean engine"):
        opened()
