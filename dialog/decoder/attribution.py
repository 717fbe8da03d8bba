"""From exact contributions to what a person reads: the share of each segment in a reply.

    shares = segment_shares(contributions_QT, weights_Q, segments)

A token's contributions are weighted by how far the decoder moved the model's
prediction there (KL divergence): a word the model would have said anyway says
nothing about where the reply came from.

Legend: Q reply tokens, T prompt tokens, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from dialog.values import Segment


def token_weights(logits_QV: Tensor, base_QV: Tensor) -> Tensor:
    """KL(with decoder || without), a weight of each reply token; at least 0."""
    with_Q = logits_QV.float().log_softmax(dim=-1)
    without_Q = base_QV.float().log_softmax(dim=-1)
    return (with_Q.exp() * (with_Q - without_Q)).sum(dim=-1).clamp_min(0.0)


def segment_shares(contributions_QT: Tensor, weights_Q: Tensor, segments: Sequence[Segment]) -> list[float]:
    """Share of what spoke for the reply, a segment; each in [0, 1], together 1, or all 0 if nothing did.

    What a segment adds to a token is summed over the segment first, and counts
    where it speaks for the token.

    Raises:
        ValueError: a segment ends beyond the prompt.
    """
    num_tokens = contributions_QT.shape[1]
    for segment in segments:
        if segment.end > num_tokens:
            raise ValueError(
                f"segment {segment.ref!r} ends at {segment.end}, the prompt has {num_tokens} tokens"
            )
    sums = [contributions_QT[:, one.start : one.end].sum(dim=1).clamp_min(0.0) for one in segments]
    if not sums:
        return []
    spoke_S = (torch.stack(sums) * weights_Q).sum(dim=1)
    total = float(spoke_S.sum())
    return [float(share) / total if total > 0 else 0.0 for share in spoke_S]
