"""multilingual-e5-small as a module: lower layers and words as they are in the wheel, upper layers trained.

The 250,000 word vectors are most of the model and are only looked up: they stay
in the wheel's file, four bits each, and need no gradient and no place in what
is saved. What the frozen part makes of a text never changes, so it is computed
once and every epoch begins above it.

    network = LabelNetwork(file, num_labels=77, num_frozen=4)
    logits_BL = network.logits(network.pooled(network.below([[17, 204], [9]])))

Shapes: B texts, T tokens, D hidden width, H heads, L labels.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - torch's own convention
from torch import Tensor, nn

from dialog.knowledge.embedders.e5_file import E5File


class LabelNetwork(nn.Module):
    """The encoder with a linear head over the mean of its last hidden states.

    Args:
        file: the weights to begin with, and the word vectors.
        num_frozen: layers that stay those of the file, counted from the words; all of them: the head
            alone is trained.
        dropout: share of features left out after each trained sub-layer while training; a feature is
            left out of a whole text at once.
    """

    def __init__(self, file: E5File, *, num_labels: int, num_frozen: int, dropout: float = 0.0) -> None:
        super().__init__()
        sizes = file.sizes
        if not 0 <= num_frozen <= sizes.num_layers:
            raise ValueError(f"num_frozen is {num_frozen!r}, the encoder has {sizes.num_layers} layers")
        self._words = _Words(file)
        self._frozen = _Frozen(file, num_frozen).requires_grad_(False)
        numbers = range(num_frozen, sizes.num_layers)
        self.layers = nn.ModuleList(_Layer(file, number, dropout=dropout) for number in numbers)
        self.head = nn.Linear(sizes.hidden, num_labels)
        nn.init.normal_(self.head.weight, std=0.02)
        nn.init.zeros_(self.head.bias)

    @torch.no_grad()
    def below(self, texts: Sequence[Sequence[int]]) -> list[Tensor]:
        """Hidden states under the trained layers, (T, D) each; begin and end are added.

        A text longer than the encoder reads (510 pieces) must be cut before.
        """
        x_BTD, is_text_BT = _padded(self._words(texts))
        x_BTD = self._frozen(x_BTD, _additive(is_text_BT, x_BTD.dtype))
        return [row[: len(ids) + 2] for row, ids in zip(x_BTD, texts, strict=True)]

    def hidden(self, below: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        """(hidden_BTD, is_text_BT) from what `below` gave."""
        x_BTD, is_text_BT = _padded(below)
        mask = _additive(is_text_BT, x_BTD.dtype)
        for layer in self.layers:
            x_BTD = layer(x_BTD, mask)
        return x_BTD, is_text_BT

    def pooled(self, below: Sequence[Tensor]) -> Tensor:
        """A unit vector a text, float32 (B, D): the mean over its tokens."""
        x_BTD, is_text_BT = self.hidden(below)
        kept_BTD = x_BTD.float() * is_text_BT[:, :, None]
        return F.normalize(kept_BTD.sum(dim=1), dim=1)

    def logits(self, pooled_BD: Tensor) -> Tensor:
        """(B, L); the head sees features of about unit variance."""
        logits_BL: Tensor = self.head(pooled_BD * pooled_BD.shape[1] ** 0.5)
        return logits_BL


class _Words:
    """Looks word vectors up in the file, each distinct one once."""

    def __init__(self, file: E5File) -> None:
        self._file = file

    def __call__(self, texts: Sequence[Sequence[int]]) -> list[Tensor]:
        vocabulary, width = self._file.vocabulary, self._file.sizes.hidden
        framed = [[vocabulary.bos, *ids, vocabulary.eos] for ids in texts]
        used, places = np.unique(np.concatenate([np.asarray(ids) for ids in framed]), return_inverse=True)
        rows = _tensor(self._file.rows("emb.word", used, num_columns=width))
        return list(torch.split(rows[torch.from_numpy(places)], [len(ids) for ids in framed]))


class _Frozen(nn.Module):
    """Positions, the first norm and the first layers."""

    def __init__(self, file: E5File, num_layers: int) -> None:
        super().__init__()
        hidden = file.sizes.hidden
        positions = file.vector("emb.pos").reshape(-1, hidden) + file.vector("emb.type")[:hidden]
        self.positions = nn.Parameter(_tensor(positions))
        self.norm = _norm(file, "emb.ln")
        self.layers = nn.ModuleList(_Layer(file, number, dropout=0.0) for number in range(num_layers))

    def forward(self, x_BTD: Tensor, mask: Tensor) -> Tensor:
        x_BTD = self.norm(x_BTD + self.positions[: x_BTD.shape[1]])
        for layer in self.layers:
            x_BTD = layer(x_BTD, mask)
        return x_BTD


class _Layer(nn.Module):
    """One post-norm transformer layer.

    Attention is written out: torch's fused one takes 30 times longer with a mask on a CPU, at the
    lengths of a message.
    """

    def __init__(self, file: E5File, number: int, *, dropout: float) -> None:
        super().__init__()
        sizes = file.sizes
        self._num_heads, self._dropout = sizes.num_heads, dropout
        self.qkv = _linear(file, [f"l{number}.{part}" for part in "qkv"], num_rows=sizes.hidden)
        self.out = _linear(file, [f"l{number}.ao"], num_rows=sizes.hidden)
        self.up = _linear(file, [f"l{number}.fi"], num_rows=sizes.feed_forward)
        self.down = _linear(file, [f"l{number}.fo"], num_rows=sizes.hidden)
        self.attention_norm = _norm(file, f"l{number}.aln")
        self.output_norm = _norm(file, f"l{number}.oln")

    def forward(self, x_BTD: Tensor, mask: Tensor) -> Tensor:
        num_texts, longest, width = x_BTD.shape
        heads = (num_texts, longest, 3, self._num_heads, width // self._num_heads)
        q, k, v = self.qkv(x_BTD).view(heads).permute(2, 0, 3, 1, 4)
        scores_BHTT = (q * q.shape[-1] ** -0.5) @ k.transpose(-1, -2) + mask
        attended = torch.softmax(scores_BHTT, dim=-1).to(v.dtype) @ v
        attended = attended.transpose(1, 2).reshape(num_texts, longest, width)
        x_BTD = self.attention_norm(x_BTD + self._thinned(self.out(attended)))
        inner_BTD = self._thinned(self.down(F.gelu(self.up(x_BTD))))
        normalised_BTD: Tensor = self.output_norm(x_BTD + inner_BTD)
        return normalised_BTD

    def _thinned(self, x_BTD: Tensor) -> Tensor:
        if not self.training or not self._dropout:
            return x_BTD
        is_kept_B1D = torch.rand(x_BTD.shape[0], 1, x_BTD.shape[2]) >= self._dropout
        return x_BTD * (is_kept_B1D / (1 - self._dropout)).to(x_BTD.dtype)


def _padded(rows: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    lengths_B = torch.tensor([len(row) for row in rows])
    x_BTD = nn.utils.rnn.pad_sequence(list(rows), batch_first=True)
    return x_BTD, torch.arange(x_BTD.shape[1]) < lengths_B[:, None]


def _additive(is_text_BT: Tensor, dtype: torch.dtype) -> Tensor:
    """0 for text, minus infinity for padding, (B, 1, 1, T)."""
    return torch.zeros(is_text_BT.shape, dtype=dtype).masked_fill(~is_text_BT, -torch.inf)[:, None, None]


def _linear(file: E5File, names: Sequence[str], *, num_rows: int) -> nn.Linear:
    """One linear layer of the tensors of those names, one above the other."""
    weight = np.concatenate([file.matrix(f"{name}.w", num_rows=num_rows) for name in names])
    linear = nn.Linear(weight.shape[1], weight.shape[0], device="meta")
    linear.weight = nn.Parameter(_tensor(weight))
    linear.bias = nn.Parameter(_tensor(np.concatenate([file.vector(f"{name}.b") for name in names])))
    return linear


def _norm(file: E5File, name: str) -> nn.LayerNorm:
    norm = nn.LayerNorm(file.sizes.hidden, eps=file.sizes.epsilon, device="meta")
    norm.weight = nn.Parameter(_tensor(file.vector(f"{name}.w")))
    norm.bias = nn.Parameter(_tensor(file.vector(f"{name}.b")))
    return norm


def _tensor(array: np.ndarray) -> Tensor:
    return torch.from_numpy(np.array(array, dtype=np.float32))
