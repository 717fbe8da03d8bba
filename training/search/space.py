"""What is searched, by method: the settings that matter most, and where to look.

space = space_of("lora", decoder_rank=192)
space["lr"].low, space["lr"].high
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution

from dialog.errors import ConfigError
from dialog.settings import TrainingSection
from training.methods.opening import SUITED

Space = Mapping[str, BaseDistribution]


def space_of(method: str, *, decoder_rank: int) -> Space:
    """Settings of `[training]` and their ranges.

    Args:
        decoder_rank: what suits a decoder on this model; half and twice of it are tried, too.

    Raises:
        ConfigError: the method is not searched.
    """
    match method:
        case "decoder":
            return {
                "lr": FloatDistribution(1e-4, 1e-2, log=True),
                "rank": CategoricalDistribution((decoder_rank // 2, decoder_rank, 2 * decoder_rank)),
                "epochs": IntDistribution(2, 16),
                "evidence": FloatDistribution(0.0, 1.0),
                "anchor": FloatDistribution(0.0, 2.0),
            }
        case "lora":
            return {
                "lr": FloatDistribution(5e-5, 5e-3, log=True),
                "rank": CategoricalDistribution((4, 8, 16, 32, 64)),
                "epochs": IntDistribution(1, 6),
            }
        case _:
            raise ConfigError(f"--method decoder and --method lora are searched, not {method}")


def first_of(section: TrainingSection, *, decoder_rank: int) -> dict[str, Any]:
    """What suits the method: tried first, so a search ends no worse than it."""
    suited = SUITED[section.method]
    found: dict[str, Any] = {"lr": suited.lr, "rank": suited.rank or decoder_rank, "epochs": suited.epochs}
    if section.method == "decoder":
        usual = TrainingSection()
        found |= {"evidence": usual.evidence, "anchor": usual.anchor}
    return found
