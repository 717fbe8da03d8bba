"""A labeller on disk: `labels.json` and `labels.safetensors`, and nothing that could run.

save_labeller(network, centroids_LD, config, Path("out"))
network, centroids_LD, config = load_labeller(Path("out"))
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

import torch
from pydantic import Field, ValidationError
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from dialog.encoder.base import Base, open_base
from dialog.encoder.network import LabelNetwork
from dialog.encoder.scope import Scope
from dialog.errors import ModelError
from dialog.values import Value

FORMAT: Literal[1] = 1
CONFIG_FILE, WEIGHTS_FILE = "labels.json", "labels.safetensors"
_CENTROIDS = "centroids"


class LabelConfig(Value):
    """What serving needs besides the weights.

    Attributes:
        base: fingerprint of the encoder that it was trained on.
        labels: names, in the order of the head's rows.
        num_frozen: layers that stayed those of the encoder.
        max_tokens: texts are read so far.
        temperature: logits are divided by it before they are called probabilities.
        scope: what tells texts of no label; None: every text has one.
    """

    format: Literal[1] = FORMAT
    base: str
    labels: tuple[str, ...] = Field(min_length=2)
    num_frozen: int = Field(ge=0)
    max_tokens: int = Field(ge=1, le=510)
    temperature: float = Field(default=1.0, gt=0)
    scope: Scope | None = None


def save_labeller(network: LabelNetwork, centroids_LD: Tensor, config: LabelConfig, folder: Path) -> None:
    """Write both files, each whole or not at all; the configuration comes last."""
    folder.mkdir(parents=True, exist_ok=True)
    weights = {name: one.detach().clone() for name, one in network.named_parameters() if one.requires_grad}
    unfinished = folder / f".{WEIGHTS_FILE}.unfinished"
    save_file(weights | {_CENTROIDS: centroids_LD.contiguous()}, unfinished)
    os.replace(unfinished, folder / WEIGHTS_FILE)
    unfinished = folder / f".{CONFIG_FILE}.unfinished"
    unfinished.write_text(config.model_dump_json(indent=1) + "\n", encoding="utf-8")
    os.replace(unfinished, folder / CONFIG_FILE)


def load_labeller(folder: Path, *, base: Base | None = None) -> tuple[LabelNetwork, Tensor, LabelConfig]:
    """The network ready to serve, the labels' mean vectors (L, D), and the configuration.

    Raises:
        ModelError: a file is missing or damaged, or it was trained on another encoder.
    """
    base = base or open_base()
    config = read_config(folder)
    where = f"the labeller {str(folder)!r}"
    if config.base != base.fingerprint:
        raise ModelError(
            f"{where} was trained on {config.base!r}, installed is {base.fingerprint!r}; tune it again"
        )
    network = LabelNetwork(base.file, num_labels=len(config.labels), num_frozen=config.num_frozen)
    try:
        weights = load_file(folder / WEIGHTS_FILE)
        centroids_LD = weights.pop(_CENTROIDS)
        parameters = {name: one for name, one in network.named_parameters() if one.requires_grad}
        with torch.no_grad():
            for name, parameter in parameters.items():
                parameter.copy_(weights.pop(name))
        if weights:
            raise KeyError(f"unknown tensor {min(weights)}")
    except (OSError, SafetensorError, RuntimeError, KeyError) as error:
        problem = str(error).strip().splitlines()[0]
        raise ModelError(f"{where} cannot be read: {problem}; copy it again or tune it again") from error
    return network.eval(), centroids_LD, config


def read_config(folder: Path) -> LabelConfig:
    """Raises ModelError: there is none, or it says something else."""
    path = folder / CONFIG_FILE
    try:
        return LabelConfig.model_validate_json(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ModelError(
            f"{str(folder)!r} holds no labeller: {error}; make one with `instructrec tune-labels`"
        ) from error
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "content"
        raise ModelError(f"{str(path)!r}: {place}: {first['msg']}") from error
