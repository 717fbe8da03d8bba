"""A checkpoint's tensors as the fused ones the forward pass reads.

    tensors = fuse(architecture, SafetensorsFolder(directory), dtype=torch.bfloat16)
    tensors["layers.0.qkv"], tensors["layers.0.gate_up"], tensors["embedding"]

Every tensor of the checkpoint must have found its place: one that is left over
belongs to something the forward pass would not compute.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from dialog.engine.lean.architecture import Architecture
from dialog.engine.lean.rope import Unsupported, paired
from dialog.errors import ModelError

Tensors = dict[str, Tensor]
_USELESS = "rotary_emb.inv_freq"
"""Frequencies that old checkpoints carry along; they follow from the configuration."""


class SafetensorsFolder(Mapping[str, Tensor]):
    """The tensors of all `*.safetensors` of a folder by name, each read when it is asked for.

    Raises:
        ModelError: a file is broken.
    """

    def __init__(self, directory: Path) -> None:
        try:
            self._files = [
                safe_open(path, framework="pt") for path in sorted(directory.glob("*.safetensors"))
            ]
        except (SafetensorError, OSError) as error:
            raise ModelError(f"cannot load the weights in {str(directory)!r}: {error}") from error
        self._places = {name: file for file in self._files for name in file.keys()}  # type: ignore[no-untyped-call]  # noqa: SIM118

    def __getitem__(self, name: str) -> Tensor:
        tensor = self._places[name].get_tensor(name)  # type: ignore[no-untyped-call]
        assert isinstance(tensor, Tensor)
        return tensor

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)


def fuse(architecture: Architecture, checkpoint: Mapping[str, Tensor], *, dtype: torch.dtype) -> Tensors:
    """Queries, keys and values in one matrix, gate and up in one; rows of heads in pairs (`rope.paired`).

    Raises:
        Unsupported: a tensor is missing, is left over or has an unexpected shape.
    """
    return _Fusion(architecture, checkpoint, dtype).run()


class _Fusion:
    """Takes tensors out of a checkpoint and notes which."""

    def __init__(
        self, architecture: Architecture, checkpoint: Mapping[str, Tensor], dtype: torch.dtype
    ) -> None:
        self.architecture = architecture
        self.checkpoint = checkpoint
        self.dtype = dtype
        self.taken: set[str] = set()

    def run(self) -> Tensors:
        sizes = self.architecture
        fused = {
            "embedding": self.take("model.embed_tokens.weight", sizes.vocab_size, sizes.hidden_size),
            "norm": self.take_norm("model.norm.weight", sizes.hidden_size),
        }
        if sizes.is_tied:
            self.check_tie()
        else:
            fused["head"] = self.take("lm_head.weight", sizes.vocab_size, sizes.hidden_size)
        for index in range(sizes.num_layers):
            layer = self.layer(f"model.layers.{index}.")
            fused |= {f"layers.{index}.{name}": tensor for name, tensor in layer.items()}
        left = sorted(name for name in self.checkpoint if name not in self.taken and _USELESS not in name)
        if left:
            raise Unsupported(f"the weights hold {left[0]!r} and {len(left) - 1} more that we do not know")
        return fused

    def check_tie(self) -> None:
        """A merged adapter may have changed one of two matrices that were the same."""
        head = self.checkpoint.get("lm_head.weight")
        if head is not None and not torch.equal(head, self.checkpoint["model.embed_tokens.weight"]):
            raise Unsupported("embedding and head should be the same and differ")
        self.taken.add("lm_head.weight")

    def layer(self, prefix: str) -> Tensors:
        sizes = self.architecture
        inner = sizes.num_heads * sizes.head_dim
        inner_kv = sizes.num_kv_heads * sizes.head_dim
        attention, feed = f"{prefix}self_attn.", f"{prefix}mlp."
        layer = {
            **self.joined(
                "qkv",
                {f"{attention}q_proj": inner, f"{attention}k_proj": inner_kv, f"{attention}v_proj": inner_kv},
                sizes.hidden_size,
                num_paired=2,
            ),
            **self.joined("out", {f"{attention}o_proj": sizes.hidden_size}, inner),
            **self.joined(
                "gate_up",
                {f"{feed}{part}_proj": sizes.intermediate_size for part in ("gate", "up")},
                sizes.hidden_size,
            ),
            **self.joined("down", {f"{feed}down_proj": sizes.hidden_size}, sizes.intermediate_size),
        }
        for ours, theirs in self.norms().items():
            layer[ours] = self.take_norm(f"{prefix}{theirs}.weight", sizes.hidden_size)
        if sizes.has_qk_norms:
            norms = [
                paired(
                    self.take_norm(f"{attention}{part}_norm.weight", sizes.head_dim), head_dim=sizes.head_dim
                )
                for part in "qk"
            ]
            counts = torch.tensor([sizes.num_heads, sizes.num_kv_heads])
            layer["qk_norm"] = torch.stack(norms).repeat_interleave(counts, dim=0)
        return layer

    def norms(self) -> dict[str, str]:
        if not self.architecture.has_output_norms:
            return {"attention_norm": "input_layernorm", "feed_norm": "post_attention_layernorm"}
        return {
            "attention_norm": "input_layernorm",
            "attention_out_norm": "post_attention_layernorm",
            "feed_norm": "pre_feedforward_layernorm",
            "feed_out_norm": "post_feedforward_layernorm",
        }

    def joined(self, name: str, parts: Mapping[str, int], inputs: int, *, num_paired: int = 0) -> Tensors:
        """The parts' rows one below the other, and their biases if they have any."""
        rows = [self.take(f"{part}.weight", outputs, inputs) for part, outputs in parts.items()]
        fused = {name: self.stack(rows, num_paired)}
        if any(f"{part}.bias" in self.checkpoint for part in parts):
            biases = [self.take(f"{part}.bias", outputs) for part, outputs in parts.items()]
            fused[f"{name}.bias"] = self.stack(biases, num_paired)
        return fused

    def stack(self, rows: list[Tensor], num_paired: int) -> Tensor:
        head_dim = self.architecture.head_dim
        turned = [
            paired(part, head_dim=head_dim) if index < num_paired else part for index, part in enumerate(rows)
        ]
        return torch.cat(turned) if len(turned) > 1 else turned[0].contiguous()

    def take_norm(self, name: str, size: int) -> Tensor:
        offset = self.architecture.norm_offset
        return (self.take(name, size, dtype=torch.float32) + offset).to(self.dtype)

    def take(self, name: str, *shape: int, dtype: torch.dtype | None = None) -> Tensor:
        if name not in self.checkpoint:
            raise Unsupported(f"the weights lack {name!r}")
        tensor = self.checkpoint[name]
        if tuple(tensor.shape) != shape:
            raise Unsupported(f"{name!r} is {tuple(tensor.shape)}, not {shape}")
        self.taken.add(name)
        return tensor.detach().to(dtype or self.dtype)
