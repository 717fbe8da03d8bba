"""Training bottleneck adapters (`dialog.engine.bottleneck`), which PEFT does not have."""

from __future__ import annotations

from pathlib import Path

from safetensors.torch import save_file
from transformers import PreTrainedModel

from dialog.engine.adapters import BOTTLENECK_FILES
from dialog.engine.bottleneck import BottleneckConfig, bottleneck_tensors, insert_bottlenecks
from training.methods.backbone import Backbone
from training.methods.saving import moved_into


class AdapterMethod(Backbone):
    """A narrow map after every feed-forward part; `rank` is its width."""

    name = "adapter"

    def __init__(self, model: PreTrainedModel, *, rank: int, dropout: float, base_name: str) -> None:
        self._config = BottleneckConfig(size=rank, dropout=dropout, base_model=base_name)
        insert_bottlenecks(model.requires_grad_(False), self._config)
        super().__init__(model)

    def save(self, folder: Path) -> None:
        tensors = {name: one.detach().cpu() for name, one in bottleneck_tensors(self.causal).items()}
        config_file, weights_file = BOTTLENECK_FILES
        with moved_into(folder) as unfinished:
            save_file(tensors, unfinished / weights_file)
            text = self._config.model_dump_json(indent=1) + "\n"
            (unfinished / config_file).write_text(text, encoding="utf-8")
