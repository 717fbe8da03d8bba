"""How the next token is chosen: small pure transforms of logits, and a sampler over them.

Shapes: B sequences, T tokens so far, V vocabulary. Every transform takes
`(ids_BT, logits_BV)` and returns new float32 logits_BV; -inf excludes a token.
They equal transformers' processors of the same names, in the same order.

    for transform in logits_transforms(Sampling(temperature=0.7, top_p=0.9)):
        logits_BV = transform(ids_BT, logits_BV)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from dialog.values import Sampling

Transform = Callable[[Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class RepetitionPenalty:
    """Makes tokens of the prompt and the reply so far less likely (more likely below 1).

    Source: CTRL, arXiv 1909.05858, section 4.1; negative logits are multiplied, positive divided.
    """

    penalty: float

    def __call__(self, ids_BT: Tensor, logits_BV: Tensor) -> Tensor:
        seen_BT = torch.gather(logits_BV, 1, ids_BT)
        penalised_BT = torch.where(seen_BT < 0, seen_BT * self.penalty, seen_BT / self.penalty)
        return logits_BV.scatter(1, ids_BT, penalised_BT)


@dataclass(frozen=True)
class Temperature:
    """Divides the logits; below 1 sharpens, above 1 flattens. Must be above 0."""

    temperature: float

    def __call__(self, ids_BT: Tensor, logits_BV: Tensor) -> Tensor:
        return logits_BV / self.temperature


@dataclass(frozen=True)
class TopK:
    """Keeps the k likeliest tokens, and those as likely as the last of them."""

    k: int

    def __call__(self, ids_BT: Tensor, logits_BV: Tensor) -> Tensor:
        k = min(self.k, logits_BV.shape[-1])
        least_B1 = torch.topk(logits_BV, k).values[:, -1:]
        return logits_BV.masked_fill(logits_BV < least_B1, -torch.inf)


@dataclass(frozen=True)
class TopP:
    """Keeps the smallest set of likeliest tokens whose probability reaches p; at least one.

    Source: nucleus sampling, arXiv 1904.09751, section 3.1.
    """

    p: float

    def __call__(self, ids_BT: Tensor, logits_BV: Tensor) -> Tensor:
        ascending_BV, order_BV = torch.sort(logits_BV)
        mass_BV = ascending_BV.softmax(-1).cumsum(-1)
        removed_BV = mass_BV <= 1 - self.p
        removed_BV[:, -1] = False
        return logits_BV.masked_fill(removed_BV.scatter(1, order_BV, removed_BV), -torch.inf)


@dataclass(frozen=True)
class MinP:
    """Removes tokens less likely than `p` times the likeliest.

    Source: arXiv 2407.01082, section 3.
    """

    p: float

    def __call__(self, ids_BT: Tensor, logits_BV: Tensor) -> Tensor:
        probabilities_BV = logits_BV.softmax(-1)
        least_B1 = self.p * probabilities_BV.amax(-1, keepdim=True)
        return logits_BV.masked_fill(probabilities_BV < least_B1, -torch.inf)


def logits_transforms(sampling: Sampling) -> tuple[Transform, ...]:
    """The transforms these settings need, in order; those that would change nothing are left out.

    Temperature 0 is greedy: only the repetition penalty can change its choice.
    """
    chosen: list[Transform] = []
    if sampling.repetition_penalty != 1.0:
        chosen.append(RepetitionPenalty(sampling.repetition_penalty))
    if sampling.temperature == 0.0:
        return tuple(chosen)
    if sampling.temperature != 1.0:
        chosen.append(Temperature(sampling.temperature))
    if sampling.top_k:
        chosen.append(TopK(sampling.top_k))
    if sampling.top_p < 1.0:
        chosen.append(TopP(sampling.top_p))
    if sampling.min_p > 0.0:
        chosen.append(MinP(sampling.min_p))
    return tuple(chosen)


class Sampler:
    """Chooses token after token of one reply; equal seeds choose equally on every device."""

    def __init__(self, sampling: Sampling) -> None:
        self._transforms = logits_transforms(sampling)
        self._is_greedy = sampling.temperature == 0.0
        # Drawn on the CPU whatever the device, so that a seed means the same everywhere.
        self._generator = torch.Generator()
        if sampling.seed is None:
            self._generator.seed()
        else:
            self._generator.manual_seed(sampling.seed)

    def choose(self, ids_BT: Tensor, logits_BV: Tensor) -> int:
        """The next id of the one sequence in the batch (B is 1)."""
        for transform in self._transforms:
            logits_BV = transform(ids_BT, logits_BV)
        if self._is_greedy:
            return int(logits_BV.argmax(-1))
        probabilities_BV = logits_BV.softmax(-1).cpu()
        return int(torch.multinomial(probabilities_BV, 1, generator=self._generator))
