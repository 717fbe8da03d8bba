"""The processes of a run: one, or those that `accelerate launch` has started.

    ranks = open_ranks(device)
    mine = ranks.share([[0, 1, 2], [3]])       # of each batch, the examples this process reads
    ranks.sum_gradients(parameters)            # afterwards all have those of all examples

A step is the same whatever their number: its batches are dealt out, losses are
divided by the supervised tokens of all, and gradients are added. Every process
holds all of the model.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import distributed, nn

from dialog.errors import ConfigError, MissingExtra


@dataclass(frozen=True)
class Ranks:
    """This process among `count`; alone, nothing is exchanged."""

    number: int = 0
    count: int = 1
    device: torch.device = torch.device("cpu")  # noqa: RUF009  # immutable

    @property
    def is_first(self) -> bool:
        """True for the process that writes and talks."""
        return self.number == 0

    def share(self, batches: Sequence[Sequence[int]]) -> list[list[int]]:
        """What this process reads: every example is read by one of them, and long ones are spread, too."""
        dealt = [
            list(batch[(self.number - at) % self.count :: self.count]) for at, batch in enumerate(batches)
        ]
        return [batch for batch in dealt if batch]

    def sum(self, values: Sequence[float]) -> list[float]:
        """Each value added over all processes, in float64."""
        if self.count == 1:
            return list(values)
        added = torch.tensor(list(values), dtype=torch.float64, device=self.device)
        distributed.all_reduce(added)
        found: list[float] = added.tolist()
        return found

    def sum_gradients(self, parameters: Iterable[nn.Parameter]) -> None:
        """Add gradients; a process that had nothing to read gives zeros."""
        if self.count == 1:
            return
        found = list(parameters)
        for one in found:
            if one.grad is None:
                one.grad = torch.zeros_like(one)
        flat = torch.cat([one.grad.flatten().float() for one in found if one.grad is not None])
        distributed.all_reduce(flat)
        for one, added in zip(found, torch.split(flat, [one.numel() for one in found]), strict=True):
            one.grad = added.view_as(one).to(one.dtype)

    def agree(self, wish: bool) -> bool:
        """True on all as soon as one of them wishes it."""
        return self.sum([float(wish)])[0] > 0

    def wait(self) -> None:
        """Until all are here."""
        if self.count > 1:
            distributed.barrier()

    def leave(self) -> None:
        """Nothing is exchanged any more."""
        if self.count > 1:
            distributed.destroy_process_group()


ALONE = Ranks()


def open_ranks(device: torch.device) -> Ranks:
    """The processes there are, joined; alone where none were launched.

    Args:
        device: where the model is to be; on a CPU they are joined by gloo, on GPUs each takes its own.

    Raises:
        ConfigError: they were launched to share one model, or to compute in a way that is not ours.
        MissingExtra: several were launched and accelerate is not installed.
    """
    _check_launch()
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        return ALONE
    try:
        from accelerate import PartialState
    except ImportError:
        raise MissingExtra("train", needed_for="tuning in several processes") from None
    state = PartialState(cpu=device.type == "cpu")
    return Ranks(state.process_index, state.num_processes, state.device)


def _check_launch() -> None:
    """Nothing the launcher was told is ignored in silence."""
    for name in ("FSDP", "DEEPSPEED", "MEGATRON_LM", "PARALLELISM_CONFIG"):
        if os.environ.get(f"ACCELERATE_USE_{name}", "false").lower() in ("true", "1"):
            raise ConfigError(
                f"launched with {name}, but every process of a tuning holds all of the model; launch with "
                "--multi_gpu, and if the model is too large for one GPU use --method decoder or lora in bf16"
            )
    precision = os.environ.get("ACCELERATE_MIXED_PRECISION", "no")
    if precision not in ("no", "bf16"):
        raise ConfigError(
            f"launched with {precision}, which tuning does not know; set training.precision = bf16"
        )
