"""The instruction decoders of a loaded model, and which conversation is answered with which.

    decoders = Decoders(forward, model=fingerprint, template=info.template_fingerprint)
    decoders.default = decoders.load(Path("tuned"))
    decoders.choose("c-42", Path("other"))          # from its next turn on; None: the model alone

The choice of a conversation is kept in memory only: a program that starts
anew begins with the default.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from threading import Lock

from dialog.decoder.files import load_decoder
from dialog.decoder.module import InstructionDecoder
from dialog.engine.cache import Prefix, PrefixPool
from dialog.engine.decoded import DecodedForward, Marks
from dialog.values import Prompt, Segment

_PIECE = 512
"""Ids of a prompt read at a time."""


class Decoders:
    """Thread-safe.

    Args:
        model, template: fingerprints of what they stand on.
    """

    def __init__(self, forward: DecodedForward, *, model: str, template: str) -> None:
        self.forward = forward
        self.default: InstructionDecoder | None = None
        self._model, self._template = model, template
        self._loaded: dict[Path, InstructionDecoder] = {}
        self._chosen: dict[str, InstructionDecoder | None] = {}
        self._lock = Lock()

    def load(self, folder: Path) -> InstructionDecoder:
        """The decoder of a folder, each read once. Raises ModelError if it is another model's or damaged."""
        key = folder.expanduser().resolve()
        with self._lock:
            if key not in self._loaded:
                decoder = load_decoder(
                    key, model=self._model, template=self._template, device=self.forward.device
                )
                self._loaded[key] = decoder.requires_grad_(False)
            return self._loaded[key]

    def choose(self, conversation: str, folder: Path | None) -> None:
        """Answer a conversation with the decoder of `folder`, None: with the model alone.

        Raises:
            ModelError: see `load`; the conversation keeps what it had.
        """
        decoder = None if folder is None else self.load(folder)
        with self._lock:
            self._chosen[conversation] = decoder

    def of(self, conversation: str | None) -> InstructionDecoder | None:
        """The one in use; the default where nothing was chosen."""
        with self._lock:
            return self.default if conversation is None else self._chosen.get(conversation, self.default)

    def prefix(self, pool: PrefixPool, key: str | None, prompt: Prompt) -> Prefix:
        """What was read of the conversation, to go on with `prompt`; nothing, if by another decoder."""
        prefix = pool.take(key, prompt.ids)
        decoder = self.of(key)
        if prefix is None or prefix.cache.decoder is not decoder:
            prefix = Prefix(partial(self.forward.decoded_cache, decoder, Marks()))
        prefix.cache.marks.set(prompt)
        return prefix

    def shares(
        self, prefix: Prefix, prompt: Prompt, reply_ids: Sequence[int], segments: Sequence[Segment]
    ) -> list[float]:
        """What each segment of the prompt adds to the reply, see `DecodedForward.shares`."""
        cached = prefix.keep(prompt.ids)
        for start in range(cached, len(prompt.ids) - 1, _PIECE):
            piece = prompt.ids[start : min(start + _PIECE, len(prompt.ids) - 1)]
            with prefix.extending(piece) as cache:
                self.forward.read(piece, cache)
        before = (prompt.ids[-1], *reply_ids[:-1])
        with prefix.extending(before) as cache:
            taps_QKE = self.forward.read(before, cache)
            return self.forward.shares(taps_QKE, reply_ids, cache, segments)
