"""Weights packed to 8 or 4 bits beside the bfloat16 ones.

    tensors = pack(fuse(architecture, checkpoint, dtype=torch.bfloat16), "int4")
    tensors["layers.0.qkv.packed"], tensors["layers.0.qkv.scales"]

`int4` keeps the head, which decides between tokens, in 8 bits.
"""

from __future__ import annotations

from typing import Literal

import torch

from dialog.engine.lean.architecture import Architecture
from dialog.engine.lean.forward import LeanForward
from dialog.engine.lean.linear import GROUP, MAX_FEW, quantise_int4, quantise_int8
from dialog.engine.lean.weights import Tensors

Packing = Literal["int8", "int4"]
_MAPS = ("qkv", "out", "gate_up", "down")
_OUTPUT_BLOCK = 16
"""The 4-bit kernel works on so many outputs at a time."""


def obstacle(architecture: Architecture, packing: Packing) -> str | None:
    """Why the model cannot be packed so, None if it can."""
    if packing == "int8":
        return None
    sizes = architecture
    inner = sizes.num_heads * sizes.head_dim
    for inputs in (sizes.hidden_size, sizes.intermediate_size, inner):
        if inputs % GROUP:
            return f"{inputs} inputs are not whole groups of {GROUP}"
    for outputs in (sizes.hidden_size, inner + 2 * sizes.num_kv_heads * sizes.head_dim):
        if outputs % _OUTPUT_BLOCK:
            return f"{outputs} outputs are not whole blocks of {_OUTPUT_BLOCK}"
    return None


def pack(tensors: Tensors, packing: Packing) -> Tensors:
    """The tensors, and the packed weights and scales of every linear map."""
    head = "head" if "head" in tensors else "embedding"
    packed = dict(tensors)
    for name in tensors:
        if name == head:
            packed[f"{name}.packed"], packed[f"{name}.scales"] = quantise_int8(tensors[name])
        elif name.rpartition(".")[2] in _MAPS:
            quantise = quantise_int8 if packing == "int8" else quantise_int4
            packed[f"{name}.packed"], packed[f"{name}.scales"] = quantise(tensors[name])
    return packed


def rows_agree(forward: LeanForward) -> bool:
    """True if a few tokens at once give bit for bit the logits of one by one, on this machine.

    The kernels promise nothing, but each sums a row on its own; so it is looked at.
    """
    ids = [(7919 * number) % forward.architecture.vocab_size for number in range(40)]
    together, alone = forward.new_cache(), forward.new_cache()
    forward.next_logits(ids, together)
    forward.next_logits(ids, alone)
    for size in range(MAX_FEW, 1, -1):
        step = ids[:size]
        at_once = forward.all_logits(step, together)
        one_by_one = torch.cat([forward.next_logits([token], alone) for token in step])
        if not torch.equal(at_once, one_by_one):
            return False
    return True
