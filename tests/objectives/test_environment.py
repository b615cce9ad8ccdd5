"""The loss of q(s|x): each environment in the batch weighs the same."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

from perma_agent.objectives import environment_loss


def test_by_hand() -> None:
    # Logits 0, 0: ln 2 each. Three frames of one environment share what one of the other has: 4/(3·2) and 4/(1·2).
    loss = environment_loss(torch.zeros(4, 2), torch.tensor([0, 0, 0, 1]))
    assert loss.tolist() == pytest.approx([math.log(2) * 2 / 3] * 3 + [math.log(2) * 2])


def test_one_environment_is_plain_cross_entropy() -> None:
    logits = torch.randn(5, 3, generator=torch.Generator().manual_seed(0))
    labels = torch.full((5,), 1)
    plain = functional.cross_entropy(logits, labels, reduction="none")
    torch.testing.assert_close(environment_loss(logits, labels), plain)


@settings(deadline=None, max_examples=40)
@given(st.lists(st.integers(0, 3), min_size=1, max_size=12), st.integers(0, 1000))
def test_mean_is_the_mean_of_the_environments_means(labels: list[int], seed: int) -> None:
    environment = torch.tensor(labels)
    logits = torch.randn(len(labels), 4, generator=torch.Generator().manual_seed(seed))
    plain = functional.cross_entropy(logits, environment, reduction="none")
    means = torch.stack([plain[environment == s].mean() for s in environment.unique()])
    loss = environment_loss(logits, environment)
    torch.testing.assert_close(loss.mean(), means.mean())
    assert (loss >= 0).all()
    order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(seed))
    torch.testing.assert_close(environment_loss(logits[order], environment[order]), loss[order])


def test_certainty_costs_nothing_and_a_sure_mistake_is_finite() -> None:
    logits = torch.tensor([[100.0, 0.0], [1e4, -1e4]], requires_grad=True)
    loss = environment_loss(logits, torch.tensor([0, 1]))
    loss.sum().backward()
    assert loss.tolist() == [0.0, 2e4] and torch.isfinite(logits.grad).all()
