"""Does a reply rest on what the decoder says it rests on? That is taken out of the input, and read again.

Each conversation is a prompt of units (an instruction, an earlier exchange) and
a reply. The decoder names the unit that spoke most for the reply. Taking that
unit away, rendering and reading all anew, should make the reply unlikely
(comprehensiveness); leaving that unit alone should keep it likely (sufficiency).
Both are compared with a unit drawn at random, exactly: the mean over all units.

    found = [faithfulness(method, transcript, tokenizer) for transcript in held_out]
    summed = summary(found)
    summed["comprehensiveness"], summed["random_comprehensiveness"]

Source: DeYoung et al. 2020 (ERASER), section 4, with one rationale of one unit;
the probability is the mean over the reply's tokens, each weighted by how far the
decoder moved it (`dialog.decoder.attribution`).

Legend: Q reply tokens, T prompt tokens, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor

from dialog.decoder.attribution import segment_shares, token_weights
from dialog.errors import CorpusError
from dialog.protocols import ChatTokenizer
from dialog.values import Transcript, Value
from training.examples import Example, build_examples
from training.methods.decoder import DecoderMethod


class Faithfulness(Value):
    """Of one reply; probabilities lie between 0 and 1, and so do what they fall by.

    Attributes:
        named: number of the unit that spoke most for the reply.
        shares: of each unit, together at most 1.
        whole: probability of the reply, all units there.
        without, alone: probability without each unit, and with it alone.
    """

    id: str
    named: int
    shares: tuple[float, ...]
    whole: float
    without: tuple[float, ...]
    alone: tuple[float, ...]


@dataclass(frozen=True)
class _Read:
    """What the decoder makes of one example: of each reply token, its probability and weight."""

    shares: list[float]
    probabilities_Q: Tensor
    weights_Q: Tensor


def faithfulness(
    method: DecoderMethod, transcript: Transcript, tokenizer: ChatTokenizer, *, limit_tokens: int = 2048
) -> Faithfulness | None:
    """Of the last reply, the only one in the loss; None where there are fewer than two units.

    Raises:
        CorpusError: no single example with one trained reply can be made of it.
    """
    units = units_of(transcript)
    if len(units) < 2:
        return None
    everywhere = set(range(len(transcript.messages)))
    asked = everywhere.difference(*units)

    def read(kept: set[int], shown: Sequence[frozenset[int]] = ()) -> _Read:
        return _read(method, example_of(transcript, kept, tokenizer, limit_tokens=limit_tokens), shown)

    whole = read(everywhere, units)

    def probability(kept: set[int]) -> float:
        found_Q = read(kept).probabilities_Q
        return float((found_Q * whole.weights_Q).sum() / whole.weights_Q.sum().clamp_min(1e-9))

    return Faithfulness(
        id=transcript.id,
        named=max(range(len(units)), key=lambda at: whole.shares[at]),
        shares=tuple(whole.shares),
        whole=probability(everywhere),
        without=tuple(probability(everywhere - unit) for unit in units),
        alone=tuple(probability(asked | unit) for unit in units),
    )


def units_of(transcript: Transcript) -> list[frozenset[int]]:
    """Numbers of messages that go together: each instruction, and each exchange before the last."""
    messages = transcript.messages
    starts = [at for at, one in enumerate(messages) if one.role == "user"]
    instructions = [frozenset((at,)) for at, one in enumerate(messages) if one.role == "system"]
    exchanges = [
        frozenset(at for at in range(start, end) if messages[at].role != "system")
        for start, end in pairwise(starts)
    ]
    return instructions + exchanges


def example_of(
    transcript: Transcript, kept: set[int], tokenizer: ChatTokenizer, *, limit_tokens: int
) -> Example:
    """Rendered anew from the messages whose numbers are kept; they keep their names (`m0`, ...).

    Raises:
        CorpusError: not exactly one reply is in the loss.
    """
    shown = tuple(
        one if at in kept else one.model_copy(update={"content": "", "role": "system"})
        for at, one in enumerate(transcript.messages)
    )
    built = build_examples(
        transcript.model_copy(update={"messages": shown}), tokenizer, limit_tokens=limit_tokens
    )
    if len(built.examples) != 1 or len(built.examples[0].turns) != 1:
        raise CorpusError("exactly one reply must be in the loss to be looked at", path=transcript.id)
    return built.examples[0]


def summary(found: Sequence[Faithfulness]) -> dict[str, float]:
    """Means over replies of how far the probability falls, for what was named and for a unit at random."""
    rows = [
        (
            one.whole - one.without[one.named],
            one.whole - one.alone[one.named],
            one.whole - _mean(one.without),
            one.whole - _mean(one.alone),
        )
        for one in found
    ]
    names = ("comprehensiveness", "sufficiency", "random_comprehensiveness", "random_sufficiency")
    return {name: _mean(values) for name, values in zip(names, zip(*rows, strict=True), strict=True)}


def is_faithful(summed: dict[str, float]) -> bool:
    """The gate: three times what chance takes away, three tenths of what chance leaves open."""
    falls = summed["comprehensiveness"] >= 3 * summed["random_comprehensiveness"] > 0
    return falls and summed["sufficiency"] <= 0.3 * summed["random_sufficiency"]


@torch.no_grad()
def _read(method: DecoderMethod, example: Example, units: Sequence[frozenset[int]]) -> _Read:
    batch = method.batch([example])
    inputs, decoder = batch.inputs, method.module.eval()
    memory = decoder.read(inputs.taps_BTKD, batch.ids_BT, inputs.kinds_BT)
    taps_1QKD = inputs.taps_BTKD[:, batch.positions_BQ[0]]
    look = decoder.look(taps_1QKD, batch.positions_BQ, memory)
    logits_QV = decoder.logits(taps_1QKD[:, :, -1], look, memory, method.head_VD)[0]
    base_QV = (taps_1QKD[0, :, -1].to(method.head_VD.dtype) @ method.head_VD.T).float()
    spoken_QT = decoder.contributions(look, memory, batch.targets_BQ, method.head_VD)[0]
    weights_Q = token_weights(logits_QV, base_QV)
    found_Q = logits_QV.softmax(dim=-1).gather(1, batch.targets_BQ[0][:, None]).squeeze(1)
    refs = [{f"m{number}" for number in unit} for unit in units]
    shares = segment_shares(spoken_QT, weights_Q, example.segments)
    of_units = [
        sum(share for share, one in zip(shares, example.segments, strict=True) if one.ref in named)
        for named in refs
    ]
    return _Read(of_units, found_Q, weights_Q)


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
