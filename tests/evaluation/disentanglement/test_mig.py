"""MIG and MIG-sup against tables worked out by hand, and against their formulas written out."""

import math

import numpy as np
import pytest

from perma_agent.evaluation.disentanglement import Settings, mig, mig_sup

V4 = np.array([0, 0, 1, 1, 2, 2, 3, 3])
"""Four values, twice each."""
V2 = np.array([0, 1] * 4)
"""Two values, independent of V4."""


def information(code, labels, bins):
    """I(z; v) from its definition, with disentanglement_lib's bins."""
    edges = np.linspace(code.min(), code.max(), bins + 1)[:-1]
    which = (code[:, None] >= edges).sum(axis=1)
    total = 0.0
    for z in np.unique(which):
        for v in np.unique(labels):
            joint = np.mean((which == z) & (labels == v))
            if joint:
                total += joint * math.log(joint / (np.mean(which == z) * np.mean(labels == v)))
    return total


def entropy(labels):
    shares = np.unique(labels, return_counts=True)[1] / len(labels)
    return -sum(p * math.log(p) for p in shares)


def test_mig_by_hand():
    # The first latent halves V4: I = ln 2 of H = ln 4; the second knows nothing of it. Gap 1/2. Of V2 the second
    # latent knows all, the first nothing: gap 1.
    found = mig(np.stack([V4 // 2, V2], axis=1), np.stack([V4, V2], axis=1))
    np.testing.assert_allclose(found.per_factor, [0.5, 1.0], atol=1e-12)
    assert found.score == pytest.approx(0.75)
    np.testing.assert_allclose(found.information, [[math.log(2), 0], [0, math.log(2)]], atol=1e-12)


def test_a_copy_closes_the_gap():
    assert mig(np.stack([V4, V4 + 7], axis=1), V4[:, None]).score == pytest.approx(0.0, abs=1e-12)


def test_mig_is_its_formula(entangled, factors):
    expected = []
    for v in factors.T:
        told = sorted(information(z, v, 20) for z in entangled.T)
        expected.append((told[-1] - told[-2]) / entropy(v))
    found = mig(entangled, factors)
    np.testing.assert_allclose(found.per_factor, expected, atol=1e-9)
    assert found.score == pytest.approx(np.mean(expected), abs=1e-9)
    assert 0.05 < found.score < 0.6


def test_continuous_factors_are_binned_like_codes(entangled):
    truth = entangled[:, :2] ** 3
    binned = np.stack([np.digitize(t, np.histogram(t, 20)[1][:-1]) for t in truth.T], axis=1)
    assert mig(entangled, truth, continuous=True).score == mig(entangled, binned).score


def test_bins_are_a_setting(entangled, factors):
    assert mig(entangled, factors, settings=Settings(bins=5)).score != mig(entangled, factors).score


def test_mig_sup_by_hand():
    # One latent of four values holds half of V4 (share 1/2) and all of V2 (share 1): gap 1/2. The constant one is left
    # out of the mean.
    codes = np.stack([2 * (V4 // 2) + V2, np.full(8, 3.0)], axis=1)
    found = mig_sup(codes, np.stack([V4, V2], axis=1))
    np.testing.assert_allclose(found.normalised_information, [[0.5, 1.0], [0.0, 0.0]], atol=1e-12)
    np.testing.assert_allclose(found.per_latent, [0.5, 0.0], atol=1e-12)
    assert found.informative.tolist() == [True, False]
    assert found.score == pytest.approx(0.5)


def test_mig_sup_sees_what_mig_does_not():
    # A single latent that holds both factors whole: MIG 1, for no other latent knows of them; MIG-sup 0.
    codes, truth = np.stack([2 * V4 + V2, np.zeros(8)], axis=1), np.stack([V4, V2], axis=1)
    assert mig(codes, truth).score == pytest.approx(1.0)
    assert mig_sup(codes, truth).score == pytest.approx(0.0, abs=1e-12)


def test_mig_sup_of_a_dead_code_is_zero():
    assert mig_sup(np.zeros((8, 3)), np.stack([V4, V2], axis=1)).score == 0.0


def test_mig_sup_is_its_formula(entangled, factors):
    gaps, told = [], []
    for z in entangled.T:
        shares = sorted(information(z, v, 20) / entropy(v) for v in factors.T)
        gaps.append(shares[-1] - shares[-2])
        told.append(shares[-1] > 0.05)
    found = mig_sup(entangled, factors)
    np.testing.assert_allclose(found.per_latent, gaps, atol=1e-9)
    assert found.informative.tolist() == told == [True] * 4 + [False] * 2
    assert found.score == pytest.approx(np.mean(np.array(gaps)[told]), abs=1e-9)
