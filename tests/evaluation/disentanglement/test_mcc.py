"""MCC against tables worked out by hand and against every possible matching."""

import itertools
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import pearsonr, spearmanr

from perma_agent.evaluation.disentanglement import mcc


def test_by_hand():
    # v = (0, 1, 2, 3). z_0 = -v: correlation 1. z_1 = (0, 1, 3, 2): ranks differ by d = (0, 0, 1, -1), Spearman
    # 1 - 6·2 / (4·15) = 0.8.
    v = np.array([0.0, 1, 2, 3])
    codes = np.stack([-v, [0, 1, 3, 2]], axis=1)
    found = mcc(codes, np.stack([v, v[[1, 3, 0, 2]]], axis=1))
    np.testing.assert_allclose(found.correlation[:, 0], [1.0, 0.8])
    assert mcc(codes, v[:, None]).score == pytest.approx(1.0)
    assert mcc(codes, v[:, None]).latents.tolist() == [0]


def test_pearson_is_bent_by_a_curve_and_spearman_is_not(rng):
    v = rng.normal(size=(500, 1))
    assert mcc(v**3, v).score == pytest.approx(1.0)
    bent = mcc(v**3, v, method="pearson").score
    assert bent == pytest.approx(abs(pearsonr(v[:, 0] ** 3, v[:, 0])[0]))
    assert bent < 0.9


@pytest.mark.parametrize(("method", "correlation"), [("spearman", spearmanr), ("pearson", pearsonr)])
def test_is_the_best_matching(entangled, factors, method, correlation):
    table = [[abs(correlation(z, v)[0]) for v in factors.T] for z in entangled.T]
    best = max(sum(table[d][k] for k, d in enumerate(chosen)) for chosen in itertools.permutations(range(6), 3)) / 3
    found = mcc(entangled, factors, method=method)
    np.testing.assert_allclose(found.correlation, table, atol=1e-12)
    assert found.score == pytest.approx(best)
    assert found.per_factor.tolist() == [found.correlation[d, k] for k, d in enumerate(found.latents)]


def test_matching_is_one_to_one():
    # Both factors correlate most with the first latent, but only one may have it: |Spearman| 1 and 0.8.
    v = np.array([0.0, 1, 2, 3])
    codes = np.stack([v, [0, 1, 3, 2]], axis=1)
    found = mcc(codes, np.stack([v, v], axis=1))
    assert sorted(found.latents.tolist()) == [0, 1]
    assert found.score == pytest.approx(0.9)


def test_factors_without_a_latent_count_nothing(identity, factors):
    found = mcc(identity[:, :1], factors)
    assert found.latents.tolist() == [0, -1, -1]
    assert found.per_factor[1:].tolist() == [0, 0]
    assert found.score == pytest.approx(found.per_factor[0] / 3)


def test_a_constant_latent_correlates_with_nothing(factors):
    for method in ("spearman", "pearson"):
        found = mcc(np.full((len(factors), 3), 0.1), factors, method=method)
        assert found.score == 0.0


def test_unknown_method(identity, factors):
    sentence = "expected method 'spearman' or 'pearson', got 'kendall'"
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        mcc(identity, factors, method="kendall")


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.permutations(range(4)), st.lists(st.sampled_from([-1, 1]), min_size=4, max_size=4))
def test_neither_order_nor_sign_matters(seed, order, signs):
    rng = np.random.default_rng(seed)
    codes, truth = rng.normal(size=(30, 4)), rng.normal(size=(30, 3))
    first, second = mcc(codes, truth), mcc((codes * signs)[:, order], truth)
    assert 0 <= first.score <= 1
    assert second.score == pytest.approx(first.score)
    assert [order[d] for d in second.latents] == first.latents.tolist()
