"""The files of an adapter's folder: PEFT's, which are merged into the weights, or our bottlenecks'.

for path in adapter_files(Path("tuned")): ...
"""

from __future__ import annotations

from pathlib import Path

from dialog.errors import ModelError

BOTTLENECK_FILES = ("bottleneck_config.json", "bottleneck.safetensors")
_PEFT_FILES = ("adapter_config.json", "adapter_model.safetensors")


def is_bottleneck(directory: Path) -> bool:
    return (directory / BOTTLENECK_FILES[0]).is_file()


def adapter_files(directory: Path) -> tuple[Path, Path]:
    """Configuration and weights. Raises ModelError where there are none, or only ones that could run code."""
    names = BOTTLENECK_FILES if is_bottleneck(directory) else _PEFT_FILES
    config, weights = directory / names[0], directory / names[1]
    if not config.is_file():
        raise ModelError(f"{str(directory)!r} is no adapter: it has no adapter_config.json")
    if not weights.is_file():
        raise ModelError(f"{str(directory)!r} has no {weights.name}; pickled adapters are refused")
    return config, weights
