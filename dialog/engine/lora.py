"""A LoRA as PEFT saves it, as low-rank terms beside the lean engine's fused maps. Imports no peft.

adapter = read_lora(Path("tuned"), architecture, device=torch.device("cpu"))

Everything in the folder must find its place: what is left over would not be
computed. DoRA and AdaLoRA are no plain low-rank terms; they, and whatever else
PEFT knows, can be merged when the model is loaded (`model.adapter`).

Source: Hu et al. 2021; the scale is alpha / r, rsLoRA's alpha / sqrt(r)
(Kalajdzievski 2023). Shapes: I inputs, O outputs, N ranks.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

import torch
from pydantic import ConfigDict, Field, ValidationError
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from dialog.engine.adapters import adapter_files, is_bottleneck
from dialog.engine.lean.architecture import Architecture
from dialog.engine.lean.lowrank import Adapter, LowRank, MapName
from dialog.engine.lean.rope import paired
from dialog.errors import ModelError
from dialog.values import Value

_PREFIX = "base_model.model."
_PARTS: dict[MapName, tuple[str, ...]] = {
    "qkv": ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"),
    "out": ("self_attn.o_proj",),
    "gate_up": ("mlp.gate_proj", "mlp.up_proj"),
    "down": ("mlp.down_proj",),
}
_PAIRED = ("self_attn.q_proj", "self_attn.k_proj")
"""Their outputs lie otherwise in our maps, see `lean.rope`."""


class _LoraConfig(Value):
    """What of `adapter_config.json` says how the tensors are to be used."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    peft_type: str
    r: int = Field(ge=1)
    lora_alpha: float
    use_rslora: bool = False
    use_dora: bool = False
    rank_pattern: dict[str, int] = Field(default_factory=dict)
    alpha_pattern: dict[str, float] = Field(default_factory=dict)

    @property
    def kind(self) -> str:
        return "DoRA" if self.use_dora else self.peft_type

    @property
    def is_even(self) -> bool:
        """One rank and one alpha for all maps."""
        return not self.rank_pattern and not self.alpha_pattern

    @property
    def scale(self) -> float:
        return self.lora_alpha / (math.sqrt(self.r) if self.use_rslora else self.r)


def read_lora(directory: Path, architecture: Architecture, *, device: torch.device) -> Adapter:
    """The adapter of a folder.

    Raises:
        ModelError: a file is missing, pickled or damaged; it is no plain LoRA; or it is another model's.
    """
    where = f"the adapter {str(directory)!r}"
    if is_bottleneck(directory):
        raise ModelError(f"{where} is made of bottlenecks, which no conversation can choose; {_REMEDY}")
    config_file, weights_file = adapter_files(directory)
    try:
        config = _LoraConfig.model_validate_json(config_file.read_text(encoding="utf-8"))
        tensors = load_file(weights_file)
    except (OSError, UnicodeDecodeError, ValidationError, SafetensorError) as error:
        raise ModelError(f"{where} cannot be read: {str(error).strip().splitlines()[0]}") from error
    if config.kind != "LORA" or not config.is_even:
        kind = config.kind if config.kind != "LORA" else "a LoRA of several ranks"
        raise ModelError(f"{where} is {kind}, which no conversation can choose; {_REMEDY}")
    return _Reading(architecture, tensors, scale=config.scale, device=device, where=where).adapter()


_REMEDY = "set model.adapter to merge it when the model is loaded"


class _Reading:
    """Takes tensors out of an adapter and notes which."""

    def __init__(
        self,
        architecture: Architecture,
        tensors: Mapping[str, Tensor],
        *,
        scale: float,
        device: torch.device,
        where: str,
    ) -> None:
        self.architecture = architecture
        self.tensors = tensors
        self.scale = scale
        self.device = device
        self.where = where
        self.taken: set[str] = set()

    def adapter(self) -> Adapter:
        layers = [self.layer(f"model.layers.{index}.") for index in range(self.architecture.num_layers)]
        left = sorted(set(self.tensors) - self.taken)
        if left:
            raise ModelError(
                f"{self.where} changes {left[0]!r} and {len(left) - 1} more that it cannot change for one "
                f"conversation, or is for another model; {_REMEDY}"
            )
        return Adapter(layers)

    def layer(self, prefix: str) -> dict[MapName, LowRank]:
        maps: dict[MapName, LowRank] = {}
        for name, parts in _PARTS.items():
            sizes = {part: self.outputs(part) for part in parts}
            found = {part: self.take(f"{_PREFIX}{prefix}{part}") for part in parts}
            if any(found.values()):
                maps[name] = self.joined(sizes, found)
        return maps

    def joined(self, sizes: Mapping[str, int], found: Mapping[str, tuple[Tensor, Tensor] | None]) -> LowRank:
        """The parts' ranks side by side, each leading to its own part of the fused outputs."""
        present = {part: pair for part, pair in found.items() if pair is not None}
        for part, (down_NI, up_ON) in present.items():
            if (up_ON.shape[0], down_NI.shape[1]) != (sizes[part], self.inputs(part)):
                raise ModelError(f"{self.where} does not fit this model: {part!r} has another size there")
        ups_ON = {
            part: paired(up_ON, head_dim=self.architecture.head_dim) if part in _PAIRED else up_ON
            for part, (_, up_ON) in present.items()
        }
        blocks = [ups_ON.get(part, torch.zeros(size, 0)) for part, size in sizes.items()]
        down_NI = torch.cat([down_NI for down_NI, _ in present.values()])
        fused_ON: Tensor = torch.block_diag(*blocks) * self.scale  # type: ignore[no-untyped-call]  # torch's
        return LowRank(
            down_NI.T.contiguous().to(self.device),
            fused_ON.T.contiguous().to(self.device),
        )

    def take(self, name: str) -> tuple[Tensor, Tensor] | None:
        """Down (N, I) and up (O, N) of one map; None where the adapter leaves it alone."""
        names = (f"{name}.lora_A.weight", f"{name}.lora_B.weight")
        if not all(one in self.tensors for one in names):
            return None
        self.taken.update(names)
        return self.tensors[names[0]].float(), self.tensors[names[1]].float()

    def inputs(self, part: str) -> int:
        sizes = self.architecture
        match part:
            case "self_attn.o_proj":
                return sizes.num_heads * sizes.head_dim
            case "mlp.down_proj":
                return sizes.intermediate_size
            case _:
                return sizes.hidden_size

    def outputs(self, part: str) -> int:
        sizes = self.architecture
        match part:
            case "self_attn.q_proj":
                return sizes.num_heads * sizes.head_dim
            case "self_attn.k_proj" | "self_attn.v_proj":
                return sizes.num_kv_heads * sizes.head_dim
            case "mlp.gate_proj" | "mlp.up_proj":
                return sizes.intermediate_size
            case _:
                return sizes.hidden_size
