"""A model made ready for the lean engine, once: packed weights, merged adapter, finished tokenizer.

    prepared = prepare(files, architecture, choice, adapter=None, notify=print)
    prepared.forward, prepared.tokenizer

Kept in the cache as the model itself is (`shelf`): complete and checked, or
made again. The key follows everything that could change the bytes: the
model's files, the adapter's, the versions of torch and transformers, and the
processor's vector unit, which decides how the weights are packed. Where the
cache cannot be written the model is prepared in memory, every time.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from dialog import home
from dialog.engine.adapters import adapter_files
from dialog.engine.lean.architecture import Architecture
from dialog.engine.lean.forward import LeanForward
from dialog.engine.lean.pack import pack, rows_agree
from dialog.engine.lean.weights import SafetensorsFolder, Tensors, fuse
from dialog.engine.precision import Choice
from dialog.engine.saved_tokenizer import SavedTokenizer, save_tokenizer
from dialog.engine.shelf import Facts, Notify, Shelf, file_hash
from dialog.engine.sources import ModelFiles
from dialog.errors import ModelError

_FORMAT = 1
_ALIGNMENT_BYTES = 64
_WEIGHTS = "weights.safetensors"
_TOKENIZER_FILES = (".json", ".jinja", ".model", ".txt")


@dataclass(frozen=True)
class Prepared:
    """Ready to be asked."""

    forward: LeanForward
    tokenizer: SavedTokenizer


def prepare(
    files: ModelFiles,
    architecture: Architecture,
    choice: Choice,
    *,
    device: torch.device,
    adapter: Path | None,
    notify: Notify,
) -> Prepared:
    """The prepared model, from the cache if it is there.

    Raises:
        Unsupported: the weights are not what the architecture says; use transformers.
        ModelError: the tokenizer or the adapter does not fit.
    """
    shelf = Shelf(home.cache_dir() / "prepared")
    work = _Work(files, architecture, choice, adapter=adapter)
    prefix = f"{files.fingerprint}-{_adapter_hash(adapter)}-{choice.precision}"
    key = f"{prefix}-{_circumstances(files.directory)}"

    def build(directory: Path) -> Facts:
        if work.is_lasting:
            notify(f"preparing {files.name} as {choice.precision} (once)")
        work.write(directory)
        _forget(shelf.root, prefix)
        return Facts(name=files.name)

    try:
        directory = shelf.ensure(key, build=build, notify=notify)
    except ModelError as error:
        if not isinstance(error.__cause__, OSError):
            raise
        notify(f"{error}; the model is prepared in memory")
        with tempfile.TemporaryDirectory() as scratch:
            work.write_tokenizer(Path(scratch))
            tensors = work.tensors()
            forward = LeanForward(architecture, _on(device, tensors), is_exact=work.is_exact(tensors))
            return Prepared(forward, SavedTokenizer(Path(scratch)))
    return _open(work, directory, device)


class _Work:
    """How one model is prepared."""

    def __init__(
        self, files: ModelFiles, architecture: Architecture, choice: Choice, *, adapter: Path | None
    ) -> None:
        self.files = files
        self.architecture = architecture
        self.choice = choice
        self.adapter = adapter

    @property
    def is_lasting(self) -> bool:
        """True if the weights are worth keeping: fusing those of the model itself takes no time."""
        return self.choice.packing is not None or self.adapter is not None

    def write(self, directory: Path) -> None:
        self.write_tokenizer(directory)
        if self.is_lasting:
            tensors = self.tensors()
            told = {"is_exact": str(self.is_exact(tensors))}
            save_file(tensors, directory / _WEIGHTS, metadata=told)

    def write_tokenizer(self, directory: Path) -> None:
        from dialog.engine.stock import load_tokenizer  # loads transformers: once

        tokenizer = load_tokenizer(self.files)
        save_tokenizer(tokenizer, directory, end_ids=end_ids(self.files.directory, tokenizer.eos_token_id))

    def tensors(self) -> Tensors:
        checkpoint: Mapping[str, Tensor] = SafetensorsFolder(self.files.directory)
        if self.adapter is not None:
            from dialog.engine.stock import load_model, with_adapter

            merged = with_adapter(load_model(self.files, torch.device("cpu"), torch.float32), self.adapter)
            checkpoint = merged.state_dict()
        fused = fuse(self.architecture, checkpoint, dtype=self.choice.dtype)
        return pack(fused, self.choice.packing) if self.choice.packing else fused

    def is_exact(self, tensors: Tensors) -> bool:
        return self.choice.packing is not None and rows_agree(LeanForward(self.architecture, tensors))


def _open(work: _Work, directory: Path, device: torch.device) -> Prepared:
    tokenizer = SavedTokenizer(directory)
    if not work.is_lasting:
        forward = LeanForward(work.architecture, _on(device, work.tensors()))
        return Prepared(forward, tokenizer)
    with safe_open(directory / _WEIGHTS, framework="pt") as file:
        is_exact = (file.metadata() or {}).get("is_exact") == "True"
        tensors = {name: _aligned(file.get_tensor(name)) for name in file.keys()}  # noqa: SIM118  # no mapping
    return Prepared(LeanForward(work.architecture, _on(device, tensors), is_exact=is_exact), tokenizer)


def _aligned(tensor: Tensor) -> Tensor:
    """The tensor at an address the packed kernels can read: where the file has it elsewhere they crash."""
    return tensor if tensor.data_ptr() % _ALIGNMENT_BYTES == 0 else tensor.clone()


def _on(device: torch.device, tensors: Tensors) -> Tensors:
    return tensors if device.type == "cpu" else {name: tensor.to(device) for name, tensor in tensors.items()}


def end_ids(directory: Path, own_end: int | None) -> frozenset[int]:
    """What ends a reply: tokens of the generation config (else the config), and the tokenizer's own."""
    path = directory / "generation_config.json"
    try:
        told: Any = json.loads((path if path.is_file() else directory / "config.json").read_text("utf-8"))
        named = told.get("eos_token_id")
    except (OSError, ValueError, AttributeError) as error:
        raise ModelError(f"{str(path)!r} is unreadable: {error}") from error
    ids = {own_end, *(named if isinstance(named, list) else [named])}
    return frozenset(int(token) for token in ids if token is not None)


def _circumstances(directory: Path) -> str:
    """A hash of what the prepared bytes depend on besides weights, configuration, adapter and precision."""
    told = [str(_FORMAT), version("torch"), version("transformers"), torch.backends.cpu.get_cpu_capability()]
    for path in sorted(directory.iterdir()):
        if path.suffix in _TOKENIZER_FILES and path.is_file():
            told += [path.name, file_hash(path)]
    return hashlib.sha256("\n".join(told).encode()).hexdigest()[:16]


def _adapter_hash(adapter: Path | None) -> str:
    if adapter is None:
        return "base"
    files = adapter_files(adapter)
    return hashlib.sha256("".join(file_hash(path) for path in files).encode()).hexdigest()[:16]


def tuned_fingerprint(files: ModelFiles, adapter: Path | None) -> str:
    """Of the model as it is served: its own, and the adapter's if one is merged into it."""
    return files.fingerprint if adapter is None else adapted(files.fingerprint, adapter)


def adapted(fingerprint: str, adapter: Path) -> str:
    """Of the model of that fingerprint with the adapter of a folder, merged or beside the weights.

    Raises:
        ModelError: the folder holds no adapter.
    """
    return f"{fingerprint}-{_adapter_hash(adapter.expanduser())}"


def _forget(root: Path, prefix: str) -> None:
    """What other versions made of the same model: nobody else will ask for it."""
    for stale in root.glob(f"{prefix}-*"):
        shutil.rmtree(stale, ignore_errors=True)
