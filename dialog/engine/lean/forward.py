"""A whole model's forward pass over fused tensors.

Shapes: T new tokens, E hidden, V vocabulary; one sequence at a time.

    forward = LeanForward(architecture, fuse(architecture, checkpoint, dtype=torch.float32))
    kv = forward.new_cache()
    logits_1V = forward.next_logits([1, 87, 85], kv)

Offers what `dialog.engine.forward.Forward` asks for.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence

import torch
from torch import Tensor

from dialog.engine.lean.architecture import Architecture
from dialog.engine.lean.batch import Piece, Rows, for_each, one_by_one
from dialog.engine.lean.kv import KeyValues
from dialog.engine.lean.layer import Layer, make_norm
from dialog.engine.lean.linear import MAX_FEW, ByLength, Dense, Int4, Int8, Linear
from dialog.engine.lean.lowrank import Adapter, for_rows
from dialog.engine.lean.rope import Rope, rotations


class LeanForward:
    """The model's layers, ready to run.

    Args:
        tensors: of `weights.fuse`, with the packed ones of `pack.pack` if there are any.
        is_exact: a few tokens at once come out bit for bit as one by one (`pack.rows_agree`).
    """

    def __init__(
        self, architecture: Architecture, tensors: Mapping[str, Tensor], *, is_exact: bool = False
    ) -> None:
        self.architecture = architecture
        self.exact_tokens = MAX_FEW if is_exact else 1
        self._embedding_VE = tensors["embedding"]
        self.device, self.dtype = self._embedding_VE.device, self._embedding_VE.dtype
        # Rounded as the embedding is: Gemma was trained so.
        self._embedding_scale = torch.tensor(architecture.embedding_scale, dtype=self.dtype).item()
        self._norm = make_norm(tensors["norm"], architecture.norm_eps)
        head = "embedding" if architecture.is_tied else "head"
        self._head, self._head_VE = _linear(tensors, head), tensors[head]
        self._layers = [_layer(architecture, tensors, index) for index in range(architecture.num_layers)]
        self._each_layer = [one_by_one(layer) for layer in self._layers]
        self._each_norm, self._each_head = for_each(self._norm), for_each(self._head)
        self._tables: dict[Rope, Tensor] = {}

    @property
    def num_layers(self) -> int:
        return self.architecture.num_layers

    def new_cache(self, adapter: Adapter | None = None) -> KeyValues:
        """An empty one; what is read into it goes through `adapter`."""
        sizes = self.architecture
        return KeyValues(
            num_layers=sizes.num_layers,
            num_heads=sizes.num_kv_heads,
            head_dim=sizes.head_dim,
            dtype=self.dtype,
            device=self.device,
            adapter=adapter,
        )

    @torch.inference_mode()
    def next_logits(self, ids: Sequence[int], cache: KeyValues) -> Tensor:
        """Logits (1, V), float32, of the token after `ids`; `cache` then holds them too."""
        return self._logits(self._hidden(ids, cache)[-1:])

    @torch.inference_mode()
    def all_logits(self, ids: Sequence[int], cache: KeyValues) -> Tensor:
        """Logits (T, V), float32, of the token after each of `ids`.

        Up to `exact_tokens` ids give the very logits that one by one would.
        """
        return self._logits(self._hidden(ids, cache))

    def tapped(self, ids: Sequence[int], cache: KeyValues, taps: Sequence[int]) -> Tensor:
        """States (T, K, E) after the layers `taps`, counted from 1; after the last one, normed."""
        return finished(self.reading_taps(ids, cache, taps))

    @torch.inference_mode()
    def reading_taps(
        self, ids: Sequence[int], cache: KeyValues, taps: Sequence[int]
    ) -> Generator[None, None, Tensor]:
        """`tapped`, with a pause after each of `num_layers`; left early, nothing was read."""
        last = self.num_layers
        found: list[Tensor] = []
        for number, hidden_TE in enumerate(self._after_each_layer(ids, cache), start=1):
            if number in taps:
                found.append(self._normed_as_read(hidden_TE) if number == last else hidden_TE)
            yield None
        cache.length += len(ids)
        return torch.stack(found, dim=1)

    @torch.inference_mode()
    def head_logits(self, hidden_TE: Tensor) -> Tensor:
        """Logits (T, V), float32, of normed states."""
        return self._capped(self._head(hidden_TE))

    def head_rows(self, ids: Sequence[int]) -> Tensor:
        """Rows (T, E) of the head, as prompts are read with it."""
        return self._head_VE[torch.tensor(list(ids), device=self.device)]

    @torch.inference_mode()
    def logits_together(self, pieces: Sequence[Piece]) -> Tensor:
        """Logits (R, V), float32, of every id of several sequences, see `batch`; all are read or none."""
        rows = Rows(pieces)
        for hidden_RE in self._after_each_layer_together(rows):
            last_RE = hidden_RE
        logits_RV = self.head_logits_of_each(self._each_norm(last_RE))
        rows.settle()
        return logits_RV

    @torch.inference_mode()
    def tapped_together(self, pieces: Sequence[Piece], taps: Sequence[int]) -> Tensor:
        """States (R, K, E) as `tapped` gives them, of every id of several sequences; all are read or none."""
        rows = Rows(pieces)
        last = self.num_layers
        found = [
            self._each_norm(hidden_RE) if number == last else hidden_RE
            for number, hidden_RE in enumerate(self._after_each_layer_together(rows), start=1)
            if number in taps
        ]
        rows.settle()
        return torch.stack(found, dim=1)

    @torch.inference_mode()
    def head_logits_of_each(self, hidden_RE: Tensor) -> Tensor:
        """`head_logits`, each as if alone."""
        return self._capped(self._each_head(hidden_RE))

    @torch.inference_mode()
    def reading(self, ids: Sequence[int], cache: KeyValues) -> Generator[None, None, Tensor]:
        """`next_logits`, with a pause after each of `num_layers`; left early, nothing was read."""
        for hidden_TE in self._after_each_layer(ids, cache):
            last_TE = hidden_TE
            yield None
        logits_1V = self._logits(last_TE[-1:])
        cache.length += len(ids)
        return logits_1V

    def _hidden(self, ids: Sequence[int], kv: KeyValues) -> Tensor:
        for hidden_TE in self._after_each_layer(ids, kv):
            last_TE = hidden_TE
        kv.length += len(ids)
        return last_TE

    def _embed(self, ids: Sequence[int]) -> Tensor:
        hidden_TE = self._embedding_VE[torch.tensor(ids, dtype=torch.long).to(self.device)]
        return hidden_TE if self._embedding_scale == 1.0 else hidden_TE * self._embedding_scale

    def _after_each_layer(self, ids: Sequence[int], kv: KeyValues) -> Iterator[Tensor]:
        start, end = kv.length, kv.length + len(ids)
        kv.reserve(end)
        hidden_TE = self._embed(ids)
        tables = {rope: self._table(rope, end)[start:end] for rope in set(self.architecture.ropes)}
        for index, (layer, rope) in enumerate(zip(self._layers, self.architecture.ropes, strict=True)):
            if kv.adapter is not None:
                layer = kv.adapter.on(layer, index)
            keys_KSD, values_KSD = kv.layer(index)
            hidden_TE = layer(hidden_TE, keys_KSD, values_KSD, start=start, table_T1D=tables[rope])
            yield hidden_TE

    def _after_each_layer_together(self, rows: Rows) -> Iterator[Tensor]:
        hidden_RE = self._embed(rows.ids)
        positions_R = torch.tensor(rows.positions).to(self.device)
        end = max(rows.positions) + 1
        tables = {rope: self._table(rope, end)[positions_R] for rope in set(self.architecture.ropes)}
        for index, (layer, rope) in enumerate(zip(self._each_layer, self.architecture.ropes, strict=True)):
            layer = for_rows(layer, index, rows.adapters)
            hidden_RE = layer.around(rows.attend(index, layer), hidden_RE, table_T1D=tables[rope])
            yield hidden_RE

    def _normed_as_read(self, hidden_TE: Tensor) -> Tensor:
        """The last token by itself, as `next_logits` norms it: bit for bit the same."""
        return torch.cat((self._norm(hidden_TE[:-1]), self._norm(hidden_TE[-1:])))

    def _logits(self, hidden_TE: Tensor) -> Tensor:
        return self._capped(self._head(self._norm(hidden_TE)))

    def _capped(self, logits_TV: Tensor) -> Tensor:
        logits_TV = logits_TV.float()
        cap = self.architecture.logits_softcap
        return logits_TV if cap is None else torch.tanh(logits_TV / cap) * cap

    def _table(self, rope: Rope, length: int) -> Tensor:
        """Rotations of at least `length` positions, doubled when they run out."""
        table = self._tables.get(rope)
        if table is None or table.shape[0] < length:
            positions = 1 << max(10, (length - 1).bit_length())
            table = rotations(
                rope, head_dim=self.architecture.head_dim, positions=positions, device=self.device
            )
            self._tables[rope] = table
        return table


def finished(reading: Generator[None, None, Tensor]) -> Tensor:
    """What a reading with pauses ends with."""
    while True:
        try:
            next(reading)
        except StopIteration as done:
            result: Tensor = done.value
            return result


def _layer(architecture: Architecture, tensors: Mapping[str, Tensor], index: int) -> Layer:
    prefix = f"layers.{index}."
    norms = {
        name: make_norm(tensors[prefix + name], architecture.norm_eps) if prefix + name in tensors else None
        for name in ("attention_norm", "feed_norm", "attention_out_norm", "feed_out_norm")
    }
    attention_norm, feed_norm = norms["attention_norm"], norms["feed_norm"]
    assert attention_norm is not None
    assert feed_norm is not None
    return Layer(
        architecture=architecture,
        qkv=_linear(tensors, f"{prefix}qkv"),
        out=_linear(tensors, f"{prefix}out"),
        gate_up=_linear(tensors, f"{prefix}gate_up"),
        down=_linear(tensors, f"{prefix}down"),
        attention_norm=attention_norm,
        feed_norm=feed_norm,
        attention_out_norm=norms["attention_out_norm"],
        feed_out_norm=norms["feed_out_norm"],
        qk_norm_HD=tensors.get(f"{prefix}qk_norm"),
        window=architecture.windows[index],
    )


def _linear(tensors: Mapping[str, Tensor], name: str) -> Linear:
    """The map called `name`, with its packed twin if there is one."""
    bias_O = tensors.get(f"{name}.bias")
    dense = Dense(tensors[name], bias_O)
    packed, scales = tensors.get(f"{name}.packed"), tensors.get(f"{name}.scales")
    if packed is None or scales is None:
        return dense
    few = Int8(packed, scales, bias_O) if packed.dtype == torch.int8 else Int4(packed, scales, bias_O)
    return ByLength(few=few, many=dense)
