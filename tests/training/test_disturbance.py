"""Disturbed inputs: as strong as they say, off while evaluating, the same again for a seed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor

from dialog.testing.tiny import tiny_transformer
from tests.training.conftest import Result
from training.examples import Example
from training.methods.backbone import Backbone
from training.methods.disturbance import Disturbance, corrupted, noise, push
from training.methods.method import Batch, padded
from training.methods.peft_methods import AdaLoraMethod, LoraMethod
from training.run import Run, RunOptions

KINDS = [Disturbance(neftune=5.0), Disturbance(adversarial=0.05), Disturbance(denoise=0.5)]
NAMES = ["neftune", "adversarial", "denoise"]


def lora() -> LoraMethod:
    torch.manual_seed(0)
    model = tiny_transformer("llama", seed=1, context_tokens=512)
    return LoraMethod(model, rank=4, alpha=4.0, dropout=0.0, variant="rslora", base_name="tiny")


def batch_of(examples: list[Example]) -> Batch:
    return padded(examples, device=torch.device("cpu"))


@pytest.mark.parametrize("kind", KINDS, ids=NAMES)
def test_it_is_off_while_evaluating(kind: Disturbance, examples: list[Example]) -> None:
    method = lora()
    batch = method.batch(examples[:3])
    method.module.eval()
    plain_BQ = method.losses(batch).tokens_BQ
    method.disturbance = kind
    assert method.losses(method.batch(examples[:3])).tokens_BQ.equal(plain_BQ)


@pytest.mark.parametrize("kind", KINDS, ids=NAMES)
def test_the_same_seed_gives_the_same_run_and_it_learns(kind: Disturbance, examples: list[Example]) -> None:
    weights: list[list[Tensor]] = []
    for disturbance in (kind, kind, Disturbance()):
        method = lora()
        method.disturbance = disturbance
        run = Run(method, RunOptions(epochs=2, lr=1e-2, batch_tokens=500, seed=3))
        before = run.loss_on(examples[:8])
        reports = list(run.reports(examples[:8]))
        assert run.loss_on(examples[:8]) < before
        assert ("adversarial" in reports[0].besides) == (disturbance.adversarial > 0)
        weights.append([one.detach().clone() for one in method.module.parameters() if one.requires_grad])
    first, second, plain = weights
    assert all(one.equal(other) for one, other in zip(first, second, strict=True))
    assert not all(one.equal(other) for one, other in zip(first, plain, strict=True))


def test_the_push_goes_against_the_loss_more_than_noise_does(examples: list[Example]) -> None:
    method = lora()
    method.disturbance = Disturbance(adversarial=0.1)
    method.module.train()
    batch = method.batch(examples[:4])
    losses = method.losses(batch)
    plain = float((losses.tokens_BQ * batch.weights_BQ).sum().detach())
    pushed = float(losses.besides[0].detach())
    states_BTD = method.causal.get_input_embeddings()(batch.ids_BT).detach()
    random_BTD = push(states_BTD, torch.randn_like(states_BTD), strength=0.1)
    handle = method.causal.get_input_embeddings().register_forward_hook(lambda *given: given[2] + random_BTD)
    noisy = float((method.read_losses(batch) * batch.weights_BQ).sum().detach())
    handle.remove()
    assert pushed - plain > 3 * abs(noisy - plain)


def test_noise_is_as_strong_as_the_paper_says_and_none_is_on_padding(examples: list[Example]) -> None:
    batch = batch_of([examples[0], examples[1]])
    added_BTD = noise(batch, size=64, alpha=5.0, dtype=torch.float32)
    length = int(batch.visible_BT[0].sum())
    most = 5.0 / (length * 64) ** 0.5
    assert 0.9 * most < float(added_BTD[0, :length].abs().max()) <= most
    assert not added_BTD[~batch.visible_BT].any()


def test_only_tokens_of_replies_are_replaced_and_by_tokens_of_the_same_example(
    examples: list[Example],
) -> None:
    batch = batch_of(examples[:6])
    torch.manual_seed(0)
    ids_BT = corrupted(batch, share=0.99)
    for row, example in enumerate(examples[:6]):
        changed = [at for at in range(len(example.ids)) if ids_BT[row, at] != example.ids[at]]
        assert changed
        assert all(example.weights[at] > 0 for at in changed)
        assert all(int(ids_BT[row, at]) in example.ids for at in changed)
    assert corrupted(batch, share=0.0).equal(batch.ids_BT)


def test_adalora_keeps_its_own_term_beside_it(examples: list[Example]) -> None:
    model = tiny_transformer("llama", seed=1, context_tokens=512)
    method = AdaLoraMethod(model, rank=2, alpha=4.0, dropout=0.0, num_steps=6, base_name="tiny")
    method.disturbance = Disturbance(adversarial=0.05)
    reports = list(Run(method, RunOptions(epochs=1, lr=1e-2, batch_tokens=500)).reports(examples[:6]))
    assert set(reports[0].besides) == {"adversarial", "orthogonality"}
    assert isinstance(method, Backbone)


def test_a_decoder_cannot_be_disturbed(tune: Callable[..., Result], log: Path) -> None:
    result = tune(log, "--out", "tuned", "--set", "training.neftune=5")
    assert result.code == 2
    assert "--method lora" in result.err
