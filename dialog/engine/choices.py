"""What each conversation is answered with besides the model: an adapter, an instruction decoder.

    choices = Choices(forward, adapters=adapters, decoders=decoders)
    choices.choose_adapter("c-42", "refunds")
    prefix = choices.prefix(pool, "c-42", prompt)       # only what was read with the same two
    choices.in_use("c-42")                              # their folders, for `Reply.fingerprint`

A decoder reads the model's states, and an adapter changes them: a decoder is
only used with the adapter it was trained on.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from dialog.decoder.module import InstructionDecoder
from dialog.engine.adapted import Adapters
from dialog.engine.cache import Prefix, PrefixPool
from dialog.engine.decoders import Decoders
from dialog.engine.forward import Cache, Forward
from dialog.engine.lean.lowrank import Adapter
from dialog.errors import ModelError
from dialog.values import Prompt


class Choices:
    """Thread-safe, as its parts are.

    Args:
        forward: what both stand on; a `DecodedForward` where there are decoders.
        merged: folder of the adapter that is in the weights themselves.
    """

    def __init__(
        self,
        forward: Forward[Any],
        *,
        adapters: Adapters | None = None,
        decoders: Decoders | None = None,
        merged: str | None = None,
    ) -> None:
        self._forward = forward
        self._adapters = adapters
        self._decoders = decoders
        self._merged = merged

    def choose_adapter(self, conversation: str, name: str | None, *, model: str) -> None:
        """Answer a conversation with an adapter of `model.adapters` from its next turn on; None: with none.

        Args:
            model: the model's name, for what is said.

        Raises:
            ModelError: there is none such, or the conversation's decoder does not stand on it.
        """
        if self._adapters is None:
            raise ModelError(f"{model} was loaded without adapters to choose from; set model.adapters")
        self._adapters.check(name)
        decoder = self._decoders.of(conversation) if self._decoders else None
        if decoder is not None and decoder.config.model != self._adapters.fingerprint(name):
            with_it = "without an adapter" if name is None else f"with the adapter {name!r}"
            raise ModelError(
                f"this conversation's instruction decoder was not trained {with_it}; switch it off first, "
                "choose the adapter, then choose a decoder that was"
            )
        self._adapters.choose(conversation, name)

    def choose_decoder(self, conversation: str, folder: Path | None, *, model: str) -> None:
        """Answer a conversation with the decoder of `folder` from its next turn on; None: with none.

        Raises:
            ModelError: the model was opened without a decoder, or this one does not stand on it as it is
                with the conversation's adapter.
        """
        if self._decoders is None:
            raise ModelError(f"{model} was loaded without a decoder; set model.decoder")
        name = self._adapters.chosen(conversation) if self._adapters else None
        expected = self._adapters.fingerprint(name) if self._adapters and name else None
        self._decoders.choose(conversation, folder, model=expected)

    def in_use(self, conversation: str | None) -> tuple[str, ...]:
        """Folders of all that is between the conversation and the bare model, in that order."""
        name = self._adapters.chosen(conversation) if self._adapters else None
        adapter = str(self._adapters.folders[name]) if self._adapters and name else None
        decoder = self._decoders.folder(conversation) if self._decoders else None
        return tuple(folder for folder in (self._merged, adapter, decoder) if folder)

    def prefix(self, pool: PrefixPool, conversation: str | None, prompt: Prompt) -> Prefix:
        """What was read of the conversation with what it uses now, to be gone on with by `prompt`."""
        adapter = self._adapters.of(conversation) if self._adapters else None
        decoder = self._decoders.of(conversation) if self._decoders else None
        reader = (adapter, decoder) if adapter or decoder else None
        prefix = pool.take(conversation, prompt.ids, reader=reader)
        if prefix is None:
            prefix = Prefix(lambda: self._new_cache(adapter, decoder), reader=reader)
        if self._decoders is not None:
            prefix.cache.marks.set(prompt)
        return prefix

    def _new_cache(self, adapter: Adapter | None, decoder: InstructionDecoder | None) -> Cache:
        base = self._adapters.new_cache(adapter) if self._adapters else None
        if self._decoders is not None:
            return self._decoders.new_cache(decoder, base)
        return self._forward.new_cache() if base is None else base
