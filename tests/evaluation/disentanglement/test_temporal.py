"""Temporal metrics against numbers worked out by hand and against the noise they are held beside."""

import math
import re

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from perma_agent.evaluation.disentanglement import (
    Settings,
    active_units,
    gini_of_change,
    normalised_permanence,
    slowness,
)
from perma_agent.objectives import permanence


def test_permanence_by_hand():
    # P_0(3, 0, 0, 0) = 1 and P_0(1, 1, 1, 1) = 2 = √4: 0 and 1. P_0(1, 1, 0, 0) = √2. Static pairs do not count.
    changes = np.array([[3.0, 0, 0, 0], [1, 1, 1, 1], [0, 0, 0, 0], [0, -1, 1, 0]])
    found = normalised_permanence(changes)
    assert found.score == pytest.approx((0 + 1 + math.sqrt(2) - 1) / 3)
    assert found.moving == 0.75


def test_permanence_is_that_of_the_objective(rng):
    changes = rng.normal(size=(50, 6)) * rng.exponential(size=6)
    expected = (permanence(torch.from_numpy(changes), b=0.0).double().mean().item() - 1) / (math.sqrt(6) - 1)
    assert normalised_permanence(changes).score == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize(
    ("latents", "expected"), [(4, 1.70), (8, 2.33), (10, 2.59), (16, 3.24), (32, 4.55), (64, 6.41)]
)
def test_permanence_of_noise(latents, expected, rng):
    changes = rng.normal(size=(20_000, latents))
    found = normalised_permanence(changes)
    assert found.noise * (math.sqrt(latents) - 1) + 1 == pytest.approx(expected, abs=0.006)
    assert found.score == pytest.approx(found.noise, abs=0.005)


def test_slowness_by_hand():
    # Variances of (0, 2, 0, 2) and (0, 0, 0, 4): 1 and 3. Mean squared changes 4 and 6: 4 and 2. The third is constant.
    codes = np.array([[0.0, 0, 5], [2, 0, 5], [0, 0, 5], [2, 4, 5]])
    changes = np.array([[2.0, 0, 0], [-2, math.sqrt(12), 0]])
    found = slowness(changes, codes)
    np.testing.assert_allclose(found.per_latent, [4, 2, 0])
    assert found.score == pytest.approx(3.0)


def test_unrelated_frames_have_slowness_two(rng):
    codes = rng.normal(size=(20_000, 3)) * [1, 10, 0.1]
    assert slowness(np.diff(codes, axis=0), codes).score == pytest.approx(2.0, abs=0.03)


def test_gini_by_hand():
    # One of four: 1 - 2 · (1/2)/4 = 3/4, the most. All alike: 0. (1, 3): 1 - 2 (1/4 · 1.5/2 + 3/4 · 0.5/2) = 1/4.
    assert gini_of_change(np.array([[0.0, -2, 0, 0]] * 2)).score == pytest.approx(0.75)
    assert gini_of_change(np.ones((2, 4))).score == pytest.approx(0.0)
    found = gini_of_change(np.array([[1.0, -3.0], [0.0, 0.0]]))
    assert found.score == pytest.approx(0.25)
    assert found.moving == 0.5


def test_active_units_by_hand():
    # Standard deviations 1, 0.2, 0.05 and 0: variances 1, 0.04, 0.0025 and 0 against 0.01.
    codes = np.array([[1.0, 0.2, 0.05, 7], [-1, -0.2, -0.05, 7]])
    found = active_units(codes)
    assert found.count == 2
    assert found.active.tolist() == [True, True, False, False]
    np.testing.assert_allclose(found.variances, [1, 0.04, 0.0025, 0], atol=1e-15)
    assert active_units(codes, settings=Settings(active_above=0.001)).count == 3


@pytest.mark.parametrize("metric", [normalised_permanence, gini_of_change])
def test_nothing_can_be_said_where_nothing_moves(metric):
    sentence = "expected a pair of frames whose code changed, got 3 that did not"
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        metric(np.zeros((3, 2)))


def test_slowness_refuses_what_it_cannot_measure():
    with pytest.raises(ValueError, match=r"^expected a latent that varies, got constant codes only$"):
        slowness(np.ones((3, 2)), np.ones((3, 2)))
    with pytest.raises(ValueError, match=r"^expected changes of 3 latents, as many as the codes have, got 2$"):
        slowness(np.ones((3, 2)), np.ones((3, 3)))


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 12), st.floats(1e-160, 1e150), st.floats(0.1, 4))
def test_ranges_and_invariances(seed, latents, scale, power):
    rng = np.random.default_rng(seed)
    changes = rng.normal(size=(7, latents)) * np.abs(rng.normal(size=(7, latents))) ** power
    turned = (changes * rng.choice([-1, 1], latents))[:, rng.permutation(latents)] * scale
    for metric, most in ((normalised_permanence, 1.0), (gini_of_change, 1 - 1 / latents)):
        found = metric(changes)
        assert 0 <= found.score <= most + 1e-12
        assert metric(turned).score == pytest.approx(found.score, abs=1e-9)
