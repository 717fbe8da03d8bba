"""The decoder's promises, on random weights: nothing at first, exact sums, the same in pieces."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from dialog.decoder.config import DecoderConfig, default_config
from dialog.decoder.loss import IGNORED, evidence_sum, places, telling
from dialog.decoder.memory import Memory
from dialog.decoder.module import InstructionDecoder, Look

CONFIG = DecoderConfig(hidden_size=24, taps=(1, 2, 4), rank=12, heads=3, mlp_size=16)
NUM_TOKENS, VOCABULARY = 20, 50


def trained(config: DecoderConfig = CONFIG) -> InstructionDecoder:
    """Every parameter random, also those that begin at zero."""
    torch.manual_seed(7)
    decoder = InstructionDecoder(config).eval()
    with torch.no_grad():
        for parameter in decoder.parameters():
            parameter.normal_(std=0.3)
    return decoder.requires_grad_(False)


@pytest.fixture
def given() -> dict[str, Tensor]:
    maker = torch.Generator().manual_seed(3)
    return {
        "taps": torch.randn(2, NUM_TOKENS, 3, 24, generator=maker),
        "ids": torch.randint(0, VOCABULARY, (2, NUM_TOKENS), generator=maker),
        "kinds": torch.randint(0, len(CONFIG.kinds), (2, NUM_TOKENS), generator=maker),
        "head": torch.randn(VOCABULARY, 24, generator=maker),
    }


def look_from(
    decoder: InstructionDecoder, given: dict[str, Tensor], *, start: int = 12, **options: Tensor
) -> tuple[Look, Memory, Tensor]:
    memory = decoder.read(given["taps"], given["ids"], given["kinds"])
    positions = torch.arange(start, NUM_TOKENS).expand(2, -1)
    look = decoder.look(given["taps"][:, start:], positions, memory, **options)
    return look, memory, given["taps"][:, start:, -1]


def test_an_untrained_decoder_changes_no_logit(given: dict[str, Tensor]) -> None:
    decoder = InstructionDecoder(CONFIG).eval().requires_grad_(False)
    look, memory, hidden = look_from(decoder, given)
    base = hidden @ given["head"].T
    assert torch.equal(decoder.logits(hidden, look, memory, given["head"]), base)


def test_logits_are_the_exact_sum_of_their_parts(given: dict[str, Tensor]) -> None:
    decoder = trained()
    look, memory, hidden = look_from(decoder, given)
    logits = decoder.logits(hidden, look, memory, given["head"])
    targets = given["ids"][:, 12:]
    parts = decoder.contributions(look, memory, targets, given["head"]).sum(dim=-1)
    rows = given["head"][targets]
    base_and_own = (rows * (hidden + look.own_BQD)).sum(dim=-1)
    whole = logits.gather(-1, targets[..., None]).squeeze(-1)
    assert (parts + base_and_own - whole).abs().max() < 1e-4


def test_attention_is_a_distribution_over_the_past_and_nothing(given: dict[str, Tensor]) -> None:
    look, _, _ = look_from(trained(), given)
    sums = look.attention_BHQT.sum(dim=-1) + look.nothing_BHQ
    assert torch.allclose(sums, torch.ones_like(sums), atol=1e-6)
    assert float(look.attention_BHQT[:, :, 0, 13:].abs().max()) == 0.0


def test_reading_in_pieces_equals_reading_at_once(given: dict[str, Tensor]) -> None:
    decoder = trained()
    whole = decoder.read(given["taps"], given["ids"], given["kinds"])
    pieces: Memory | None = None
    for start, end in ((0, 1), (1, 7), (7, NUM_TOKENS)):
        part = slice(start, end)
        pieces = decoder.read(
            given["taps"][:, part], given["ids"][:, part], given["kinds"][:, part], after=pieces
        )
    assert pieces is not None
    assert torch.allclose(pieces.keys_BTR, whole.keys_BTR, atol=1e-6)
    assert torch.equal(pieces.ids_BT, whole.ids_BT)


def test_a_cropped_memory_goes_on_as_if_the_rest_had_never_been(given: dict[str, Tensor]) -> None:
    decoder = trained()
    taps, ids, kinds = given["taps"], given["ids"], given["kinds"]
    cropped = decoder.read(taps, ids, kinds).crop(9)
    other = taps[:, 9:12] + 1.0
    again = decoder.read(other, ids[:, 9:12], kinds[:, 9:12], after=cropped)
    fresh = decoder.read(torch.cat([taps[:, :9], other], dim=1), ids[:, :12], kinds[:, :12])
    assert torch.allclose(again.keys_BTR, fresh.keys_BTR, atol=1e-6)
    assert again.num_tokens == 12


def test_a_muted_segment_is_not_looked_at_and_adds_nothing(given: dict[str, Tensor]) -> None:
    decoder = trained()
    weights = torch.ones(2, NUM_TOKENS)
    weights[:, 3:8] = 0.0
    look, memory, _ = look_from(decoder, given, weights_BT=weights)
    assert float(look.attention_BHQT[..., 3:8].abs().max()) == 0.0
    targets = given["ids"][:, 12:]
    assert float(decoder.contributions(look, memory, targets, given["head"])[..., 3:8].abs().max()) == 0.0


def test_a_strengthened_segment_is_looked_at_more(given: dict[str, Tensor]) -> None:
    weights = torch.ones(2, NUM_TOKENS)
    weights[:, 3:8] = 4.0
    before, _, _ = look_from(trained(), given)
    after, _, _ = look_from(trained(), given, weights_BT=weights)
    assert float(after.attention_BHQT[..., 3:8].sum()) > float(before.attention_BHQT[..., 3:8].sum())


def test_all_muted_is_no_number_lost(given: dict[str, Tensor]) -> None:
    look, memory, hidden = look_from(trained(), given, weights_BT=torch.zeros(2, NUM_TOKENS))
    assert torch.isfinite(trained().logits(hidden, look, memory, given["head"])).all()
    assert torch.equal(look.nothing_BHQ, torch.ones_like(look.nothing_BHQ))


def test_hidden_tokens_of_another_conversation_change_nothing(given: dict[str, Tensor]) -> None:
    decoder = trained()
    visible = torch.ones(2, NUM_TOKENS, dtype=torch.bool)
    visible[:, :4] = False
    before, _, _ = look_from(decoder, given, visible_BT=visible)
    memory = decoder.read(given["taps"], given["ids"], given["kinds"])
    memory.values_BTR[:, :4] += 5.0
    after = decoder.look(
        given["taps"][:, 12:], torch.arange(12, NUM_TOKENS).expand(2, -1), memory, visible_BT=visible
    )
    assert torch.equal(before.context_BQR, after.context_BQR)


def test_evidence_is_rewarded_where_it_tells(given: dict[str, Tensor]) -> None:
    decoder = trained()
    look, memory, _ = look_from(decoder, given)
    positions = torch.arange(12, NUM_TOKENS).expand(2, -1)
    targets = torch.full((2, 8), IGNORED)
    anywhere = torch.ones(2, NUM_TOKENS, dtype=torch.bool)
    nowhere = places(memory.ids_BT, targets, positions, anywhere)
    assert float(evidence_sum(look, nowhere, targets)) == 0.0
    targets[0, 2] = memory.ids_BT[0, 5]
    found = places(memory.ids_BT, targets, positions, anywhere)
    assert int(telling(found, targets).sum()) == 1
    at = memory.ids_BT[0, : 12 + 3] == memory.ids_BT[0, 5]
    share = look.attention_BHQT[0, :, 2, : 12 + 3].mean(dim=0)[at].sum()
    assert torch.isclose(evidence_sum(look, found, targets), -share.log())


def test_every_parameter_learns(given: dict[str, Tensor]) -> None:
    decoder = trained().train().requires_grad_()
    look, memory, hidden = look_from(decoder, given)
    targets = given["ids"][:, 12:]
    loss = torch.nn.functional.cross_entropy(
        decoder.logits(hidden, look, memory, given["head"]).flatten(0, 1), targets.flatten()
    )
    loss.backward()
    without = [name for name, one in decoder.named_parameters() if one.grad is None or not one.grad.any()]
    assert without == []


def test_the_default_is_about_one_percent_of_the_default_model() -> None:
    config = default_config(hidden_size=576, num_layers=30, model="m", template="t")
    num_parameters = sum(one.numel() for one in InstructionDecoder(config).parameters())
    assert config.taps == (10, 20, 30)
    assert 1_400_000 < num_parameters < 1_700_000


@pytest.mark.parametrize(
    "wrong", [{"rank": 10}, {"taps": (2, 1)}, {"taps": ()}, {"taps": (0, 1)}, {"unknown": 1}]
)
def test_sizes_that_do_not_fit_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"."):
        DecoderConfig.model_validate({**CONFIG.model_dump(), **wrong})
