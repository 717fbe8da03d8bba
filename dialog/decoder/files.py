"""A decoder on disk: `decoder_config.json` and `decoder.safetensors`, and nothing that could run.

save_decoder(decoder, Path("out"))
decoder = load_decoder(Path("out"), model=info.fingerprint, template=info.template_fingerprint)
"""

from __future__ import annotations

import os
from pathlib import Path

import torch
from pydantic import ValidationError
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from dialog.decoder.config import FORMAT, DecoderConfig
from dialog.decoder.module import InstructionDecoder
from dialog.errors import ModelError

CONFIG_FILE = "decoder_config.json"
WEIGHTS_FILE = "decoder.safetensors"


def save_decoder(decoder: InstructionDecoder, directory: Path) -> None:
    """Write both files, each whole or not at all; the configuration comes last."""
    directory.mkdir(parents=True, exist_ok=True)
    weights = {name: tensor.detach().cpu().contiguous() for name, tensor in decoder.state_dict().items()}
    unfinished = directory / f".{WEIGHTS_FILE}.unfinished"
    save_file(weights, unfinished)
    os.replace(unfinished, directory / WEIGHTS_FILE)
    unfinished = directory / f".{CONFIG_FILE}.unfinished"
    unfinished.write_text(decoder.config.model_dump_json(indent=1) + "\n", encoding="utf-8")
    os.replace(unfinished, directory / CONFIG_FILE)


def is_decoder(directory: Path) -> bool:
    return (directory / CONFIG_FILE).is_file()


def load_decoder(
    directory: Path, *, model: str, template: str, device: torch.device | str = "cpu"
) -> InstructionDecoder:
    """The decoder, ready to serve.

    Args:
        model, template: fingerprints of what it is to stand on.

    Raises:
        ModelError: a file is missing or damaged, or it was made for another model or template.
    """
    where = f"the instruction decoder {str(directory)!r}"
    config = _config(directory, where)
    if model != config.model:
        raise ModelError(
            f"{where} was trained on the model {config.model!r}, this one is {model!r}; "
            "load the model it was trained on, or tune again"
        )
    if template != config.template:
        raise ModelError(
            f"{where} was trained with the chat template {config.template!r}, this model has {template!r}; "
            "use the model's own template, or tune again"
        )
    decoder = InstructionDecoder(config)
    try:
        weights = load_file(directory / WEIGHTS_FILE)
        decoder.load_state_dict(weights)
    except (OSError, SafetensorError, RuntimeError) as error:
        problem = str(error).strip().splitlines()[0]
        raise ModelError(f"{where} cannot be read: {problem}; copy it again or tune again") from error
    return decoder.to(device).eval()


def _config(directory: Path, where: str) -> DecoderConfig:
    try:
        text = (directory / CONFIG_FILE).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ModelError(f"{where} has no readable {CONFIG_FILE}: {error}") from error
    try:
        config = DecoderConfig.model_validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or CONFIG_FILE
        raise ModelError(f"{where}: {place}: {first['msg']}") from error
    if config.format != FORMAT:
        raise ModelError(f"{where} has format {config.format}, this installation knows {FORMAT}; update it")
    return config
