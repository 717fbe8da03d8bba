"""A merged model written for others means what was tuned; what cannot be written rightly is refused."""

from __future__ import annotations

import warnings
from pathlib import Path

import pytest
import torch
from gguf import GGUFReader
from transformers import PreTrainedModel, Qwen3Config, Qwen3ForCausalLM

from dialog.cli.main import main
from dialog.engine.exporting import Kind, Precision, export
from dialog.engine.pre_tokenizing import name_of
from dialog.engine.sources import ModelFiles, resolve
from dialog.engine.stock import load_model, load_tokenizer
from dialog.errors import ModelError
from dialog.testing.tiny import Family, tiny_tokenizer, tiny_transformer

TEXTS = ("My code is 42.", "我的号码是42。")


def folder_of(family: Family, path: Path) -> ModelFiles:
    model = tiny_transformer(family, seed=4, context_tokens=256)
    if family == "qwen3":  # transformers' GGUF reader knows only the size that all published ones have
        model = Qwen3ForCausalLM(Qwen3Config(**model.config.to_dict() | {"head_dim": 128})).eval()
    model.save_pretrained(path)
    tiny_tokenizer().save_pretrained(path)
    return resolve(str(path))


@pytest.fixture(scope="module")
def llama(tmp_path_factory: pytest.TempPathFactory) -> ModelFiles:
    return folder_of("llama", tmp_path_factory.mktemp("llama"))


@pytest.fixture(scope="module")
def adapter(llama: ModelFiles, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A LoRA that changes a lot."""
    from peft import LoraConfig, get_peft_model

    folder = tmp_path_factory.mktemp("lora")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.manual_seed(0)
        config = LoraConfig(task_type="CAUSAL_LM", r=4, target_modules="all-linear", init_lora_weights=False)
        get_peft_model(opened(llama), config).save_pretrained(str(folder), save_embedding_layers=False)
    return folder


def opened(files: ModelFiles) -> PreTrainedModel:
    return load_model(files, torch.device("cpu"), torch.float32)


@torch.no_grad()
def logits(model: PreTrainedModel, files: ModelFiles) -> list[torch.Tensor]:
    tokenizer = load_tokenizer(files)
    return [model(torch.tensor([tokenizer.encode(text)])).logits for text in TEXTS]


@pytest.mark.parametrize(("kind", "name"), [("safetensors", "merged"), ("gguf", "merged.gguf")])
def test_a_merged_lora_is_read_again_as_it_was_meant(
    llama: ModelFiles, adapter: Path, tmp_path: Path, kind: Kind, name: str
) -> None:
    from peft import PeftModel

    exported = export(llama, adapter=adapter, out=tmp_path / name, kind=kind, precision="fp32")
    assert exported.difference < 1e-3
    assert exported.rounding == 0.0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        meant = logits(PeftModel.from_pretrained(opened(llama), str(adapter)), llama)
    found = resolve(str(tmp_path / name))
    for one, other in zip(logits(opened(found), found), meant, strict=True):
        torch.testing.assert_close(one, other, atol=1e-3, rtol=1e-3)
    plain = logits(opened(llama), llama)
    assert not torch.allclose(plain[0], meant[0], atol=0.1)
    assert {path.name for path in tmp_path.iterdir()} == {name}


@pytest.mark.parametrize("family", ["llama", "qwen2", "qwen3"])
@pytest.mark.parametrize("precision", ["fp16", "bf16"])
def test_a_gguf_of_each_family_says_what_it_was_given(
    tmp_path: Path, family: Family, precision: Precision
) -> None:
    files = folder_of(family, tmp_path / "model")
    exported = export(files, adapter=None, out=tmp_path / "a.gguf", kind="gguf", precision=precision)
    assert exported.difference < 1e-3
    assert 0 < exported.rounding < 1.0
    fields = GGUFReader(tmp_path / "a.gguf").fields
    assert fields["general.architecture"].contents() == family
    tokenizer = load_tokenizer(files)
    assert fields["tokenizer.ggml.pre"].contents() == name_of(tokenizer.backend_tokenizer.pre_tokenizer)
    assert fields["tokenizer.chat_template"].contents() == tokenizer.chat_template


def test_nothing_is_written_over(llama: ModelFiles, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="exists; name a new folder"):
        export(llama, adapter=None, out=tmp_path, kind="safetensors")


def test_what_is_read_again_differently_is_not_kept(
    llama: ModelFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dialog.engine.gguf_writing._interleaved", lambda tensor, num_heads: tensor)
    with pytest.raises(ModelError, match="differs by"):
        export(llama, adapter=None, out=tmp_path / "a.gguf", kind="gguf")
    assert not list(tmp_path.iterdir())


def test_rules_without_a_name_are_refused(
    llama: ModelFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dialog.engine.gguf_writing.name_of", lambda rules: None)
    with pytest.raises(ModelError, match="GGUF has no name for the rules"):
        export(llama, adapter=None, out=tmp_path / "a.gguf", kind="gguf")


def test_the_command_writes_and_refuses_a_decoder(
    llama: ModelFiles, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = ["--set", f"model.name={llama.directory}"]
    assert main(["models", "export", str(tmp_path / "b.gguf"), *model]) == 0
    assert "gguf in bf16" in capsys.readouterr().out
    code = main(["models", "export", str(tmp_path / "c"), *model, "--set", "model.decoder=d"])
    assert code != 0
    assert "training.teacher=d" in capsys.readouterr().err
    assert not (tmp_path / "c").exists()
