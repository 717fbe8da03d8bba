"""Cross-entropy of supervised tokens: by example, by conversation, over all; the same for any batch size.

pairs = losses_of(method, examples, batch_tokens=4096)      # (sum of losses, sum of weights) each
summary(by_conversation(examples, pairs))["perplexity"]
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

import torch

from dialog.values import Value
from training.batching import batches
from training.examples import Example
from training.methods.method import Method
from training.ranks import ALONE, Ranks


class Evaluated(Value):
    """Cross-entropy, in nats, of the supervised tokens of one conversation, summed by weight."""

    id: str
    loss: float
    weight: float


def losses_of(
    method: Method, examples: Sequence[Example], *, batch_tokens: int, ranks: Ranks = ALONE
) -> list[tuple[float, float]]:
    """Of each example, the weighted sum of cross-entropy and the sum of weights."""
    losses, weights = [0.0] * len(examples), [0.0] * len(examples)
    lengths = [len(one.ids) for one in examples]
    with evaluating(method), torch.no_grad():
        for group in ranks.share(list(batches(lengths, max_tokens=batch_tokens, seed=0, epoch=0))):
            batch = method.batch([examples[at] for at in group])
            losses_B = (method.losses(batch).tokens_BQ * batch.weights_BQ).double().sum(dim=1)
            weights_B = batch.weights_BQ.double().sum(dim=1)
            for at, loss, weight in zip(group, losses_B.tolist(), weights_B.tolist(), strict=True):
                losses[at], weights[at] = loss, weight
    return list(zip(ranks.sum(losses), ranks.sum(weights), strict=True))


def mean_loss(pairs: Sequence[tuple[float, float]]) -> float:
    """Cross-entropy per supervised token; 0 where there is none."""
    return sum(loss for loss, _ in pairs) / max(sum(weight for _, weight in pairs), 1e-9)


def by_conversation(examples: Sequence[Example], losses: Sequence[tuple[float, float]]) -> list[Evaluated]:
    """Sums of each conversation's examples, which stand one after the other."""
    pairs = zip(examples, losses, strict=True)
    found = []
    for name, grouped in groupby(pairs, key=lambda pair: pair[0].conversation_id):
        sums = [pair[1] for pair in grouped]
        loss, weight = sum(loss for loss, _ in sums), sum(weight for _, weight in sums)
        found.append(Evaluated(id=name, loss=loss, weight=weight))
    return found


def summary(evaluated: Sequence[Evaluated], *, is_likelihood: bool = True) -> dict[str, Any]:
    """Cross-entropy per supervised token and perplexity; None where nothing was held out.

    Args:
        is_likelihood: the losses are cross-entropy; else they are of pairs or opinions,
            and their mean is "loss" alone.
    """
    weight = sum(one.weight for one in evaluated)
    mean = sum(one.loss for one in evaluated) / weight if weight else None
    return {
        "loss": mean,
        "cross_entropy": mean if is_likelihood else None,
        "perplexity": None if mean is None or not is_likelihood else math.exp(min(mean, 700.0)),
        "conversations": len(evaluated),
        "tokens": weight,
    }


@contextlib.contextmanager
def evaluating(method: Method) -> Iterator[None]:
    """Without dropout; training mode is as before afterwards."""
    was_training = method.module.training
    method.module.eval()
    try:
        yield
    finally:
        method.module.train(was_training)
