"""Training the instruction decoder on features of the frozen model.

Only the decoder has gradients; the model's head is read, never changed. The
loss is cross-entropy per supervised token, and the evidence loss that makes
attention an explanation (`dialog.decoder.loss`).

    method = DecoderMethod(decoder, cache, head_VD=model.get_output_embeddings().weight)
    run = Run(method, RunOptions(lr=2e-3))

Legend: B examples, T tokens, Q supervised positions, K taps, D hidden size, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from dialog.decoder.config import kind_rows
from dialog.decoder.files import save_decoder
from dialog.decoder.loss import evidence_sum, places, telling
from dialog.decoder.module import InstructionDecoder
from training.examples import Example
from training.features import FeatureCache
from training.methods.method import IGNORED, Batch, Losses, padded, rows

_NO_EVIDENCE = kind_rows(["template"])[0]


@dataclass(frozen=True)
class _Inputs:
    taps_BTKD: Tensor
    kinds_BT: Tensor
    places_BQT: Tensor
    """Where each target stands in the history before it."""


class DecoderMethod:
    """See the module. `evidence` is the weight of the evidence loss."""

    name = "decoder"

    def __init__(
        self,
        decoder: InstructionDecoder,
        cache: FeatureCache,
        *,
        head_VD: Tensor,
        evidence: float = 0.5,
    ) -> None:
        self.module = decoder
        self.besides = (("evidence", evidence),)
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
        inputs = _Inputs(
            taps_BTKD=torch.nn.utils.rnn.pad_sequence(taps, batch_first=True).to(device),
            kinds_BT=kinds_BT,
            places_BQT=places_BQT,
        )
        num_telling = float(telling(places_BQT, plain.targets_BQ).sum())
        return Batch(
            ids_BT=plain.ids_BT,
            visible_BT=plain.visible_BT,
            positions_BQ=plain.positions_BQ,
            targets_BQ=plain.targets_BQ,
            weights_BQ=plain.weights_BQ,
            num_besides=(num_telling,),
            inputs=inputs,
        )

    def losses(self, batch: Batch) -> Losses:
        inputs: _Inputs = batch.inputs
        memory = self.module.read(inputs.taps_BTKD, batch.ids_BT, inputs.kinds_BT)
        rows_B1 = torch.arange(len(batch.ids_BT), device=batch.ids_BT.device)[:, None]
        taps_BQKD = inputs.taps_BTKD[rows_B1, batch.positions_BQ]
        look = self.module.look(taps_BQKD, batch.positions_BQ, memory, visible_BT=batch.visible_BT)
        logits_BQV = self.module.logits(taps_BQKD[..., -1, :], look, memory, self.head_VD)
        per_token = F.cross_entropy(
            logits_BQV.flatten(0, 1), batch.targets_BQ.flatten(), reduction="none", ignore_index=IGNORED
        )
        evidence = evidence_sum(look, inputs.places_BQT, batch.targets_BQ)
        return Losses(per_token.view_as(batch.weights_BQ), (evidence,))

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


def _kinds(example: Example) -> list[int]:
    kinds = ["template"] * len(example.ids)
    for segment in example.segments:
        kinds[segment.start : segment.end] = [segment.kind] * (segment.end - segment.start)
    return kind_rows(kinds)
