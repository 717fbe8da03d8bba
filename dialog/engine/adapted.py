"""The adapters that conversations may choose from, beside one loaded model.

    adapters = Adapters(forward, {"refunds": Path("tuned/refunds")}, model=fingerprint)
    adapters.choose("c-42", "refunds")          # from its next turn on; None: the model as it was loaded

All are read when the model is opened, so that what is wrong with one is said
then. The choice of a conversation is kept in memory only: a program that
starts anew begins without.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from threading import Lock

from dialog.engine.forward import Cache
from dialog.engine.lean.forward import LeanForward
from dialog.engine.lean.lowrank import Adapter
from dialog.engine.lora import read_lora
from dialog.engine.prepare import adapted
from dialog.errors import ModelError


class Adapters:
    """Thread-safe.

    Args:
        model: fingerprint of what they stand on.

    Raises:
        ModelError: see `lora.read_lora`.
    """

    def __init__(self, forward: LeanForward, folders: Mapping[str, Path], *, model: str) -> None:
        self._forward = forward
        self._model = model
        self.folders = dict(folders)
        self._loaded: dict[str, Adapter] = {
            name: read_lora(folder.expanduser(), forward.architecture, device=forward.device)
            for name, folder in folders.items()
        }
        self._chosen: dict[str, str] = {}
        self._lock = Lock()

    def choose(self, conversation: str, name: str | None) -> None:
        """Answer a conversation with an adapter; None: with none. Raises ModelError if there is none such."""
        self.check(name)
        with self._lock:
            if name is None:
                self._chosen.pop(conversation, None)
            else:
                self._chosen[conversation] = name

    def check(self, name: str | None) -> None:
        """Raises ModelError where no adapter is called so."""
        if name is not None and name not in self._loaded:
            known = ", ".join(self._loaded)
            raise ModelError(f"there is no adapter {name!r}; model.adapters has: {known}")

    def chosen(self, conversation: str | None) -> str | None:
        """The name of the one in use."""
        with self._lock:
            return None if conversation is None else self._chosen.get(conversation)

    def of(self, conversation: str | None) -> Adapter | None:
        """The one in use."""
        name = self.chosen(conversation)
        return None if name is None else self._loaded[name]

    def new_cache(self, adapter: Adapter | None) -> Cache:
        """What is read into it goes through `adapter`."""
        return self._forward.new_cache(adapter)

    def fingerprint(self, name: str | None) -> str:
        """Of the model with one of them on top: that of the same adapter merged into it."""
        return self._model if name is None else adapted(self._model, self.folders[name])
