"""Which numbers the weights are kept as, by rule, and why.

    choice = choose_precision("auto", device, architecture=architecture, checkpoint=checkpoint)
    choice.precision, choice.reason      # "int4", "the weights lie on a 4-bit grid already"

Nothing is timed: the rules come from measurements (`docs/decisions/0010-lean-forward.md`).
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Literal

import torch
from torch import Tensor

from dialog.engine.lean.architecture import Architecture
from dialog.engine.lean.linear import int4_error
from dialog.engine.lean.pack import Packing, obstacle
from dialog.errors import ModelError
from dialog.values import Value

Precision = Literal["fp32", "bf16", "int8", "int4"]
Wanted = Literal["auto", "fp32", "bf16", "int8", "int4"]
_GRID_ERROR = 0.02
"""Rounding to 4 bits moves ordinary weights by about 8 %, those of a 4-bit file by less than 1 %."""
_MEMORY_SHARE = 0.5
_SAMPLE = "model.layers.0.mlp.down_proj.weight"


class Choice(Value):
    """A precision and the sentence that explains it."""

    precision: Precision
    reason: str

    @property
    def dtype(self) -> torch.dtype:
        """Of the states, and of the weights that are not packed."""
        return torch.float32 if self.precision == "fp32" else torch.bfloat16

    @property
    def packing(self) -> Packing | None:
        match self.precision:
            case "int8" | "int4":
                return self.precision
            case _:
                return None


def has_bf16(device: torch.device) -> bool:
    """True if the device multiplies bfloat16 itself; emulated it is slower than float32."""
    match device.type:
        case "cpu":
            return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())
        case "cuda":
            return bool(torch.cuda.is_bf16_supported(including_emulation=False))
        case _:
            return False


def choose_plain(wanted: Wanted, device: torch.device) -> Choice:
    """For a model that transformers serves, which packs nothing.

    Raises:
        ModelError: packed weights were asked for.
    """
    match wanted:
        case "int8" | "int4":
            raise ModelError(f'model.precision = {wanted!r} is not possible here; use "auto"')
        case "auto" if has_bf16(device):
            return Choice(precision="bf16", reason=f"the {device.type} multiplies bfloat16 itself")
        case "auto":
            return Choice(precision="fp32", reason=f"the {device.type} does not multiply bfloat16 itself")
        case _:
            return Choice(precision=wanted, reason="asked for")


def choose_precision(
    wanted: Wanted, device: torch.device, *, architecture: Architecture, checkpoint: Mapping[str, Tensor]
) -> Choice:
    """For a model that the lean engine serves.

    Args:
        checkpoint: the model's own tensors; one of them is looked at.

    Raises:
        ModelError: packed weights were asked for where they are not possible.
    """
    if wanted in ("fp32", "bf16"):
        return choose_plain(wanted, device)
    if device.type != "cpu":
        if wanted != "auto":
            raise ModelError(f'model.precision = {wanted!r} is for CPUs; on {device} use "auto" or "bf16"')
        return choose_plain(wanted, device)
    if wanted in ("int8", "int4"):
        reason = obstacle(architecture, wanted)
        if reason is not None:
            raise ModelError(f'model.precision = {wanted!r} does not fit this model: {reason}; use "auto"')
        return Choice(precision=wanted, reason="asked for")
    return _choose_packing(device, architecture, checkpoint)


def _choose_packing(
    device: torch.device, architecture: Architecture, checkpoint: Mapping[str, Tensor]
) -> Choice:
    plain = choose_plain("auto", device)
    if plain.precision == "fp32":
        return plain
    needed = 3 * architecture.num_parameters  # bfloat16 for prompts and a byte for decoding
    memory = _memory_bytes()
    if memory is not None and needed > _MEMORY_SHARE * memory:
        share = f"{needed / 1e9:.0f} GB of {memory / 1e9:.0f} GB memory"
        return Choice(precision="bf16", reason=f"packed weights beside bfloat16 ones would take {share}")
    is_possible = obstacle(architecture, "int4") is None and _SAMPLE in checkpoint
    if is_possible and int4_error(checkpoint[_SAMPLE]) < _GRID_ERROR:
        return Choice(precision="int4", reason="the weights lie on a 4-bit grid already: nothing is lost")
    return Choice(precision="int8", reason="decoding reads every weight, and 8 bits are enough for them")


def _memory_bytes() -> int | None:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return None
