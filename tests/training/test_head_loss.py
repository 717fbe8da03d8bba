"""Losses made piece by piece are those of the plain computation, and so are their gradients."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from training.methods import head_loss
from training.methods.head_loss import Copies, cross_entropies, divergences

NUM, SIZE, WORDS, TOKENS = 7, 6, 11, 5


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(head_loss, "_PIECE_LOGITS", 3 * WORDS)


@pytest.fixture
def given() -> tuple[Tensor, Tensor, Tensor, Copies]:
    """Hidden states, head, targets, and what is copied: ids may come twice."""
    chance = torch.Generator().manual_seed(0)
    hidden_ND = torch.randn(NUM, SIZE, generator=chance, requires_grad=True)
    head_VD = torch.randn(WORDS, SIZE, generator=chance)
    targets_N = torch.randint(WORDS, (NUM,), generator=chance)
    shares_NT = torch.randn(NUM, TOKENS, generator=chance, requires_grad=True)
    ids_NT = torch.randint(WORDS, (NUM, TOKENS), generator=chance)
    ids_NT[:, 1] = ids_NT[:, 0]
    return hidden_ND, head_VD, targets_N, Copies(shares_NT, ids_NT)


def plain_logits(hidden_ND: Tensor, head_VD: Tensor, copies: Copies) -> Tensor:
    return (hidden_ND @ head_VD.T).scatter_add(1, copies.ids_NT, copies.shares_NT)


def gradients(losses_N: Tensor, *of: Tensor) -> tuple[Tensor, ...]:
    factors_N = torch.linspace(0.5, 2.0, len(losses_N))
    return torch.autograd.grad((losses_N * factors_N).sum(), of)


def test_cross_entropies_are_those_of_torch(given: tuple[Tensor, Tensor, Tensor, Copies]) -> None:
    hidden_ND, head_VD, targets_N, copies = given
    found_N = cross_entropies(hidden_ND, targets_N, head_VD, copies=copies)
    plain_N = F.cross_entropy(plain_logits(hidden_ND, head_VD, copies), targets_N, reduction="none")
    torch.testing.assert_close(found_N, plain_N)
    mine, theirs = (gradients(one, hidden_ND, copies.shares_NT) for one in (found_N, plain_N))
    torch.testing.assert_close(mine, theirs)


def test_divergences_are_those_of_torch(given: tuple[Tensor, Tensor, Tensor, Copies]) -> None:
    hidden_ND, head_VD, _, copies = given
    base_ND = hidden_ND.detach() * 0.5
    found_N = divergences(hidden_ND, base_ND, head_VD, copies=copies)
    with_NV = plain_logits(hidden_ND, head_VD, copies).log_softmax(dim=-1)
    without_NV = (base_ND @ head_VD.T).log_softmax(dim=-1)
    plain_N = F.kl_div(with_NV, without_NV, log_target=True, reduction="none").sum(dim=-1)
    torch.testing.assert_close(found_N, plain_N)
    mine, theirs = (gradients(one, hidden_ND, copies.shares_NT) for one in (found_N, plain_N))
    torch.testing.assert_close(mine, theirs)


def test_what_should_be_said_may_be_copied(given: tuple[Tensor, Tensor, Tensor, Copies]) -> None:
    hidden_ND, head_VD, _, copies = given
    base_ND = hidden_ND.detach() * 0.5
    found_N = divergences(hidden_ND, base_ND, head_VD, base_copies=copies)
    with_NV = (hidden_ND @ head_VD.T).log_softmax(dim=-1)
    aimed_NV = plain_logits(base_ND, head_VD, copies).detach().log_softmax(dim=-1)
    plain_N = F.kl_div(with_NV, aimed_NV, log_target=True, reduction="none").sum(dim=-1)
    torch.testing.assert_close(found_N, plain_N)
    torch.testing.assert_close(gradients(found_N, hidden_ND), gradients(plain_N, hidden_ND))


def test_what_did_not_move_has_no_divergence(given: tuple[Tensor, Tensor, Tensor, Copies]) -> None:
    hidden_ND, head_VD, _, _ = given
    torch.testing.assert_close(divergences(hidden_ND, hidden_ND, head_VD), torch.zeros(NUM))


def test_logits_far_apart_are_exact(given: tuple[Tensor, Tensor, Tensor, Copies]) -> None:
    hidden_ND, head_VD, targets_N, _ = given
    plain_N = F.cross_entropy(300.0 * hidden_ND @ head_VD.T, targets_N, reduction="none")
    torch.testing.assert_close(cross_entropies(300.0 * hidden_ND, targets_N, head_VD), plain_N)
