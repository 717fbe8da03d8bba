"""Methods that PEFT has: LoRA (rsLoRA, DoRA, PiSSA), AdaLoRA and prefix tuning.

What is saved is PEFT's own format, and fits the model as it was: PiSSA moves a
part of the weights into the adapter, and is turned back into a LoRA of twice
the rank.

Source: Hu et al. 2021 (LoRA), Kalajdzievski 2023 (rsLoRA), Liu et al. 2024
(DoRA), Meng et al. 2024 (PiSSA), Zhang et al. 2023 (AdaLoRA), Li and Liang 2021
(prefix tuning).
"""

from __future__ import annotations

import json
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import torch
from safetensors.torch import save_file
from torch import Tensor
from transformers import PreTrainedModel

from training.methods.backbone import Backbone
from training.methods.method import Batch, Losses
from training.methods.saving import moved_into

Variant = Literal["rslora", "lora", "dora", "pissa"]
_DEFAULT = "default"
"""PEFT's name of the adapter."""
_PISSA = "pissa_niter_16"
"""A fast singular value decomposition; its random start follows the seed."""


class _PeftMethod(Backbone):
    """A model with a PEFT adapter in it; `name` is how the model is called in the saved configuration."""

    def __init__(self, model: PreTrainedModel, config: Any, *, base_name: str) -> None:
        self.peft = _wrapped(model, config)
        super().__init__(self.peft.get_base_model(), module=self.peft)
        self._base_name = base_name

    def save(self, folder: Path) -> None:
        with moved_into(folder) as unfinished:
            self._write(unfinished)

    def _write(self, folder: Path, **options: Any) -> None:
        with _few_words():
            self.peft.save_pretrained(str(folder), save_embedding_layers=False, **options)
        (folder / "README.md").unlink(missing_ok=True)
        path = folder / "adapter_config.json"
        # Only now: PEFT looks names up on the hub.
        named = json.loads(path.read_text(encoding="utf-8")) | {"base_model_name_or_path": self._base_name}
        path.write_text(json.dumps(named, indent=1) + "\n", encoding="utf-8")


class LoraMethod(_PeftMethod):
    """Low-rank changes of all linear maps but the head."""

    name = "lora"

    def __init__(
        self,
        model: PreTrainedModel,
        *,
        rank: int,
        alpha: float,
        dropout: float,
        variant: Variant,
        base_name: str,
    ) -> None:
        from peft import LoraConfig

        config = LoraConfig(
            task_type="CAUSAL_LM",
            r=rank,
            lora_alpha=alpha,
            lora_dropout=dropout,
            target_modules="all-linear",
            use_rslora=variant in ("rslora", "dora"),
            use_dora=variant == "dora",
            init_lora_weights=_PISSA if variant == "pissa" else True,
        )
        super().__init__(model, config, base_name=base_name)
        self._at_first = self._tensors() if variant == "pissa" else None

    def _tensors(self) -> dict[str, Tensor]:
        from peft import get_peft_model_state_dict

        tensors = get_peft_model_state_dict(self.peft, save_embedding_layers=False)
        return {name: one.detach().clone() for name, one in tensors.items()}

    def save(self, folder: Path) -> None:
        with moved_into(folder) as unfinished, tempfile.TemporaryDirectory() as scratch:
            if self._at_first is None:
                self._write(unfinished)
            else:
                save_file(self._at_first, Path(scratch) / "adapter_model.safetensors")
                self._write(unfinished, path_initial_model_for_weight_conversion=scratch)


class AdaLoraMethod(_PeftMethod):
    """LoRA whose ranks move to where they matter, from one and a half times `rank` down to it on average.

    Args:
        num_steps: of the whole run: the first tenth trains all ranks, the last third the chosen ones.
    """

    name = "adalora"

    def __init__(
        self,
        model: PreTrainedModel,
        *,
        rank: int,
        alpha: float,
        dropout: float,
        num_steps: int,
        base_name: str,
    ) -> None:
        from peft import AdaLoraConfig

        config = AdaLoraConfig(
            task_type="CAUSAL_LM",
            init_r=rank + (rank + 1) // 2,
            target_r=rank,
            lora_alpha=alpha,
            lora_dropout=dropout,
            target_modules="all-linear",
            total_step=num_steps,
            tinit=num_steps // 10,
            tfinal=num_steps // 3,
            deltaT=max(1, num_steps // 50),
        )
        super().__init__(model, config, base_name=base_name)
        self._matrices = [
            (one, "lora_A" in name)
            for name, one in self.peft.named_parameters()
            if "lora_A" in name or "lora_B" in name
        ]

    @property
    def besides(self) -> tuple[tuple[str, float], ...]:
        return (*super().besides, ("orthogonality", 0.5))

    def batch(self, examples: Any) -> Batch:
        batch = super().batch(examples)
        return replace(batch, num_besides=(*batch.num_besides, 1.0))

    def losses(self, batch: Batch) -> Losses:
        losses = super().losses(batch)
        return Losses(losses.tokens_BQ, (*losses.besides, self._orthogonality()))

    def after_step(self, step: int) -> None:
        self.peft.base_model.update_and_allocate(step)

    def ranks(self) -> dict[str, int]:
        """What is left of each map's rank."""
        return {name: int((one != 0).sum()) for name, one in self.peft.named_parameters() if "lora_E" in name}

    def state(self) -> dict[str, Tensor]:
        """The running importance of every rank, and the ranks once they are chosen."""
        allocator = self._allocator
        kept = {
            f"{part}|{name}": one
            for part in ("ipt", "exp_avg_ipt", "exp_avg_unc")
            for name, one in getattr(allocator, part).items()
        }
        pattern = self.peft.peft_config[_DEFAULT].rank_pattern or {}
        return kept | {f"rank_pattern|{name}": torch.tensor(mask) for name, mask in pattern.items()}

    def restore(self, state: dict[str, Tensor]) -> None:
        pattern: dict[str, list[bool]] = {}
        for key, one in state.items():
            part, _, name = key.partition("|")
            if part == "rank_pattern":
                pattern[name] = one.tolist()
            else:
                getattr(self._allocator, part)[name] = one
        self.peft.peft_config[_DEFAULT].rank_pattern = pattern or None

    @property
    def _allocator(self) -> Any:
        return self.peft.base_model.rankallocator

    def _orthogonality(self) -> Tensor:
        """How far the directions are from being orthogonal, a mean over all matrices."""
        total = torch.zeros((), device=self.causal.device)
        for matrix, is_wide in self._matrices:
            product = matrix @ matrix.T if is_wide else matrix.T @ matrix
            total = total + torch.linalg.matrix_norm(product - torch.eye(len(product), device=product.device))
        return total / len(self._matrices)


class PrefixMethod(_PeftMethod):
    """Keys and values of `rank` tokens that are never said, before every example."""

    name = "prefix"

    def __init__(self, model: PreTrainedModel, *, rank: int, base_name: str) -> None:
        from peft import PrefixTuningConfig

        config = PrefixTuningConfig(task_type="CAUSAL_LM", num_virtual_tokens=rank)
        super().__init__(model, config, base_name=base_name)
        self._rank = rank
        self._is_off = False

    def hidden(self, batch: Batch) -> Tensor:
        if self._is_off:
            return super().hidden(batch)
        size = len(batch.ids_BT)
        prefix_BP = batch.visible_BT.new_ones(size, self._rank)
        return self.read(
            batch.ids_BT,
            attention_mask=torch.cat([prefix_BP, batch.visible_BT], dim=1).long(),
            past_key_values=self.peft.get_prompt(size),
        )

    def as_base(self) -> AbstractContextManager[None]:
        """Without the prefix: it begins at random."""
        return self._off()

    @contextmanager
    def _off(self) -> Iterator[None]:
        self._is_off = True
        try:
            yield
        finally:
            self._is_off = False


def _wrapped(model: PreTrainedModel, config: Any) -> Any:
    from peft import get_peft_model

    with _few_words():
        return get_peft_model(model.requires_grad_(False), config)


@contextmanager
def _few_words() -> Iterator[None]:
    """PEFT asks transformers by names that are about to go, and advises about choices we made."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
