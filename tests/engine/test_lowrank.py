"""A LoRA beside the weights computes what it computes merged into them, for each row by itself."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import load_file, save_file
from transformers import PreTrainedModel

from dialog.engine.lean.architecture import read_architecture
from dialog.engine.lean.forward import LeanForward
from dialog.engine.lean.lowrank import Adapter
from dialog.engine.lean.pack import Packing
from dialog.engine.lora import read_lora
from dialog.errors import ModelError
from tests.engine.making import lean_forward
from tests.engine.test_lean_parity import IDS, transformer

# peft asks transformers for an attribute that is about to be renamed.
pytestmark = pytest.mark.filterwarnings("ignore:.*is_gradient_checkpointing:FutureWarning")
FAMILIES = ["llama, grouped", "llama, biases", "qwen2, window", "qwen3", "gemma2", "gemma3"]
ALL = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
PIECES: tuple[list[int], ...] = ([3], [9, 8], [5], [4, 11], [7])


def lora(
    folder: Path, name: str, *, seed: int = 1, targets: tuple[str, ...] = ALL, **options: object
) -> Path:
    """A random LoRA of the model, saved by PEFT."""
    config = LoraConfig(r=4, target_modules=list(targets), init_lora_weights=False, **options)  # type: ignore[arg-type]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        get_peft_model(transformer(name), config).save_pretrained(folder)
    return folder


def merged(name: str, folder: Path) -> PreTrainedModel:
    return PeftModel.from_pretrained(transformer(name), str(folder)).merge_and_unload()


def read_for(name: str, folder: Path) -> Adapter:
    architecture = read_architecture(transformer(name).config.to_dict())
    return read_lora(folder, architecture, device=torch.device("cpu"))


def logits(forward: LeanForward, adapter: Adapter | None = None) -> torch.Tensor:
    """Of a prompt read at once, and of tokens after it one by one."""
    kv = forward.new_cache(adapter)
    rows = [forward.all_logits(IDS[:40], kv)]
    rows += [forward.all_logits([token], kv) for token in IDS[40:46]]
    return torch.cat(rows)


@pytest.mark.parametrize("name", FAMILIES)
def test_beside_the_weights_as_merged_into_them(tmp_path: Path, name: str) -> None:
    folder = lora(tmp_path, name, lora_alpha=8)
    expected = logits(lean_forward(merged(name, folder)))
    found = logits(lean_forward(transformer(name)), read_for(name, folder))
    assert torch.allclose(found, expected, atol=1e-4)
    assert not torch.allclose(found, logits(lean_forward(transformer(name))), atol=0.1)


@pytest.mark.parametrize(
    ("targets", "use_rslora"), [(("q_proj", "v_proj"), True), (("k_proj", "up_proj"), False)]
)
def test_a_part_of_a_fused_map_may_be_left_alone(
    tmp_path: Path, targets: tuple[str, ...], use_rslora: bool
) -> None:
    name = "llama, grouped"
    folder = lora(tmp_path, name, targets=targets, use_rslora=use_rslora, lora_alpha=3)
    expected = logits(lean_forward(merged(name, folder)))
    assert torch.allclose(
        logits(lean_forward(transformer(name)), read_for(name, folder)), expected, atol=1e-4
    )


@pytest.mark.parametrize("packing", ["int8", "int4"])
def test_on_packed_weights_the_error_is_that_of_packing(tmp_path: Path, packing: Packing) -> None:
    name = "llama, grouped"
    folder = lora(tmp_path, name)
    expected = logits(lean_forward(merged(name, folder)))
    found = logits(lean_forward(transformer(name), packing), read_for(name, folder))
    packed = logits(lean_forward(merged(name, folder), packing))
    assert (found - expected).norm() < 1.2 * (packed - expected).norm()


def caches(forward: LeanForward, adapters: list[Adapter | None]) -> list[object]:
    found = []
    for number, adapter in enumerate(adapters):
        kv = forward.new_cache(adapter)
        forward.next_logits(IDS[number : 20 + 5 * number], kv)
        found.append(kv)
    return found


@pytest.mark.parametrize("packing", [None, "int8", "int4"])
@pytest.mark.parametrize("name", ["llama, grouped", "gemma3"])
def test_rows_with_adapters_of_their_own_are_as_each_alone(
    tmp_path: Path, name: str, packing: Packing | None
) -> None:
    forward = lean_forward(transformer(name), packing)
    one = read_for(name, lora(tmp_path / "1", name, seed=1))
    other = read_for(name, lora(tmp_path / "2", name, seed=2, targets=("q_proj", "down_proj")))
    adapters = [one, None, other, one, None]
    rows = forward.logits_together(list(zip(PIECES, caches(forward, adapters), strict=True)))
    pairs = zip(PIECES, caches(forward, adapters), strict=True)
    alone = torch.cat([forward.next_logits([token], kv) for piece, kv in pairs for token in piece])
    assert torch.equal(rows, alone) if packing else torch.allclose(rows, alone, atol=1e-4)


@pytest.mark.parametrize("packing", ["int8", "int4"])
def test_guesses_read_together_are_bit_for_bit_those_read_alone(tmp_path: Path, packing: Packing) -> None:
    name = "llama, grouped"
    forward = lean_forward(transformer(name), packing)
    adapter = read_for(name, lora(tmp_path, name))
    together, alone = caches(forward, [adapter, adapter])[:1] + caches(forward, [adapter])
    step = [7, 8, 9][: forward.exact_tokens]
    at_once = forward.all_logits(step, together)
    assert torch.equal(at_once, torch.cat([forward.next_logits([token], alone) for token in step]))


def test_what_is_no_plain_lora_is_refused_with_a_way_out(tmp_path: Path) -> None:
    name = "llama, grouped"
    with pytest.raises(ModelError, match=r"DoRA.*set model\.adapter"):
        read_for(name, lora(tmp_path / "dora", name, use_dora=True))
    with pytest.raises(ModelError, match="several ranks"):
        read_for(name, lora(tmp_path / "ranks", name, rank_pattern={"q_proj": 2}))
    folder = lora(tmp_path / "other", name)
    weights = load_file(folder / "adapter_model.safetensors")
    head = {"base_model.model.lm_head.weight": torch.zeros(96, 64)}
    save_file({**weights, **head}, folder / "adapter_model.safetensors")
    with pytest.raises(ModelError, match=r"changes 'base_model\.model\.lm_head.*set model\.adapter"):
        read_for(name, folder)
    config = json.loads((folder / "adapter_config.json").read_text("utf-8"))
    (folder / "adapter_config.json").write_text(json.dumps({**config, "peft_type": "ADALORA"}), "utf-8")
    with pytest.raises(ModelError, match="ADALORA"):
        read_for(name, folder)


def test_an_adapter_of_another_model_is_refused(tmp_path: Path) -> None:
    folder = lora(tmp_path, "llama, grouped")
    with pytest.raises(ModelError, match=r"does not fit this model: 'self_attn\.k_proj'"):
        read_for("llama, a key for every query", folder)
    weights = load_file(folder / "adapter_model.safetensors")
    deeper = {key.replace("layers.1.", "layers.2."): value for key, value in weights.items()}
    save_file(deeper, folder / "adapter_model.safetensors")
    with pytest.raises(ModelError, match="for another model"):
        read_for("llama, grouped", folder)


def test_a_damaged_adapter_says_where(tmp_path: Path) -> None:
    folder = lora(tmp_path, "llama, grouped")
    (folder / "adapter_config.json").write_text("{", "utf-8")
    with pytest.raises(ModelError, match="cannot be read"):
        read_for("llama, grouped", folder)
