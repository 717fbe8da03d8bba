"""The lean engine behind `LocalModel`: the plain one's replies in float32, prefixes, packed weights."""

from __future__ import annotations

import pytest
import torch

from dialog.engine.lean.architecture import read_architecture
from dialog.engine.lean.linear import quantise_int4, quantise_int8
from dialog.engine.lean.pack import Packing, obstacle
from dialog.engine.local import LocalModel
from dialog.testing import tiny_model
from dialog.testing.tiny import Family
from dialog.values import Prompt, Sampling
from tests.engine.making import FIT, ids_of, lean_forward, lean_twin, prompt_of

SAMPLING = Sampling(max_tokens=16)
FAMILIES: tuple[Family, ...] = ("llama", "qwen2", "qwen3")


def prompt(*ids: int) -> Prompt:
    return Prompt(text="", ids=ids, segments=(), fit=FIT)


def answer(model: LocalModel, prompt: Prompt, key: str | None) -> tuple[list[int], int | None]:
    chunks = list(model.stream(prompt, sampling=SAMPLING, cache_key=key))
    return ids_of(chunks), chunks[0].cached_tokens


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("text", ["Where is my parcel 12345?", "我的快递到哪里了？"])
def test_greedy_replies_are_those_of_the_plain_engine(family: Family, text: str) -> None:
    plain = tiny_model(family, seed=1)
    asked = prompt_of(plain.tokenizer, ("user", text))
    assert answer(lean_twin(plain), asked, None) == answer(plain, asked, None)


@pytest.mark.parametrize("family", FAMILIES)
def test_scores_are_those_of_the_plain_engine(family: Family) -> None:
    plain = tiny_model(family, seed=1)
    asked = prompt_of(plain.tokenizer, ("user", "which?"))
    texts = ["yes", "不", "", "no way at all"]
    for ours, theirs in zip(lean_twin(plain).score(asked, texts), plain.score(asked, texts), strict=True):
        assert ours.ids == theirs.ids
        assert ours.logprobs == pytest.approx(theirs.logprobs, abs=1e-4)


@pytest.mark.parametrize("packing", [None, "int8", "int4"])
def test_the_next_turn_reads_only_what_is_new(packing: Packing | None) -> None:
    model = lean_twin(tiny_model("qwen2", seed=2), packing)
    first = prompt_of(model.tokenizer, ("user", "Where is my parcel?"))
    said, cached = answer(model, first, "c")
    assert cached == 0
    second = prompt(*first.ids, *said, 2, 201, 1, 87, 85)
    ids, cached = answer(model, second, "c")
    assert cached is not None
    assert cached >= len(first.ids) + len(said) - 1
    if packing is None:  # packed, the reply was read with other weights than a prompt is
        assert ids == answer(model, second, None)[0]


def test_undo_crops_the_cache() -> None:
    model = lean_twin(tiny_model("llama", seed=2))
    long, short = prompt(*range(3, 60)), prompt(*range(3, 40), 100)
    answer(model, long, "undo")
    ids, cached = answer(model, short, "undo")
    assert cached == 37
    assert ids == answer(model, short, None)[0]


def test_a_broken_forward_pass_is_not_reused(monkeypatch: pytest.MonkeyPatch) -> None:
    model = lean_twin(tiny_model("llama", seed=4))
    answer(model, prompt(*range(3, 40)), "broken")

    def fail(_: torch.Tensor) -> torch.Tensor:
        raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr(model.forward, "_head", fail)
        with pytest.raises(MemoryError):
            answer(model, prompt(*range(3, 50)), "broken")
    whole = answer(model, prompt(*range(3, 50)), None)[0]
    assert answer(model, prompt(*range(3, 50)), "broken") == (whole, 0)


@pytest.mark.parametrize(("packing", "most"), [("int8", 0.01), ("int4", 0.12)])
def test_packed_weights_stand_for_the_weights(packing: Packing, most: float) -> None:
    """Multiplying by the unit matrix shows the weights as the kernel sees them."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        weight_OI = torch.randn(64, 96)
    unit = torch.eye(96, dtype=torch.bfloat16)
    if packing == "int8":
        seen_IO = torch.ops.aten._weight_int8pack_mm(unit, *quantise_int8(weight_OI))
    else:
        packed, scales = quantise_int4(weight_OI)
        seen_IO = torch.ops.aten._weight_int4pack_mm_for_cpu(unit, packed, 32, scales)
    assert (seen_IO.T.float() - weight_OI).norm() / weight_OI.norm() < most


@pytest.mark.parametrize("packing", ["int8", "int4"])
@pytest.mark.parametrize("family", FAMILIES)
def test_packed_logits_are_near_the_full_ones(family: Family, packing: Packing) -> None:
    model = tiny_model(family, seed=3).forward.model
    ids = list(range(3, 40))
    full = lean_forward(model)
    kv = full.new_cache()
    full.next_logits(ids[:-1], kv)
    expected = full.next_logits(ids[-1:], kv)
    packed = lean_forward(model, packing)
    kv = packed.new_cache()
    packed.next_logits(ids[:-1], kv)
    near = torch.cosine_similarity(packed.next_logits(ids[-1:], kv), expected)
    assert near.item() > (0.999 if packing == "int8" else 0.95)


def test_widths_that_are_not_whole_groups_cannot_be_packed_to_4_bits() -> None:
    config = tiny_model("llama").forward.model.config.to_dict() | {"intermediate_size": 100}
    assert "100 inputs" in (obstacle(read_architecture(config), "int4") or "")
    assert obstacle(read_architecture(config), "int8") is None


class Raised:
    """A flag that is up from the second look on."""

    def __init__(self) -> None:
        self.num_looks = 0

    def is_set(self) -> bool:
        self.num_looks += 1
        return self.num_looks > 1


@pytest.mark.parametrize("engine", ["lean", "transformers"])
def test_a_long_prompt_can_be_cancelled_while_it_is_read(engine: str) -> None:
    model = tiny_model("llama", context_tokens=2048)
    if engine == "lean":
        model = lean_twin(model)
    long = prompt(*(3 + number % 90 for number in range(1500)))
    [chunk] = model.stream(long, sampling=SAMPLING, cache_key="c", cancel=Raised())
    assert (chunk.finish_reason, chunk.ids) == ("interrupted", ())
    whole, cached = answer(model, long, "c")
    assert cached == 512  # the piece that was read is not read again
    assert whole == answer(model, long, None)[0]
