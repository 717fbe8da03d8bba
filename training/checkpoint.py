"""Where a run stands, on disk: whole or not there, and nothing that could run.

    save_checkpoint(folder, module, optimiser, progress={"step": 40})
    progress = load_checkpoint(folder, module, optimiser)     # None if there is none

A run that goes on from here ends bit for bit where it would have ended (on a
CPU): order of the data and dropout follow from the seed and the step.
"""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import nn

from dialog.errors import ModelError

_MODULE, _OPTIMISER, _PROGRESS = "module.safetensors", "optimiser.safetensors", "progress.json"


def save_checkpoint(
    folder: Path, module: nn.Module, optimiser: torch.optim.Optimizer, *, progress: dict[str, Any]
) -> None:
    """Replace the checkpoint in `folder`; a run killed meanwhile leaves the one before."""
    unfinished = folder.with_name(f".{folder.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    save_file({name: one.detach().clone() for name, one in module.state_dict().items()}, unfinished / _MODULE)
    save_file(_tensors(optimiser), unfinished / _OPTIMISER)
    (unfinished / _PROGRESS).write_text(json.dumps(progress), encoding="utf-8")
    old = folder.with_name(f".{folder.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    if folder.exists():
        os.replace(folder, old)
    os.replace(unfinished, folder)
    shutil.rmtree(old, ignore_errors=True)


def load_checkpoint(
    folder: Path, module: nn.Module, optimiser: torch.optim.Optimizer
) -> dict[str, Any] | None:
    """Put module and optimiser back and return the progress; None where there is no checkpoint.

    Raises:
        ModelError: it is damaged, or of another run.
    """
    old = folder.with_name(f".{folder.name}.old")
    folder = folder if folder.exists() or not old.exists() else old  # killed between the two renames
    if not (folder / _PROGRESS).is_file():
        return None
    try:
        module.load_state_dict(load_file(folder / _MODULE))
        _restore(optimiser, load_file(folder / _OPTIMISER))
        progress: dict[str, Any] = json.loads((folder / _PROGRESS).read_text(encoding="utf-8"))
    except (OSError, SafetensorError, RuntimeError, KeyError, ValueError) as error:
        raise ModelError(
            f"the checkpoint {str(folder)!r} cannot be read or is of another run "
            f"({str(error).splitlines()[0]}); delete it to begin anew"
        ) from error
    return progress


def _tensors(optimiser: torch.optim.Optimizer) -> dict[str, torch.Tensor]:
    return {
        f"{index}.{name}": torch.as_tensor(value).detach().clone()
        for index, state in optimiser.state_dict()["state"].items()
        for name, value in state.items()
    }


def _restore(optimiser: torch.optim.Optimizer, tensors: dict[str, torch.Tensor]) -> None:
    state: dict[int, dict[str, torch.Tensor]] = {}
    for key, tensor in tensors.items():
        index, _, name = key.partition(".")
        state.setdefault(int(index), {})[name] = tensor
    optimiser.load_state_dict({**optimiser.state_dict(), "state": state})
