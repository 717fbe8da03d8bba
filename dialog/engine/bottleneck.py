"""Bottleneck adapters: after each feed-forward part a narrow map that changes what it gives.

    insert_bottlenecks(model, BottleneckConfig(size=64))
    model = with_bottlenecks(model, Path("out"))         # as `instructrec tune --method adapter` saved them

They begin as nothing: the way up is zero. Unlike LoRA they cannot be merged
into the weights, so a model with them is computed by transformers.

Source: Houlsby et al. 2019, section 2.1, in the placement of Pfeiffer et al.
2021 (after the feed-forward part only); without their layer norm.
"""

from __future__ import annotations

from pathlib import Path

import torch
from pydantic import Field, ValidationError
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812
from transformers import PreTrainedModel

from dialog.engine.adapters import BOTTLENECK_FILES
from dialog.errors import ModelError
from dialog.values import Value


class BottleneckConfig(Value):
    """How wide they are, and of which model."""

    size: int = Field(ge=1)
    dropout: float = Field(default=0.0, ge=0, lt=1)
    base_model: str = ""


class Bottleneck(nn.Module):
    """A feed-forward part and what is added to it, in float32 whatever the model is."""

    def __init__(self, feed: nn.Module, *, hidden_size: int, config: BottleneckConfig) -> None:
        super().__init__()
        self.feed = feed
        self.bottleneck_down = nn.Linear(hidden_size, config.size)
        self.bottleneck_up = nn.Linear(config.size, hidden_size)
        self.dropout = nn.Dropout(config.dropout)
        for parameter in self.bottleneck_up.parameters():
            nn.init.zeros_(parameter)

    def forward(self, states: Tensor) -> Tensor:
        said: Tensor = self.feed(states)
        added = self.bottleneck_up(self.dropout(F.silu(self.bottleneck_down(said.float()))))
        changed: Tensor = said + added.to(said.dtype)
        return changed


def insert_bottlenecks(model: PreTrainedModel, config: BottleneckConfig) -> None:
    """Put one behind the feed-forward part of every layer.

    Raises:
        ModelError: the model's layers have no part called `mlp`.
    """
    hidden_size = int(model.config.get_text_config(decoder=True).hidden_size)
    layers = getattr(model.base_model, "layers", ())
    if not layers or not all(isinstance(getattr(layer, "mlp", None), nn.Module) for layer in layers):
        raise ModelError(f"a {type(model).__name__} cannot have bottleneck adapters; use LoRA")
    for layer in layers:
        made = Bottleneck(layer.mlp, hidden_size=hidden_size, config=config)
        layer.mlp = made.to(model.device)


def bottleneck_tensors(model: PreTrainedModel) -> dict[str, Tensor]:
    """The parameters of all of them, by name."""
    return {name: one for name, one in model.named_parameters() if ".bottleneck_" in name}


def with_bottlenecks(model: PreTrainedModel, directory: Path) -> PreTrainedModel:
    """The model with the adapters of a folder.

    Raises:
        ModelError: a file is missing or damaged, or made for another model.
    """
    where = f"the adapter {str(directory)!r}"
    try:
        config_file, weights_file = (directory / name for name in BOTTLENECK_FILES)
        config = BottleneckConfig.model_validate_json(config_file.read_text(encoding="utf-8"))
        tensors = load_file(weights_file)
    except (OSError, UnicodeDecodeError, ValidationError, SafetensorError) as error:
        raise ModelError(f"{where} cannot be read: {str(error).splitlines()[0]}") from error
    insert_bottlenecks(model, config)
    parameters = bottleneck_tensors(model)
    shapes = {name: one.shape for name, one in parameters.items()}
    if shapes != {name: one.shape for name, one in tensors.items()}:
        raise ModelError(f"{where} does not fit this model; it was made for {config.base_model!r}")
    with torch.no_grad():
        for name, parameter in parameters.items():
            parameter.copy_(tensors[name])
    return model.eval()
