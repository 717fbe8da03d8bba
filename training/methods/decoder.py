"""Training the instruction decoder on features of the frozen model.

Only the decoder has gradients; the model's head is read, never changed. The
loss is cross-entropy per supervised token, the evidence loss that makes
attention an explanation (`dialog.decoder.loss`), and the anchor: on some of the
positions where nothing is to be learned the decoder should say what the model
says (KL), so that it moves other text less than the agent's replies.

    method = DecoderMethod(decoder, cache, head_VD=model.get_output_embeddings().weight)
    run = Run(method, RunOptions(lr=2e-3))

Legend: B examples, T tokens, Q supervised positions, S anchors, K taps, D hidden size, V vocabulary,
N positions of all examples.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from dialog.decoder.config import kind_rows
from dialog.decoder.files import save_decoder
from dialog.decoder.loss import evidence_sum, places, telling
from dialog.decoder.memory import Memory
from dialog.decoder.module import InstructionDecoder, Look
from training.examples import Example
from training.features import FeatureCache
from training.methods.head_loss import Copies, cross_entropies, divergences
from training.methods.method import IGNORED, Batch, Losses, padded, rows

ANCHORED = 0.25
"""Anchors for each supervised token: each costs as much as one."""
_NO_EVIDENCE = kind_rows(["template"])[0]


@dataclass(frozen=True)
class _Inputs:
    taps_BTKD: Tensor
    kinds_BT: Tensor
    places_BQT: Tensor
    """Where each target stands in the history before it."""
    anchors_BS: Tensor
    """Positions where nothing is trained, drawn anew for each batch; -1 where there are fewer than S."""


class DecoderMethod:
    """See the module. `evidence` and `anchor` are the weights of those terms of the loss."""

    name = "decoder"

    def __init__(
        self,
        decoder: InstructionDecoder,
        cache: FeatureCache,
        *,
        head_VD: Tensor,
        evidence: float = 0.5,
        anchor: float = 0.5,
    ) -> None:
        self.module = decoder
        self.besides = (("evidence", evidence), ("anchor", anchor))
        self.cache = cache
        self.head_VD = head_VD.detach()

    def batch(self, examples: Sequence[Example]) -> Batch:
        device = self.head_VD.device
        plain = padded(examples, device=device)
        taps = [self.cache.taps(one) for one in examples]
        kinds_BT = rows([_kinds(one) for one in examples], 0, torch.long, device)
        places_BQT = places(
            plain.ids_BT,
            plain.targets_BQ,
            plain.positions_BQ,
            plain.visible_BT & (kinds_BT != _NO_EVIDENCE),
        )
        anchors_BS = _anchors(plain)
        inputs = _Inputs(
            taps_BTKD=torch.nn.utils.rnn.pad_sequence(taps, batch_first=True).to(device),
            kinds_BT=kinds_BT,
            places_BQT=places_BQT,
            anchors_BS=anchors_BS,
        )
        num_telling = float(telling(places_BQT, plain.targets_BQ).sum())
        return Batch(
            ids_BT=plain.ids_BT,
            visible_BT=plain.visible_BT,
            positions_BQ=plain.positions_BQ,
            targets_BQ=plain.targets_BQ,
            weights_BQ=plain.weights_BQ,
            num_besides=(num_telling, float((anchors_BS >= 0).sum())),
            inputs=inputs,
        )

    def losses(self, batch: Batch) -> Losses:
        inputs: _Inputs = batch.inputs
        memory = self.module.read(inputs.taps_BTKD, batch.ids_BT, inputs.kinds_BT)
        is_target_BQ = batch.targets_BQ != IGNORED
        look, hidden_ND, copies = self._at(batch, memory, batch.positions_BQ, is_target_BQ)
        losses_N = cross_entropies(hidden_ND, batch.targets_BQ[is_target_BQ], self.head_VD, copies=copies)
        losses_BQ = torch.zeros_like(batch.weights_BQ).masked_scatter(is_target_BQ, losses_N)
        evidence = evidence_sum(look, inputs.places_BQT, batch.targets_BQ)
        return Losses(losses_BQ, (evidence, self._anchor_sum(batch, memory)))

    @torch.no_grad()
    def said(self, batch: Batch) -> tuple[Tensor, Copies]:
        """What the head is given at each supervised position, in order, and what is copied: for a student."""
        inputs: _Inputs = batch.inputs
        memory = self.module.read(inputs.taps_BTKD, batch.ids_BT, inputs.kinds_BT)
        _, hidden_ND, copies = self._at(batch, memory, batch.positions_BQ, batch.targets_BQ != IGNORED)
        return hidden_ND, copies

    def _anchor_sum(self, batch: Batch, memory: Memory) -> Tensor:
        """How far the decoder moves what the model says where nothing is trained; of use in training only."""
        inputs: _Inputs = batch.inputs
        is_anchor_BS = inputs.anchors_BS >= 0
        is_wanted = self.module.training and dict(self.besides)["anchor"] > 0
        if not is_wanted or not is_anchor_BS.any():
            return self.head_VD.new_zeros((), dtype=torch.float32)
        positions_BS = inputs.anchors_BS.clamp_min(0)
        _, hidden_ND, copies = self._at(batch, memory, positions_BS, is_anchor_BS)
        base_ND = inputs.taps_BTKD[_rows(batch), positions_BS, -1][is_anchor_BS]
        return divergences(hidden_ND, base_ND, self.head_VD, copies=copies).sum()

    def _at(
        self, batch: Batch, memory: Memory, positions_BQ: Tensor, counts_BQ: Tensor
    ) -> tuple[Look, Tensor, Copies]:
        """What the decoder sees from positions; of those that count, what the head is given and copies."""
        taps_BQKD = batch.inputs.taps_BTKD[_rows(batch), positions_BQ]
        look = self.module.look(taps_BQKD, positions_BQ, memory, visible_BT=batch.visible_BT)
        hidden_ND = self.module.changed(taps_BQKD[..., -1, :], look)[counts_BQ]
        shares_BQT = look.copied_BQT
        ids_NT = batch.ids_BT[:, None].expand_as(shares_BQT)[counts_BQ]
        return look, hidden_ND, Copies(shares_BQT[counts_BQ], ids_NT)

    def as_base(self) -> AbstractContextManager[None]:
        """Before the first step a decoder adds nothing."""
        return nullcontext()

    def after_step(self, step: int) -> None:
        """Nothing to do."""

    def state(self) -> dict[str, Tensor]:
        return {}

    def restore(self, state: dict[str, Tensor]) -> None:
        """Nothing is kept besides the decoder."""

    def save(self, folder: Path) -> None:
        save_decoder(self.module, folder)


def _rows(batch: Batch) -> Tensor:
    return torch.arange(len(batch.ids_BT), device=batch.ids_BT.device)[:, None]


def _anchors(plain: Batch) -> Tensor:
    """Positions of each example, at random, a share of as many as it is trained on."""
    is_free_BT = plain.visible_BT.clone()
    is_target_BQ = plain.targets_BQ != IGNORED
    is_free_BT[_rows(plain).expand_as(is_target_BQ)[is_target_BQ], plain.positions_BQ[is_target_BQ]] = False
    wanted_B1 = (is_target_BQ.sum(dim=1, keepdim=True) * ANCHORED).ceil()
    order_BT = torch.rand(is_free_BT.shape, device=is_free_BT.device).masked_fill(~is_free_BT, -1.0)
    most = min(int(wanted_B1.max()), is_free_BT.shape[1])
    chance_BS, anchors_BS = order_BT.topk(most, dim=1)
    is_wanted_BS = (chance_BS >= 0) & (torch.arange(most, device=anchors_BS.device) < wanted_B1)
    return anchors_BS.masked_fill(~is_wanted_BS, -1)


def _kinds(example: Example) -> list[int]:
    kinds = ["template"] * len(example.ids)
    for segment in example.segments:
        kinds[segment.start : segment.end] = [segment.kind] * (segment.end - segment.start)
    return kind_rows(kinds)
