"""What a frozen model thinks of the examples: computed once, kept on disk, read in every epoch.

A decoder needs a few hidden states of each token and never the model itself
again. They are written in bfloat16, `2 * taps * hidden size` bytes a token, under
a key of the model, the template, the taps and the token ids: another model or
another text can never be read by mistake.

    cache = FeatureCache(folder, model=model, fingerprint=info.fingerprint, template=..., taps=(10, 20, 30))
    cache.num_bytes(examples)          # what it will take, before anything is written
    taps_TKD = cache.taps(example)
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Sequence
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor
from transformers import PreTrainedModel

from dialog.errors import DialogError
from training.examples import Example

_KEY = "taps"


class NoRoom(DialogError):
    """The disk has too little space for the features."""


class FeatureCache:
    """Hidden states by example. Attributes: num_computed, num_read (examples, so far)."""

    def __init__(
        self,
        folder: Path | None,
        *,
        model: PreTrainedModel,
        fingerprint: str,
        template: str,
        taps: Sequence[int],
    ) -> None:
        self._folder = folder
        self._model = model.eval()
        self._taps = tuple(taps)
        self._made_with = f"{fingerprint}\n{template}\n{self._taps}\n{model.dtype}"
        self.num_computed = 0
        self.num_read = 0

    def num_bytes(self, examples: Sequence[Example]) -> int:
        """Bytes on disk for `examples`, those that are there already not counted."""
        size = int(self._model.config.get_text_config(decoder=True).hidden_size)
        missing = (one for one in examples if not self._path_of(one).is_file()) if self._folder else examples
        return sum(2 * len(self._taps) * size * len(one.ids) for one in missing)

    def check_room(self, examples: Sequence[Example]) -> int:
        """`num_bytes`, or NoRoom where the disk has less than that and a tenth left."""
        needed = self.num_bytes(examples)
        if self._folder is not None:
            self._folder.mkdir(parents=True, exist_ok=True)
            free = shutil.disk_usage(self._folder).free
            if needed * 1.1 > free:
                raise NoRoom(
                    f"the features need {needed:,} bytes and {str(self._folder)!r} has {free:,} left; "
                    "free space, name another folder with --cache, or leave the cache out with --no-cache"
                )
        return needed

    def taps(self, example: Example) -> Tensor:
        """taps_TKD of an example, bfloat16 on the CPU."""
        path = self._path_of(example) if self._folder is not None else None
        if path is not None and path.is_file():
            try:
                found = load_file(path)[_KEY]
                self.num_read += 1
                return found
            except (SafetensorError, KeyError, OSError):
                path.unlink(missing_ok=True)  # half written by a run that was killed: made again
        taps_TKD = self._compute(example)
        self.num_computed += 1
        if path is not None:
            unfinished = path.with_name(f"{path.name}.{os.getpid()}")
            save_file({_KEY: taps_TKD}, unfinished)
            os.replace(unfinished, path)
        return taps_TKD

    @torch.no_grad()
    def _compute(self, example: Example) -> Tensor:
        ids_1T = torch.tensor([example.ids], device=self._model.device)
        states = self._model(
            input_ids=ids_1T, output_hidden_states=True, use_cache=False, logits_to_keep=1
        ).hidden_states
        return (
            torch.stack([states[tap][0] for tap in self._taps], dim=1).to("cpu", torch.bfloat16).contiguous()
        )

    def _path_of(self, example: Example) -> Path:
        assert self._folder is not None
        key = hashlib.sha256(f"{self._made_with}\n{example.ids}".encode()).hexdigest()
        return self._folder / f"{key}.safetensors"
