"""The instruction decoders of a loaded model, and which conversation is answered with which.

    decoders = Decoders(forward, model=fingerprint, template=info.template_fingerprint)
    decoders.default = decoders.load(Path("tuned"))
    decoders.choose("c-42", Path("other"))          # from its next turn on; None: the model alone

The choice of a conversation is kept in memory only: a program that starts
anew begins with the default.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from threading import Lock

from dialog.decoder.files import load_decoder
from dialog.decoder.module import InstructionDecoder
from dialog.engine.cache import Prefix
from dialog.engine.decoded import DecodedCache, DecodedForward, Marks
from dialog.engine.forward import Cache
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
        self._folders: dict[InstructionDecoder, str] = {}
        self._chosen: dict[str, InstructionDecoder | None] = {}
        self._lock = Lock()

    def load(self, folder: Path, *, model: str | None = None) -> InstructionDecoder:
        """The decoder of a folder, each read once. Raises ModelError if it is another model's or damaged.

        Args:
            model: fingerprint of what it is to stand on where an adapter is between them.
        """
        key, model = folder.expanduser().resolve(), model or self._model
        with self._lock:
            decoder = self._loaded.get(key)
            if decoder is None or decoder.config.model != model:
                decoder = load_decoder(key, model=model, template=self._template, device=self.forward.device)
                self._loaded[key] = decoder.requires_grad_(False)
                self._folders[decoder] = str(folder)
            return decoder

    def choose(self, conversation: str, folder: Path | None, *, model: str | None = None) -> None:
        """Answer a conversation with the decoder of `folder`, None: with the model alone.

        Raises:
            ModelError: see `load`; the conversation keeps what it had.
        """
        decoder = None if folder is None else self.load(folder, model=model)
        with self._lock:
            self._chosen[conversation] = decoder

    def of(self, conversation: str | None) -> InstructionDecoder | None:
        """The one in use; the default where nothing was chosen."""
        with self._lock:
            return self.default if conversation is None else self._chosen.get(conversation, self.default)

    def folder(self, conversation: str | None) -> str | None:
        """Where the one in use was read from."""
        decoder = self.of(conversation)
        with self._lock:
            return None if decoder is None else self._folders.get(decoder)

    def new_cache(self, decoder: InstructionDecoder | None, base: Cache | None) -> DecodedCache:
        """What is read into it is read with `decoder`, see `DecodedForward.decoded_cache`."""
        return self.forward.decoded_cache(decoder, Marks(), base=base)

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
