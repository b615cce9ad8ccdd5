"""One entry for all members: the same numbers as their functions, masks, offsets, and changes of any size."""

from __future__ import annotations

from typing import Any, get_args

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from perma_agent.objectives import (
    PermanenceConfig,
    change_term,
    hoyer_square,
    l1_change,
    l2_change,
    laplace_transition,
    permanence_direction,
    permanence_of_pairs,
)
from perma_agent.objectives.permanence import Member
from perma_agent.types import Posterior

MEMBERS = get_args(Member)
ONES = torch.ones(4, dtype=torch.int64)
each_member = pytest.mark.parametrize("member", MEMBERS)


def posteriors(batch: int = 6) -> tuple[Posterior, Posterior]:
    means, log_variances = torch.randn(2, 2, batch, 4, generator=torch.Generator().manual_seed(0))
    return Posterior(means[0], log_variances[0]), Posterior(means[1], log_variances[1])


def term(pair: tuple[Posterior, Posterior], *, mask: Tensor = ONES, step: int = 0, **fields: Any) -> Tensor:
    offsets = np.ones(len(pair[0].mean), dtype=np.int64)
    return change_term(*pair, mask, offsets, config=PermanenceConfig(**fields), step=step)


def test_each_member_is_its_function_of_the_means() -> None:
    pair = later, earlier = posteriors()
    change = later.mean - earlier.mean
    expected = {
        "p_b": permanence_of_pairs(later, earlier, ONES, b=0.1, relative=True),
        "direction": permanence_direction(change),
        "l1": l1_change(change),
        "l2": l2_change(change),
        "hoyer-square": hoyer_square(change),
        "laplace": laplace_transition(later, earlier, ONES, rate=6.0, reduction="principled"),
        "none": torch.zeros(6),
    }
    assert set(expected) == set(MEMBERS)
    for member, values in expected.items():
        torch.testing.assert_close(term(pair, member=member), values)


def test_parameters_reach_their_member() -> None:
    pair = posteriors()
    absolute = permanence_of_pairs(*pair, ONES, b=0.5, relative=False)
    torch.testing.assert_close(term(pair, b=0.5, relative=False), absolute)
    paper = laplace_transition(*pair, ONES, rate=2.0, reduction="paper")
    torch.testing.assert_close(term(pair, member="laplace", rate=2.0, reduction="paper"), paper)


@pytest.mark.parametrize("relative", [True, False])
def test_b_goes_its_course_by_the_step(relative: bool) -> None:
    pair = posteriors()
    for step, b in ((0, 1.0), (50, 0.1), (100, 0.01)):
        values = term(pair, b=1.0, b_end=0.01, b_steps=100, relative=relative, step=step)
        torch.testing.assert_close(values, permanence_of_pairs(*pair, ONES, b=b, relative=relative))


@each_member
def test_masked_latents_get_exactly_no_gradient_and_have_no_say(member: str) -> None:
    mask = torch.tensor([True, False, True, True])
    leaves = [x.detach().requires_grad_() for y in posteriors() for x in (y.mean, y.log_variance)]
    values = term((Posterior(*leaves[:2]), Posterior(*leaves[2:])), mask=mask, member=member)
    wild = [torch.where(mask, x, torch.full_like(x, 7.0)).detach() for x in leaves]
    torch.testing.assert_close(
        values, term((Posterior(*wild[:2]), Posterior(*wild[2:])), mask=mask, member=member), check_stride=False
    )
    if member == "none":
        assert not values.requires_grad
        return
    for slope in torch.autograd.grad(values.sum(), leaves, allow_unused=True):
        assert slope is None or not slope[:, 1].any()
        assert slope is None or slope[:, mask].abs().min() > 0


@each_member
def test_with_all_masked_nothing_costs_anything_but_the_least(member: str) -> None:
    values = term(posteriors(), mask=torch.zeros(4), member=member)
    least = 1.0 if member in ("p_b", "direction", "hoyer-square") else 0.0
    assert values.tolist() == [least] * 6


@each_member
def test_each_pair_is_by_itself(member: str) -> None:
    later, earlier = posteriors()
    together = term((later, earlier), member=member, relative=False)
    halves = [
        term(
            tuple(Posterior(x.mean[rows], x.log_variance[rows]) for x in (later, earlier)),
            member=member,
            relative=False,
        )
        for rows in (slice(0, 2), slice(2, 6))
    ]
    torch.testing.assert_close(together, torch.cat(halves))


@each_member
def test_offsets_are_weighed(member: str) -> None:
    pair = posteriors(4)
    offsets = np.array([1, 5, 5, 2])
    config = PermanenceConfig(member=member, offset_weights=((5, 3.0), (2, 0.0)))
    values = change_term(*pair, ONES, offsets, config=config, step=0)
    torch.testing.assert_close(values, term(pair, member=member) * torch.tensor([1.0, 3.0, 3.0, 0.0]) / 1.75)


@each_member
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_no_size_of_code_breaks_a_member(member: str, dtype: torch.dtype) -> None:
    @settings(deadline=None, max_examples=25)
    @given(st.floats(-45, 30), st.floats(-45, 30), st.booleans())
    def holds(exponent: float, other: float, relative: bool) -> None:
        later, earlier = posteriors()
        means = [later.mean * 10.0**exponent, earlier.mean * 10.0**other]
        means[1][:3] = means[0][:3]  # static
        leaves = [x.to(dtype).detach().requires_grad_() for x in means]
        pair = tuple(Posterior(x, y.log_variance.to(dtype)) for x, y in zip(leaves, (later, earlier), strict=True))
        values = term(pair, member=member, relative=relative)
        assert values.dtype == torch.float32 and values.shape == (6,)
        assert torch.isfinite(values).all() or (member == "l2" and max(exponent, other) > 18)
        assert not values.isnan().any()
        if member != "none":
            for slope in torch.autograd.grad(values.sum(), leaves):
                assert torch.isfinite(slope).all()
                assert member == "laplace" or not slope[:3].any()

    holds()
