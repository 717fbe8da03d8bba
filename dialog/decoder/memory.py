"""What the decoder remembers of the tokens read so far; it grows and is cropped with the LM's own cache.

    memory = decoder.read(taps_BTKD, ids_BT, kinds_BT)
    memory = decoder.read(more_taps, more_ids, more_kinds, after=memory)
    memory.crop(length)

Legend: B batch, T tokens, R rank.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Memory:
    """One row a token.

    Attributes:
        keys_BTR, values_BTR: what queries attend to.
        hop_keys_BTR, hop_values_BTR: what refines a query before it does.
        reads_BTR: the projection that the next token's key also looks at.
        ids_BT: the tokens themselves, for the copy term.
        kinds_BT: rows of the bias table.
    """

    keys_BTR: Tensor
    values_BTR: Tensor
    hop_keys_BTR: Tensor
    hop_values_BTR: Tensor
    reads_BTR: Tensor
    ids_BT: Tensor
    kinds_BT: Tensor

    @property
    def num_tokens(self) -> int:
        return self.ids_BT.shape[1]

    def crop(self, num_tokens: int) -> Memory:
        """The first `num_tokens` tokens."""
        return Memory(*(part[:, :num_tokens] for part in self.parts()))

    def joined(self, other: Memory) -> Memory:
        pairs = zip(self.parts(), other.parts(), strict=True)
        return Memory(*(torch.cat(pair, dim=1) for pair in pairs))

    def num_bytes(self) -> int:
        return sum(part.numel() * part.element_size() for part in self.parts())

    def parts(self) -> tuple[Tensor, ...]:
        return (
            self.keys_BTR,
            self.values_BTR,
            self.hop_keys_BTR,
            self.hop_values_BTR,
            self.reads_BTR,
            self.ids_BT,
            self.kinds_BT,
        )
