"""VICReg's guard: hinge and covariance by hand, and gradients that are finite where a code has collapsed."""

from __future__ import annotations

import math

import pytest
import torch

from perma_agent.temporal import CollapseGuardConfig
from perma_agent.temporal.collapse_guard import covariance, variance_hinge


def test_the_hinge_lets_a_spread_of_one_pass():
    codes = torch.tensor([[1.0, 0.5, 2.0], [-1.0, 0.5, 2.5], [0.0, 0.5, 1.5]])
    # sample variances 1, 0 and 0.25
    expected = [0.0, 1 - math.sqrt(1e-4), 1 - math.sqrt(0.25 + 1e-4)]
    assert variance_hinge(codes).tolist() == pytest.approx(expected, abs=1e-6)


def test_covariances_are_counted_squared_and_without_the_variances():
    codes = torch.tensor([[1.0, 2.0, 0.0], [-1.0, -2.0, 0.0]])
    # variances 2, 8 and 0; cov(z_1, z_2) = 4
    assert covariance(codes).tolist() == pytest.approx([16.0, 16.0, 0.0])


def test_uncorrelated_latents_cost_nothing():
    codes = torch.tensor([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]])
    assert covariance(codes).tolist() == pytest.approx([0.0, 0.0])


def test_a_collapsed_code_gets_a_finite_gradient_and_a_nearly_collapsed_one_is_driven_apart():
    collapsed = torch.zeros(4, 2, requires_grad=True)
    variance_hinge(collapsed).sum().backward()
    assert collapsed.grad is not None and collapsed.grad.isfinite().all()
    near = torch.tensor([[0.01], [-0.01]], requires_grad=True)
    variance_hinge(near).sum().backward()
    assert near.grad is not None and near.grad[0] < 0 < near.grad[1]


@pytest.mark.parametrize("term", [variance_hinge, covariance])
def test_one_code_has_no_spread(term):
    with pytest.raises(ValueError, match=r"expected at least two codes \[B, D\] to spread, got shape \(1, 3\)"):
        term(torch.zeros(1, 3))


def test_negative_weights_are_refused():
    with pytest.raises(ValueError, match="expected weights >= 0 of the collapse guard"):
        CollapseGuardConfig(variance=-1.0)
