"""Where a run stands, on disk: whole or not there, and nothing that could run.

    save_checkpoint(folder, method, optimiser, progress={"step": 40})
    progress = load_checkpoint(folder, method, optimiser)     # None if there is none

Only what is trained is kept: a model that is frozen is on the disk already.

A run that goes on from here ends bit for bit where it would have ended (on a
CPU): order of the data and dropout follow from the seed and the step.
"""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any, Protocol

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from dialog.errors import ModelError
from training.optim import Optimisers

_TRAINED, _STATE, _OPTIMISER = "trained.safetensors", "state.safetensors", "optimiser.safetensors"
_PROGRESS = "progress.json"


class Kept(Protocol):
    """What a checkpoint is of: a module, and what else its training goes on from."""

    @property
    def module(self) -> nn.Module: ...

    def state(self) -> dict[str, Tensor]: ...

    def restore(self, state: dict[str, Tensor]) -> None: ...


def save_checkpoint(folder: Path, method: Kept, optimiser: Optimisers, *, progress: dict[str, Any]) -> None:
    """Replace the checkpoint in `folder`; a run killed meanwhile leaves the one before."""
    unfinished = folder.with_name(f".{folder.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    save_file(trained(method.module), unfinished / _TRAINED)
    save_file({name: one.detach().clone() for name, one in method.state().items()}, unfinished / _STATE)
    save_file(optimiser.tensors(), unfinished / _OPTIMISER)
    (unfinished / _PROGRESS).write_text(json.dumps(progress), encoding="utf-8")
    old = folder.with_name(f".{folder.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    if folder.exists():
        os.replace(folder, old)
    os.replace(unfinished, folder)
    shutil.rmtree(old, ignore_errors=True)


def load_checkpoint(folder: Path, method: Kept, optimiser: Optimisers) -> dict[str, Any] | None:
    """Put method and optimiser back and return the progress; None where there is no checkpoint.

    Raises:
        ModelError: it is damaged, or of another run.
    """
    old = folder.with_name(f".{folder.name}.old")
    folder = folder if folder.exists() or not old.exists() else old  # killed between the two renames
    if not (folder / _PROGRESS).is_file():
        return None
    try:
        method.restore(load_file(folder / _STATE))
        put_back(method.module, load_file(folder / _TRAINED))
        optimiser.restore(load_file(folder / _OPTIMISER))
        progress: dict[str, Any] = json.loads((folder / _PROGRESS).read_text(encoding="utf-8"))
    except (OSError, SafetensorError, RuntimeError, KeyError, ValueError) as error:
        raise ModelError(
            f"the checkpoint {str(folder)!r} cannot be read or is of another run "
            f"({str(error).splitlines()[0]}); delete it to begin anew"
        ) from error
    return progress


def keep_best(folder: Path, method: Kept) -> None:
    """Keep what is trained as it is now; what was kept before goes."""
    folder.mkdir(exist_ok=True)
    for name, tensors in ((_TRAINED, trained(method.module)), (_STATE, method.state())):
        unfinished = folder / f".{name}.unfinished"
        save_file({key: one.detach().clone() for key, one in tensors.items()}, unfinished)
        os.replace(unfinished, folder / name)


def put_best_back(folder: Path, method: Kept) -> None:
    """What `keep_best` kept last; nothing if it never did. Raises ModelError if it is damaged."""
    if not (folder / _STATE).is_file():
        return
    try:
        method.restore(load_file(folder / _STATE))
        put_back(method.module, load_file(folder / _TRAINED))
    except (OSError, SafetensorError, RuntimeError, KeyError, ValueError) as error:
        raise ModelError(f"{str(folder)!r} cannot be read: {str(error).splitlines()[0]}") from error


def trained(module: nn.Module) -> dict[str, Tensor]:
    """A copy of the parameters that are trained, by name; tied ones once."""
    return {name: one.detach().clone() for name, one in module.named_parameters() if one.requires_grad}


def put_back(module: nn.Module, tensors: dict[str, Tensor]) -> None:
    """Set the parameters that are trained. Raises KeyError or RuntimeError if they are others."""
    parameters = {name: one for name, one in module.named_parameters() if one.requires_grad}
    if parameters.keys() != tensors.keys():
        raise KeyError(f"other parameters: {sorted(parameters.keys() ^ tensors.keys())[0]}")
    with torch.no_grad():
        for name, parameter in parameters.items():
            parameter.copy_(tensors[name])
