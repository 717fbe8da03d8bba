"""The instruction decoder within the engine: nothing at first, the same in pieces, chosen by conversation."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from dialog.decoder.config import DecoderConfig
from dialog.decoder.files import save_decoder
from dialog.decoder.module import InstructionDecoder
from dialog.engine.decoded import Marks, TappedForward
from dialog.engine.decoded_together import decoded_forward
from dialog.engine.decoders import Decoders
from dialog.engine.lean.pack import Packing
from dialog.engine.load import open_model
from dialog.engine.local import LocalModel
from dialog.engine.plain import PlainForward
from dialog.errors import ModelError
from dialog.settings import ModelSection
from dialog.testing import tiny_model
from dialog.testing.tiny import Family, tiny_tokenizer, tiny_transformer
from dialog.values import Chunk, Prompt, Sampling, Segment
from tests.engine.making import FIT, ids_of, lean_forward, prompt_of

SAMPLING = Sampling(max_tokens=16)
CONFIG = DecoderConfig(hidden_size=64, taps=(1, 2), rank=16, heads=4, mlp_size=16, model="m", template="t")
TEXTS = ["Where is my parcel 12345?", "我的快递到哪里了？"]


def decoder_of(seed: int, *, std: float = 0.15, config: DecoderConfig = CONFIG) -> InstructionDecoder:
    """Random everywhere, also where training begins with zero; `std` 0 leaves it untrained."""
    torch.manual_seed(seed)
    decoder = InstructionDecoder(config).eval().requires_grad_(False)
    if std:
        for parameter in decoder.parameters():
            parameter.normal_(std=std)
    return decoder


def saved(folder: Path, seed: int, *, std: float = 0.15) -> Path:
    save_decoder(decoder_of(seed, std=std), folder / str(seed))
    return folder / str(seed)


def served(base: TappedForward, folder: Path | None = None) -> LocalModel:
    plain = tiny_model(seed=1)
    decoders = Decoders(decoded_forward(base), model="m", template="t")
    if folder is not None:
        decoders.default = decoders.load(folder)
    return LocalModel(
        decoders.forward, plain.tokenizer, info=plain.info, end_ids=plain.end_ids, decoders=decoders
    )


def base_of(family: Family = "llama", packing: Packing | None = None) -> TappedForward:
    return lean_forward(tiny_transformer(family, seed=1, context_tokens=512), packing)


def asked_of(model: LocalModel, *texts: str) -> Prompt:
    prompt = prompt_of(model.tokenizer, *(("user", text) for text in texts))
    half = len(prompt.ids) // 2
    segments = (
        Segment(kind="user", ref="u1", start=0, end=half),
        Segment(kind="passage", ref="p1", start=half, end=len(prompt.ids)),
    )
    return prompt.model_copy(update={"segments": segments})


def answer(model: LocalModel, prompt: Prompt, key: str | None = None) -> list[Chunk]:
    return list(model.stream(prompt, sampling=SAMPLING, cache_key=key))


@pytest.mark.parametrize("packing", [None, "int8"])
@pytest.mark.parametrize("text", TEXTS)
def test_an_untrained_decoder_changes_no_logit(packing: Packing | None, text: str) -> None:
    base = base_of(packing=packing)
    forward = decoded_forward(base)
    ids = tiny_model().tokenizer.encode(text)[0]
    cache = forward.decoded_cache(decoder_of(1, std=0), Marks())
    plain = base.new_cache()
    assert torch.equal(forward.next_logits(ids, cache), base.next_logits(ids, plain))
    assert torch.equal(forward.next_logits([7], cache), base.next_logits([7], plain))


@pytest.mark.parametrize("family", ["llama", "qwen2", "qwen3"])
def test_our_engine_and_transformers_decide_alike(family: Family) -> None:
    transformer = tiny_transformer(family, seed=1, context_tokens=512)
    ids = list(range(5, 45))
    found = []
    for base in (lean_forward(transformer), PlainForward(transformer)):
        forward = decoded_forward(base)
        cache = forward.decoded_cache(decoder_of(2), Marks())
        forward.next_logits(ids[:30], cache)
        found.append(forward.all_logits(ids[30:], cache))
    assert torch.allclose(found[0], found[1], atol=2e-3)


@pytest.mark.parametrize("text", TEXTS)
def test_the_next_turn_from_what_was_read_is_that_from_nothing(tmp_path: Path, text: str) -> None:
    model = served(base_of(), saved(tmp_path, 3))
    first = asked_of(model, text)
    said = ids_of(answer(model, first, "c"))
    ids = (*first.ids, *said, 2, 201, *model.tokenizer.encode(text)[0])
    later = Prompt(text="", ids=ids, segments=(), fit=FIT)
    chunks = answer(model, later, "c")
    assert chunks[0].cached_tokens is not None
    assert chunks[0].cached_tokens >= len(first.ids) + len(said) - 1
    assert ids_of(chunks) == ids_of(answer(model, later))


def test_reading_in_pieces_going_back_and_reading_at_once_are_one() -> None:
    forward = decoded_forward(base_of())
    decoder, ids = decoder_of(4), list(range(10, 60))
    at_once = forward.decoded_cache(decoder, Marks())
    whole = forward.all_logits(ids, at_once)
    pieces = forward.decoded_cache(decoder, Marks())
    forward.next_logits(ids[:20], pieces)
    forward.next_logits([99, 98, 97], pieces)
    assert pieces.crop(20)
    rest = torch.cat([forward.next_logits([token], pieces) for token in ids[20:]])
    assert torch.allclose(rest, whole[20:], atol=1e-4)
    assert rest.argmax(-1).tolist() == whole[20:].argmax(-1).tolist()
    assert pieces.num_bytes() > base_of().new_cache().num_bytes()


@pytest.mark.parametrize("packing", ["int8", "int4"])
def test_guesses_read_together_are_bit_for_bit_those_read_alone(packing: Packing) -> None:
    base = base_of(packing=packing)
    forward, decoder = decoded_forward(base), decoder_of(5)
    if forward.exact_tokens == 1:
        pytest.skip("this processor's kernels are not exact for several tokens")
    together, alone = (forward.decoded_cache(decoder, Marks()) for _ in range(2))
    for cache in (together, alone):
        forward.next_logits(list(range(10, 40)), cache)
    step = [7, 8, 9][: forward.exact_tokens]
    at_once = forward.all_logits(step, together)
    assert torch.equal(at_once, torch.cat([forward.next_logits([token], alone) for token in step]))


def test_conversations_are_answered_with_decoders_of_their_own(tmp_path: Path) -> None:
    base = base_of()
    model = served(base, saved(tmp_path, 6, std=0.4))
    assert model.decoders is not None
    prompt = asked_of(model, "Where is it? 在哪里？")
    alone = LocalModel(base, model.tokenizer, info=model.info, end_ids=model.end_ids)
    mine, without = ids_of(answer(model, prompt, "a")), ids_of(answer(alone, prompt))
    assert mine != without
    model.decoders.choose("b", None)
    assert ids_of(answer(model, prompt, "b")) == without
    other = saved(tmp_path, 8, std=0.4)
    model.decoders.choose("a", other)
    swapped = ids_of(answer(model, prompt, "a"))
    assert swapped == ids_of(answer(served(base, other), prompt))
    assert swapped != mine
    assert ids_of(answer(model, prompt, "c")) == mine


def test_a_decoder_of_another_model_is_refused_and_nothing_changes(tmp_path: Path) -> None:
    model = served(base_of(), saved(tmp_path, 6))
    assert model.decoders is not None
    before = model.decoders.of("c")
    config = CONFIG.model_copy(update={"model": "another"})
    save_decoder(decoder_of(1, config=config), tmp_path / "other")
    with pytest.raises(ModelError, match="'another'"):
        model.decoders.choose("c", tmp_path / "other")
    assert model.decoders.of("c") is before


def test_shares_are_those_of_a_full_recomputation(tmp_path: Path) -> None:
    model = served(base_of(), saved(tmp_path, 9))
    prompt = asked_of(model, "Where is my parcel? 我的包裹？")
    answer(model, prompt, "c")
    cached = model.attribute(prompt, "It is here. 在这里。", prompt.segments, cache_key="c")
    fresh = model.attribute(prompt, "It is here. 在这里。", prompt.segments)
    assert cached is not None
    assert fresh == pytest.approx(cached, abs=1e-4)
    assert sum(cached) == pytest.approx(1.0)
    assert all(0 <= share <= 1 for share in cached)


def test_a_muted_segment_has_no_share(tmp_path: Path) -> None:
    model = served(base_of(), saved(tmp_path, 9))
    prompt = asked_of(model, "Where is my parcel? 我的包裹？")
    shares = model.attribute(prompt, "It is here.", prompt.segments)
    muted = model.attribute(
        prompt.model_copy(update={"weights": (("p1", 0.0),)}), "It is here.", prompt.segments
    )
    assert shares is not None
    assert min(shares) > 0
    assert muted == pytest.approx([1.0, 0.0])


def test_without_a_decoder_there_are_no_exact_shares(tmp_path: Path) -> None:
    model = served(base_of())
    prompt = asked_of(model, "Where?")
    assert model.attribute(prompt, "Here.", prompt.segments) is None
    assert tiny_model().attribute(prompt, "Here.", prompt.segments) is None


@pytest.mark.parametrize("precision", ["fp32", "int8"])
def test_a_folder_named_in_the_configuration_is_loaded(tmp_path: Path, precision: str) -> None:
    folder = tmp_path / "model"
    tiny_transformer("llama", seed=1, context_tokens=512).save_pretrained(folder)
    tiny_tokenizer().save_pretrained(folder)
    section = ModelSection.model_validate({"name": str(folder), "precision": precision, "device": "cpu"})
    plain = open_model(section)
    made_for = {"model": plain.info.fingerprint, "template": plain.info.template_fingerprint}
    save_decoder(decoder_of(6, std=0.4, config=CONFIG.model_copy(update=made_for)), tmp_path / "tuned")
    tuned = open_model(section.model_copy(update={"decoder": str(tmp_path / "tuned")}))
    prompt = asked_of(plain, "Where is it? 在哪里？")
    assert tuned.info.adapters == (str(tmp_path / "tuned"),)
    assert ids_of(answer(tuned, prompt)) != ids_of(answer(plain, prompt))
    with pytest.raises(ModelError, match="no readable"):
        open_model(section.model_copy(update={"decoder": str(tmp_path)}))
