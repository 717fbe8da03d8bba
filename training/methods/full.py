"""Training all of the model; what is saved is a model of its own, to be named as `model.name`."""

from __future__ import annotations

from pathlib import Path

from transformers import PreTrainedModel, PreTrainedTokenizerBase

from training.methods.backbone import Backbone
from training.methods.saving import moved_into


class FullMethod(Backbone):
    """Parameters are float32, so that small steps are not rounded away."""

    name = "full"

    def __init__(
        self, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, *, autocast: bool = False
    ) -> None:
        super().__init__(model.requires_grad_(True), autocast=autocast)
        self._tokenizer = tokenizer

    def save(self, folder: Path) -> None:
        with moved_into(folder) as unfinished:
            self.causal.save_pretrained(unfinished)
            self._tokenizer.save_pretrained(unfinished)
