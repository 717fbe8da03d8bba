"""The transforms equal transformers' processors; the sampler follows its seed."""

from __future__ import annotations

import pytest
import torch
from transformers.generation.logits_process import (
    MinPLogitsWarper,
    RepetitionPenaltyLogitsProcessor,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
)

from dialog.engine.sampling import (
    MinP,
    RepetitionPenalty,
    Sampler,
    Temperature,
    TopK,
    TopP,
    logits_transforms,
)
from dialog.values import Sampling

PAIRS = [
    (RepetitionPenalty(1.3), RepetitionPenaltyLogitsProcessor(1.3)),
    (RepetitionPenalty(0.8), RepetitionPenaltyLogitsProcessor(0.8)),
    (Temperature(0.7), TemperatureLogitsWarper(0.7)),
    (TopK(5), TopKLogitsWarper(5)),
    (TopK(1000), TopKLogitsWarper(1000)),
    (TopP(0.9), TopPLogitsWarper(0.9)),
    (TopP(0.01), TopPLogitsWarper(0.01)),
    (MinP(0.1), MinPLogitsWarper(0.1)),
]


@pytest.fixture
def logits_BV() -> torch.Tensor:
    return torch.randn(3, 50, generator=torch.Generator().manual_seed(1)) * 3


@pytest.fixture
def ids_BT() -> torch.Tensor:
    return torch.randint(0, 50, (3, 20), generator=torch.Generator().manual_seed(2))


@pytest.mark.parametrize(("ours", "theirs"), PAIRS, ids=lambda item: type(item).__name__)
def test_transform_equals_transformers(ours, theirs, ids_BT, logits_BV) -> None:
    before = logits_BV.clone()
    assert torch.equal(ours(ids_BT, logits_BV), theirs(ids_BT, logits_BV.clone()))
    assert torch.equal(logits_BV, before)


def test_transforms_come_in_the_order_of_transformers() -> None:
    everything = Sampling(temperature=0.5, top_k=9, top_p=0.5, min_p=0.1, repetition_penalty=1.2)
    kinds = [type(transform) for transform in logits_transforms(everything)]
    assert kinds == [RepetitionPenalty, Temperature, TopK, TopP, MinP]


def test_neutral_settings_need_no_transform() -> None:
    assert logits_transforms(Sampling(temperature=1.0)) == ()


def test_greedy_keeps_only_the_penalty() -> None:
    greedy = Sampling(temperature=0.0, top_k=1, top_p=0.1, min_p=0.9, repetition_penalty=1.2)
    assert logits_transforms(greedy) == (RepetitionPenalty(1.2),)


def draws(seed: int | None, logits_BV: torch.Tensor) -> list[int]:
    sampler = Sampler(Sampling(temperature=1.0, seed=seed))
    return [sampler.choose(torch.zeros(1, 1, dtype=torch.long), logits_BV[:1]) for _ in range(40)]


def test_equal_seeds_draw_equally_and_others_do_not(logits_BV: torch.Tensor) -> None:
    assert draws(7, logits_BV) == draws(7, logits_BV)
    assert draws(7, logits_BV) != draws(8, logits_BV)


def test_drawing_leaves_the_programs_random_state_alone(logits_BV: torch.Tensor) -> None:
    before = torch.get_rng_state()
    draws(None, logits_BV)
    assert torch.equal(torch.get_rng_state(), before)


def test_an_excluded_token_is_never_drawn() -> None:
    logits_BV = torch.tensor([[0.0, 5.0, 4.9, -1.0]])
    sampler = Sampler(Sampling(temperature=1.0, top_k=2, seed=0))
    drawn = {sampler.choose(torch.zeros(1, 1, dtype=torch.long), logits_BV) for _ in range(200)}
    assert drawn == {1, 2}
