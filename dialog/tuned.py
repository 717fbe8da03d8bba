"""Seams of models that carry tuned parts: what a conversation may choose, and what a decoder explains.

if isinstance(model, Adapting):
    model.choose_adapter("c-42", "refunds")
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol, runtime_checkable

from dialog.values import Prompt, Segment


@runtime_checkable
class Decoding(Protocol):
    """What a language model also offers that instruction decoders may stand on."""

    def attribute(
        self, prompt: Prompt, text: str, segments: Sequence[Segment], *, cache_key: str | None = None
    ) -> list[float] | None:
        """Share of each segment of the prompt in a reply, together 1; None where no decoder gave it."""
        ...

    def choose_decoder(self, cache_key: str, folder: Path | None) -> None:
        """Answer a conversation with another decoder from now on, None: with none. Raises ModelError."""
        ...


@runtime_checkable
class Adapting(Protocol):
    """What a language model also offers that conversations may use with adapters of their own."""

    def choose_adapter(self, cache_key: str, name: str | None) -> None:
        """Answer a conversation with one of `model.adapters` from now on; None: with none.

        Raises:
            ModelError: there is none such, or it does not fit what else is in use.
        """
        ...

    def in_use(self, cache_key: str | None) -> tuple[str, ...]:
        """Folders of the adapters and the decoder that a conversation is answered with."""
        ...


__all__ = ["Adapting", "Decoding"]
