"""What makes attention an explanation: a target that stands in the history should be looked up there.

    loss = cross_entropy + 0.5 * evidence_loss(look, memory, targets_BQ, evidence_BT)

Without it the decoder learns to write and its attention means little; no
labels are needed, only which tokens of the history equal the target.

Legend: B batch, Q queries, T remembered tokens.
"""

from __future__ import annotations

import torch
from torch import Tensor

from dialog.decoder.memory import Memory
from dialog.decoder.module import Look

MOST_PLACES = 3
"""A target that stands in more places than this is a common word: where it came from cannot be told."""
IGNORED = -100


def evidence_loss(
    look: Look, memory: Memory, targets_BQ: Tensor, positions_BQ: Tensor, evidence_BT: Tensor
) -> Tensor:
    """Mean of -log of the attention, averaged over heads, that lies on the target's places in the history.

    Args:
        targets_BQ: token ids, `IGNORED` where there is none.
        evidence_BT: True for tokens that may be evidence: what was said and what was found, no template.

    Returns:
        A scalar; 0 where no target has between one and `MOST_PLACES` places.
    """
    tokens_T = torch.arange(memory.num_tokens, device=targets_BQ.device)
    places_BQT = memory.ids_BT[:, None] == targets_BQ[:, :, None]
    places_BQT &= evidence_BT[:, None] & (tokens_T[None, None] <= positions_BQ[:, :, None])
    num_places_BQ = places_BQT.sum(dim=-1)
    tells_BQ = (num_places_BQ >= 1) & (num_places_BQ <= MOST_PLACES) & (targets_BQ != IGNORED)
    if not bool(tells_BQ.any()):
        return look.attention_BHQT.sum() * 0.0
    attention_BQT = look.attention_BHQT.mean(dim=1)
    found_BQ = (attention_BQT * places_BQT).sum(dim=-1)
    return -found_BQ[tells_BQ].clamp_min(1e-9).log().mean()
