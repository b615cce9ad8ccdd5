"""P_b of pairs of posteriors: masked latents, static pairs, and a bias in units of the code's spread."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from perma_agent.objectives import permanence_of_pairs
from perma_agent.types import Posterior


def of_means(*rows: list[float]) -> Posterior:
    mean = torch.tensor(rows)
    return Posterior(mean, torch.zeros_like(mean))


def test_static_pairs_cost_the_least_and_pull_nowhere() -> None:
    mean = torch.randn(5, 4, generator=torch.Generator().manual_seed(0)).requires_grad_()
    still = Posterior(mean, torch.zeros_like(mean))
    for relative in (True, False):
        value = permanence_of_pairs(still, still, torch.ones(4), b=0.1, relative=relative)
        value.sum().backward()
        assert value.tolist() == [1.0] * 5 and not mean.grad.any()


def test_a_collapsed_code_gives_no_nan() -> None:
    mean = torch.zeros(3, 4, requires_grad=True)
    code = Posterior(mean, torch.zeros_like(mean))
    value = permanence_of_pairs(code, code, torch.ones(4), b=0.1, relative=True)  # spread 0, hence b = 0
    value.sum().backward()
    assert value.tolist() == [1.0] * 3 and not mean.grad.any()


def test_masked_latents_take_no_part() -> None:
    frames, earlier = of_means([3.0, 9.0, 4.0]), of_means([0.0, 1.0, 0.0])
    mask = torch.tensor([1, 0, 1])
    assert permanence_of_pairs(frames, earlier, mask, b=0.0, relative=False).tolist() == pytest.approx([1.4])
    wild = of_means([3.0, 1e6, 4.0])  # nor in the spread that a relative b is taken from
    values = [permanence_of_pairs(x, earlier, mask, b=0.5, relative=True) for x in (frames, wild)]
    torch.testing.assert_close(values[0], values[1])


def test_masked_latents_get_no_gradient() -> None:
    mean = torch.tensor([[3.0, 9.0, 4.0]], requires_grad=True)
    earlier = of_means([0.0, 1.0, 0.0])
    frames = Posterior(mean, torch.zeros_like(mean))
    permanence_of_pairs(frames, earlier, torch.tensor([1, 0, 1]), b=0.1, relative=True).sum().backward()
    assert mean.grad[0, 1] == 0.0 and mean.grad[0, 0] != 0.0


def test_with_all_masked_nothing_changes() -> None:
    frames, earlier = of_means([1.0, 2.0]), of_means([0.0, 0.0])
    assert permanence_of_pairs(frames, earlier, torch.zeros(2), b=0.1, relative=True).tolist() == [1.0]


def test_a_relative_bias_is_in_units_of_the_spread() -> None:
    # Means 0, 2 in one latent and 0, 0 in the other: variance 1 + 0, so b = .5 · 1. Δ = (2, 0): (2 + .5) / (2 + .5).
    # With (3, 4) and (0, 0): variances 9/4 and 4, spread 2.5, b = .4 · 2.5 = 1: (7 + 1) / (5 + 1).
    frames, earlier = of_means([3.0, 4.0]), of_means([0.0, 0.0])
    value = permanence_of_pairs(frames, earlier, torch.ones(2), b=0.4, relative=True)
    assert float(value) == pytest.approx(8 / 6)


@pytest.mark.parametrize(("relative", "pays"), [(True, False), (False, True)])
def test_shrinking_the_code_pays_only_with_an_absolute_bias(relative: bool, pays: bool) -> None:
    generator = torch.Generator().manual_seed(0)
    frames, earlier = torch.randn(2, 6, 4, generator=generator)

    def value(scale: float) -> float:
        pair = (Posterior(scale * x, torch.zeros_like(x)) for x in (frames, earlier))
        return float(permanence_of_pairs(*pair, torch.ones(4), b=0.1, relative=relative).mean())

    assert (value(0.01) < value(1.0) - 0.1) == pays
    assert pays or value(0.01) == pytest.approx(value(1.0), rel=1e-5)


@pytest.mark.parametrize(("b", "pulls"), [(0.1, True), (0.0, False)])
def test_each_step_pulls_the_code_together_unless_b_is_0(b: float, pulls: bool) -> None:
    # The slope along the code's own scale at fixed b is b (L1 - L2) / (L2 + b)², also where b is relative.
    code = torch.randn(2, 6, 4, generator=torch.Generator().manual_seed(0)).requires_grad_()
    pair = (Posterior(x, torch.zeros_like(x)) for x in code)
    permanence_of_pairs(*pair, torch.ones(4), b=b, relative=True).mean().backward()
    slope = float((code.grad * code.detach()).sum())
    assert slope > 0.01 if pulls else slope == pytest.approx(0.0, abs=1e-6)


def test_permuting_the_batch_permutes_the_terms() -> None:
    generator = torch.Generator().manual_seed(0)
    frames, earlier = torch.randn(2, 6, 4, generator=generator)
    order = torch.randperm(6, generator=generator)

    def term(order: Tensor) -> Tensor:
        pair = (Posterior(x[order], torch.zeros_like(x)) for x in (frames, earlier))
        return permanence_of_pairs(*pair, torch.ones(4), b=0.1, relative=True)

    torch.testing.assert_close(term(order), term(torch.arange(6))[order])


@pytest.mark.parametrize("scale", [1e-38, 1e-25, 1e25, 1e30])
def test_a_relative_bias_follows_a_code_of_any_size(scale: float) -> None:
    frames, earlier = torch.randn(2, 6, 4, generator=torch.Generator().manual_seed(0))

    def value(scale: float) -> Tensor:
        pair = (Posterior(scale * x, torch.zeros_like(x)) for x in (frames, earlier))
        return permanence_of_pairs(*pair, torch.ones(4), b=0.1, relative=True)

    expected = value(1.0) if scale > 1e-30 else torch.ones(6)  # a change so small counts as none
    torch.testing.assert_close(value(scale), expected)


def test_a_tiny_change_of_a_huge_code_is_harmless() -> None:
    mean = torch.tensor([[1e30, 1e-20], [-1e30, 0.0]], requires_grad=True)
    earlier = of_means([1e30, 0.0], [-1e30, 0.0])
    value = permanence_of_pairs(Posterior(mean, torch.zeros(2, 2)), earlier, torch.ones(2), b=0.1, relative=True)
    value.sum().backward()
    assert value.tolist() == [1.0, 1.0] and torch.isfinite(mean.grad).all()


def test_half_precision_means_are_subtracted_in_single_precision() -> None:
    # 256 - 0.5 is no bfloat16, 255.5 would become 256
    frames, earlier = (Posterior(x.mean.bfloat16(), x.log_variance) for x in (of_means([256.0, 0]), of_means([0.5, 0])))
    value = permanence_of_pairs(frames, earlier, torch.ones(2), b=0.0, relative=False)
    assert value.dtype == torch.float32 and value.item() == 1.0
    frames = Posterior(torch.tensor([[256.0, 1.0]]).bfloat16(), torch.zeros(1, 2))
    assert permanence_of_pairs(frames, earlier, torch.ones(2), b=0.0, relative=False).item() == pytest.approx(
        (255.5 + 1.0) / (255.5**2 + 1.0) ** 0.5, rel=1e-6
    )
