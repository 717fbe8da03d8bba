"""What makes attention an explanation: a target that stands in the history should be looked up there.

    at = places(ids_BT, targets_BQ, positions_BQ, evidence_BT)
    loss = cross_entropy + 0.5 * evidence_sum(look, at, targets_BQ) / telling(at, targets_BQ).sum()

Without it the decoder learns to write and its attention means little; no
labels are needed, only which tokens of the history equal the target.

Legend: B batch, Q queries, T remembered tokens.
"""

from __future__ import annotations

import torch
from torch import Tensor

from dialog.decoder.module import Look

MOST_PLACES = 3
"""A target that stands in more places than this is a common word: where it came from cannot be told."""
IGNORED = -100


def places(ids_BT: Tensor, targets_BQ: Tensor, positions_BQ: Tensor, evidence_BT: Tensor) -> Tensor:
    """True (B, Q, T) where a target stands in the history that its query sees.

    Args:
        evidence_BT: True for tokens that may be evidence: what was said and what was found, no template.
    """
    tokens_T = torch.arange(ids_BT.shape[1], device=ids_BT.device)
    places_BQT = ids_BT[:, None] == targets_BQ[:, :, None]
    places_BQT &= evidence_BT[:, None] & (tokens_T[None, None] <= positions_BQ[:, :, None])
    return places_BQT


def telling(places_BQT: Tensor, targets_BQ: Tensor) -> Tensor:
    """True (B, Q) for targets of which it can be told where they come from."""
    num_places_BQ = places_BQT.sum(dim=-1)
    return (num_places_BQ >= 1) & (num_places_BQ <= MOST_PLACES) & (targets_BQ != IGNORED)


def evidence_sum(look: Look, places_BQT: Tensor, targets_BQ: Tensor) -> Tensor:
    """Sum over telling targets of -log of the attention, averaged over heads, on their places; a scalar."""
    tells_BQ = telling(places_BQT, targets_BQ)
    found_BQ = (look.attention_BHQT.mean(dim=1) * places_BQT).sum(dim=-1)
    return -found_BQ[tells_BQ].clamp_min(1e-9).log().sum()
