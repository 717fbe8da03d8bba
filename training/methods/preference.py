"""A LoRA that learns from what people thought of replies: DPO from rewordings, KTO from ratings.

    dpo_losses(logps_B, rejected_B, beta=0.1)             # both relative to the model as it was
    kto_losses(logps_B, is_good_B, divergence=kl, beta=0.1)

The model as it was is the same model with the LoRA off; what it says of a reply
is computed once and remembered. A batch is made of `Pair`s or of `Opinion`s
(`training.preferences`); each counts once in the loss, by its weight.

Source: Rafailov et al. 2023, "Direct Preference Optimization", equation 7;
Ethayarajh et al. 2024, "KTO", equation 8, where the reference point is the mean
over the batch of how far replies to other prompts have moved, at least 0.

Legend: B pairs or opinions, R replies read for them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812
from transformers import PreTrainedModel

from dialog.errors import ConfigError
from dialog.settings import TrainingSection
from training.evaluation import evaluating
from training.examples import Example
from training.methods.method import Batch, Losses, padded
from training.methods.peft_methods import LoraMethod

Objective = Literal["dpo", "kto"]
FEEDBACK_RATE = 0.1
"""Of LoRA's usual rate, which parts two replies by tens of nats within three steps."""


@dataclass(frozen=True)
class Pair(Example):
    """A reply somebody worded better: this one, and the one that was `rejected`, behind the same prompt."""

    rejected: Example


@dataclass(frozen=True)
class Opinion(Example):
    """A reply that was liked or not, and another's reply behind the same prompt (`mismatched`).

    `weight` makes the liked ones and the disliked ones count the same.
    """

    is_good: bool
    weight: float
    mismatched: Example


@dataclass(frozen=True)
class Score:
    """Log-probability of a reply, in nats, by the model as it was and as it is; `num_tokens` it has."""

    before: float
    after: float
    num_tokens: int


def dpo_losses(moved_B: Tensor, rejected_B: Tensor, *, beta: float) -> Tensor:
    """The loss of each pair: ln 2 where neither reply has moved.

    Args:
        moved_B, rejected_B: by how many nats the wanted and the rejected reply became likelier.
    """
    return -F.logsigmoid(beta * (moved_B - rejected_B))


def kto_losses(moved_B: Tensor, is_good_B: Tensor, *, divergence: Tensor, beta: float) -> Tensor:
    """The loss of each reply, in (0, 1): a half where nothing has moved.

    Args:
        moved_B: by how many nats the reply became likelier.
        divergence: the same of replies to other prompts, a mean, at least 0; no gradient goes there.
    """
    beyond_B = moved_B - divergence.detach()
    return torch.sigmoid(-beta * torch.where(is_good_B, beyond_B, -beyond_B))


class PreferenceMethod(LoraMethod):
    """See the module; `options` are those of `LoraMethod`."""

    def __init__(self, model: PreTrainedModel, *, objective: Objective, beta: float, **options: Any) -> None:
        super().__init__(model, **options)
        self._objective = objective
        self._beta = beta
        self._reference: dict[tuple[tuple[int, ...], tuple[int, ...]], float] = {}

    def batch(self, examples: Sequence[Example]) -> Batch:
        """B rows to count, R rows to read: first those of `examples`, then what they are compared with."""
        compared = [one.rejected if isinstance(one, Pair) else _opinion(one).mismatched for one in examples]
        read = padded([*examples, *compared], device=self.causal.device)
        weights = [one.weight if isinstance(one, Opinion) else 1.0 for one in examples]
        weights_B1 = torch.tensor(weights, device=self.causal.device)[:, None]
        reference_R = torch.tensor(self._referred([*examples, *compared]), device=self.causal.device)
        is_good_B = torch.tensor([not isinstance(one, Opinion) or one.is_good for one in examples])
        return replace(
            read, weights_BQ=weights_B1, inputs=(read, reference_R, is_good_B.to(self.causal.device))
        )

    def losses(self, batch: Batch) -> Losses:
        """The loss of each pair or opinion, (B, 1)."""
        read, reference_R, is_good_B = batch.inputs
        moved_B, compared_B = (self._logps(read) - reference_R).chunk(2)
        if self._objective == "dpo":
            losses_B = dpo_losses(moved_B, compared_B, beta=self._beta)
        else:
            divergence = compared_B.detach().mean().clamp_min(0)
            losses_B = kto_losses(moved_B, is_good_B, divergence=divergence, beta=self._beta)
        return Losses(losses_B[:, None])

    @torch.no_grad()
    def scores(self, examples: Sequence[Example]) -> list[Score]:
        """What the replies of `examples` are worth to the model, one read at a time."""
        befores = self._referred(examples)
        with evaluating(self):
            afters = [float(self._logps(padded([one], device=self.causal.device))[0]) for one in examples]
        return [
            Score(before, after, one.num_supervised)
            for one, before, after in zip(examples, befores, afters, strict=True)
        ]

    def _logps(self, read: Batch) -> Tensor:
        """Log-probability of each row's reply."""
        return -self.read_losses(read).sum(dim=1)

    def _referred(self, examples: Sequence[Example]) -> list[float]:
        """The same by the model as it was; remembered."""
        missing = {_key(one): one for one in examples if _key(one) not in self._reference}
        if missing:
            with evaluating(self), self.peft.disable_adapter(), torch.no_grad():
                found = self._logps(padded(list(missing.values()), device=self.causal.device)).tolist()
            self._reference.update(zip(missing, found, strict=True))
        return [self._reference[_key(one)] for one in examples]


def check_feedback(section: TrainingSection) -> None:
    """Raises ConfigError where there is no model as it was beside the LoRA, or the loss is another."""
    is_plain = section.teacher is None and not (section.neftune or section.adversarial or section.denoise)
    if section.objective != "likelihood" and (
        section.method != "lora" or section.lora == "pissa" or not is_plain
    ):
        raise ConfigError(
            f'training.objective = "{section.objective}" is for --method lora (rslora, lora or dora) without '
            "teacher, neftune, adversarial and denoise"
        )


def _key(example: Example) -> tuple[tuple[int, ...], tuple[int, ...]]:
    return example.ids, example.boundaries


def _opinion(example: Example) -> Opinion:
    assert isinstance(example, Opinion)
    return example
