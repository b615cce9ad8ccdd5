"""FactorVAE's and BetaVAE's scores: what is drawn, and what is made of it, against their definitions."""

import re

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from perma_agent.evaluation.disentanglement import Settings, beta_vae_score, factor_vae_score
from perma_agent.evaluation.disentanglement.factor_groups import FactorGroups


def test_companions_share_the_value_and_are_drawn_evenly(rng):
    labels = np.array([[0, 5], [1, 5], [0, 6], [0, 6]])
    groups = FactorGroups(labels, rows_per_value=1)
    factors = np.array([0, 1])
    anchors = np.array([[0] * 3_000, [0] * 3_000])
    drawn = groups.companions(factors, anchors, rng)
    np.testing.assert_allclose(np.bincount(drawn[0], minlength=4) / 3_000, [1 / 3, 0, 1 / 3, 1 / 3], atol=0.04)
    np.testing.assert_allclose(np.bincount(drawn[1], minlength=4) / 3_000, [1 / 2, 1 / 2, 0, 0], atol=0.04)


def test_rare_values_are_never_held_fixed(rng):
    labels = np.array([[0], [0], [1], [1], [2]])
    drawn = FactorGroups(labels, rows_per_value=2).anchors(np.zeros(50, dtype=int), 20, rng)
    assert set(drawn.ravel()) == {0, 1, 2, 3}


def test_too_few_rows_of_a_factors_values():
    sentence = (
        "expected at least 2 values of factor 1 with 2 rows or more, got 1; bring more rows, or lower rows_per_value"
    )
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        FactorGroups(np.array([[0, 0], [0, 0], [1, 1], [1, 2]]), rows_per_value=2)


def test_identity_has_a_latent_per_factor(identity, factors, rng, quick):
    found = factor_vae_score(identity[:, [2, 0, 1]], factors, rng, settings=quick)
    assert found.score == found.train_accuracy == 1.0
    assert found.votes.sum() == quick.train_groups
    assert (found.votes > 0).tolist() == [[False, True, False], [False, False, True], [True, False, False]]
    assert beta_vae_score(identity, factors, rng, settings=quick).score == 1.0


def test_dead_latents_do_not_vote(identity, factors, rng, quick):
    codes = np.concatenate([np.full((len(factors), 1), 3.0), identity, 0.01 * identity[:, :1]], axis=1)
    found = factor_vae_score(codes, factors, rng, settings=quick)
    assert found.active.tolist() == [False, True, True, True, False]
    assert found.votes[:, ~found.active].sum() == 0
    assert found.score == 1.0


def test_a_dead_code_scores_nothing(factors, rng, quick):
    found = factor_vae_score(np.zeros((len(factors), 2)), factors, rng, settings=quick)
    assert (found.score, found.train_accuracy, found.votes.sum()) == (0.0, 0.0, 0)
    assert beta_vae_score(np.zeros((len(factors), 2)), factors, rng, settings=quick).score < 0.45


def test_factor_vae_scores_groups_it_has_not_learnt_from(factors, rng):
    # Of three groups each is right or wrong, so the score is a multiple of 1/3; that on 100 groups is not.
    noise = rng.normal(size=(len(factors), 2))
    found = factor_vae_score(noise, factors, rng, settings=Settings(train_groups=100, test_groups=3))
    assert found.score * 3 == pytest.approx(round(found.score * 3))
    assert found.train_accuracy * 100 == pytest.approx(round(found.train_accuracy * 100))
    assert found.train_accuracy < 0.6


def one_group(codes, factors, k, size, rng):
    """Rows of which factor k has the value of a random row."""
    value = factors[rng.integers(len(factors)), k]
    return codes[rng.choice(np.flatnonzero(factors[:, k] == value), size)]


def test_factor_vae_is_its_definition(entangled, factors):
    rng, settings = np.random.default_rng(7), Settings(train_groups=4_000, test_groups=4_000)
    spread = entangled.var(axis=0, ddof=1)
    votes = np.zeros((2, 3, 6))
    for which in range(2):
        for _ in range(4_000):
            k = rng.integers(3)
            group = one_group(entangled, factors, k, 64, rng)
            votes[which, k, np.argmin(group.var(axis=0, ddof=1) / spread)] += 1
    named = votes[0].argmax(axis=0)
    expected = sum(votes[1, named[d], d] for d in range(6)) / 4_000
    found = factor_vae_score(entangled, factors, np.random.default_rng(8), settings=settings)
    assert found.score == pytest.approx(expected, abs=0.03)
    np.testing.assert_allclose(found.votes / 4_000, votes[0] / 4_000, atol=0.03)
    assert 0.4 < found.score < 0.98


def test_beta_vae_is_its_definition(entangled, factors):
    rng, settings = np.random.default_rng(7), Settings(group=5, train_groups=3_000, test_groups=3_000)
    features, labels = np.zeros((6_000, 6)), rng.integers(3, size=6_000)
    members = {(k, v): np.flatnonzero(factors[:, k] == v) for k in range(3) for v in range(5)}
    for g, k in enumerate(labels):
        first = rng.integers(len(factors), size=5)
        second = [rng.choice(members[k, factors[i, k]]) for i in first]
        features[g] = np.abs(entangled[first] - entangled[second]).mean(axis=0)
    model = LogisticRegression().fit(features[:3_000], labels[:3_000])
    expected = model.score(features[3_000:], labels[3_000:])
    found = beta_vae_score(entangled, factors, np.random.default_rng(8), settings=settings)
    assert found.score == pytest.approx(expected, abs=0.035)
    assert found.train_accuracy == pytest.approx(model.score(features[:3_000], labels[:3_000]), abs=0.035)
    assert 0.4 < found.score < 0.95


@pytest.mark.parametrize("metric", [factor_vae_score, beta_vae_score])
def test_continuous_factors_are_held_to_a_bin(metric, rng, quick):
    truth = rng.uniform(size=(2_000, 2))
    assert metric(truth[:, ::-1] * 3, truth, rng, continuous=True, settings=quick).score > 0.98
    noise = rng.normal(size=(2_000, 2))
    assert metric(noise, truth, rng, continuous=True, settings=quick).score < 0.65
