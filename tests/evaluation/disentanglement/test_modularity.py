"""Modularity and explicitness against tables worked out by hand and against their definitions."""

import re

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import mutual_info_score

from perma_agent.evaluation.disentanglement import explicitness, modularity

V4 = np.array([0, 0, 1, 1, 2, 2, 3, 3])
V2 = np.array([0, 1] * 4)


def test_modularity_by_hand():
    # Half of V4 and all of V2 are ln 2 each: (2 - 1) / 1 taken off, 0. V4 alone: 1. A constant: 0 by convention.
    # All of both: I = (ln 4, ln 2), squares 4 : 1, so 1 - 1/4.
    codes = np.stack([2 * (V4 // 2) + V2, V4, np.full(8, 2), 2 * V4 + V2], axis=1)
    found = modularity(codes, np.stack([V4, V2], axis=1))
    np.testing.assert_allclose(found.per_latent, [0, 1, 0, 0.75], atol=1e-12)
    assert found.score == pytest.approx(1.75 / 4)


def test_modularity_is_its_definition(entangled, factors):
    expected = []
    for z in entangled.T:
        binned = np.digitize(z, np.histogram(z, 20)[1][:-1])
        told = np.array([mutual_info_score(v, binned) for v in factors.T])
        template = np.where(told == told.max(), told, 0)
        expected.append(1 - ((told - template) ** 2).sum() / (told.max() ** 2 * 2))
    np.testing.assert_allclose(modularity(entangled, factors).per_latent, expected, atol=1e-12)


def area(scores, positive):
    """P(a positive outranks a negative), ties counting half."""
    above = scores[positive][:, None] - scores[~positive][None]
    return np.mean((above > 0) + 0.5 * (above == 0))


def test_explicitness_is_its_definition(entangled, factors, held_out, rng):
    mean, std = entangled[~held_out].mean(axis=0), entangled[~held_out].std(axis=0)
    scaled = (entangled - mean) / std
    on_train, on_test = [], []
    for v in factors.T:
        model = LogisticRegression().fit(scaled[~held_out], v[~held_out])
        for rows, found in ((~held_out, on_train), (held_out, on_test)):
            p = model.predict_proba(scaled[rows])
            found.append(np.mean([area(p[:, i], v[rows] == value) for i, value in enumerate(np.unique(v))]))
    found = explicitness(entangled, factors, rng, held_out=held_out)
    np.testing.assert_allclose(found.per_factor, on_test, atol=1e-3)
    assert found.score == pytest.approx(np.mean(on_test), abs=1e-3)
    assert found.train == pytest.approx(np.mean(on_train), abs=1e-3)
    assert 0.6 < found.score < 0.99


def test_explicitness_at_its_ends(identity, factors, rng):
    # Ordered values of a linear code are told from each other one against the rest only at the ends, so one-hot codes
    # are the perfect ones.
    one_hot = np.concatenate([np.eye(5)[v.astype(int)] for v in factors.T], axis=1)
    assert explicitness(one_hot, factors, rng).score == pytest.approx(1.0)
    assert explicitness(rng.normal(size=identity.shape), factors, rng).score == pytest.approx(0.5, abs=0.06)


def test_explicitness_ignores_constant_latents(entangled, factors, held_out, rng):
    padded = np.concatenate([entangled, np.full((len(factors), 1), 0.1)], axis=1)
    first = explicitness(entangled, factors, rng, held_out=held_out)
    assert explicitness(padded, factors, rng, held_out=held_out).score == pytest.approx(first.score, abs=1e-6)


def test_a_latent_that_wakes_among_the_rows_held_out_is_ignored_there(entangled, factors, held_out, rng):
    waking = np.where(held_out, 1e6 * rng.normal(size=len(factors)), 0.1)[:, None]
    padded = np.concatenate([entangled, waking], axis=1)
    first = explicitness(entangled, factors, rng, held_out=held_out)
    assert explicitness(padded, factors, rng, held_out=held_out).score == pytest.approx(first.score, abs=1e-6)


def test_explicitness_leaves_out_values_a_side_lacks(rng):
    v = np.array([0, 1] * 20 + [2] * 4)
    held_out = np.arange(44) >= 20  # 2 is among those held out only
    codes = np.stack([v == 0, v == 1], axis=1) + 0.0
    assert explicitness(codes, v[:, None], rng, held_out=held_out).score == pytest.approx(1.0)


def test_explicitness_needs_variety_on_either_side(rng):
    v = np.array([0, 1] * 4 + [1] * 4)
    sentence = "expected known values of factor 0, and not one only, in the rows held out; bring more"
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        explicitness(v[:, None] + 0.0, v[:, None], rng, held_out=np.arange(12) >= 8)
