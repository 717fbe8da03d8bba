"""Devices, precisions and adapters: chosen by rule, refused with the way out."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from peft import LoraConfig, get_peft_model
from safetensors.torch import load_file

from dialog.engine.load import choose_device, open_model
from dialog.engine.precision import choose_plain
from dialog.errors import ModelError
from dialog.settings import ModelSection
from dialog.testing.tiny import tiny_tokenizer, tiny_transformer

# peft asks transformers for an attribute that is about to be renamed.
pytestmark = pytest.mark.filterwarnings("ignore:.*is_gradient_checkpointing:FutureWarning")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    tiny_transformer("llama", seed=0, context_tokens=128).save_pretrained(tmp_path / "base")
    tiny_tokenizer().save_pretrained(tmp_path / "base")
    return tmp_path / "base"


@pytest.fixture
def adapter(tmp_path: Path) -> Path:
    """A LoRA that changes something."""
    config = LoraConfig(r=2, target_modules=["q_proj", "v_proj"], init_lora_weights=False)
    model = get_peft_model(tiny_transformer("llama", seed=0, context_tokens=128), config)
    model.save_pretrained(tmp_path / "adapter")
    return tmp_path / "adapter"


@pytest.mark.parametrize(("native", "precision"), [(True, "bf16"), (False, "fp32")])
def test_auto_takes_bf16_only_where_the_processor_has_it(monkeypatch, native, precision) -> None:
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: native)
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: False)
    assert choose_plain("auto", torch.device("cpu")).precision == precision


def test_a_precision_that_was_asked_for_is_taken(monkeypatch) -> None:
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: True)
    assert choose_plain("fp32", torch.device("cpu")).precision == "fp32"


def test_a_device_that_is_none_is_refused(monkeypatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ModelError, match="'quantum' is no device"):
        choose_device("quantum")
    with pytest.raises(ModelError, match="no CUDA GPU"):
        choose_device("cuda")
    assert choose_device("cpu").type == "cpu"


def test_an_adapter_changes_what_the_model_computes(folder, adapter) -> None:
    plain = open_model(ModelSection(name=str(folder), precision="fp32"))
    adapted = open_model(ModelSection(name=str(folder), precision="fp32", adapter=str(adapter)))
    ids = [1, 87, 85, 263]
    ours = [model.forward.next_logits(ids, model.forward.new_cache()) for model in (plain, adapted)]
    assert not torch.allclose(ours[0], ours[1], atol=1e-3)
    assert adapted.info.adapters == (str(adapter),)


def test_a_pickled_adapter_is_refused(folder, adapter) -> None:
    weights = load_file(adapter / "adapter_model.safetensors")
    torch.save(weights, adapter / "adapter_model.bin")
    (adapter / "adapter_model.safetensors").unlink()
    with pytest.raises(ModelError, match="pickled adapters are refused"):
        open_model(ModelSection(name=str(folder), adapter=str(adapter)))


def test_a_folder_that_is_no_adapter_is_refused(folder) -> None:
    with pytest.raises(ModelError, match="no adapter"):
        open_model(ModelSection(name=str(folder), adapter=str(folder)))


def test_the_end_token_ends_replies(folder) -> None:
    assert open_model(ModelSection(name=str(folder))).end_ids == {2}
