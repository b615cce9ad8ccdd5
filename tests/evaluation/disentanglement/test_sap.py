"""SAP against tables worked out by hand and against its definition."""

import numpy as np
import pytest
from sklearn.svm import LinearSVC

from perma_agent.evaluation.disentanglement import sap


def test_discrete_sap_by_hand(rng):
    # The first latent is the factor: accuracy 1. The second is the same for both values: it can only guess, 1/2.
    v = np.array([0, 1] * 20)
    codes = np.stack([10.0 * v, np.zeros(40)], axis=1)
    held_out = np.arange(40) >= 20
    found = sap(codes, v[:, None], rng, held_out=held_out)
    np.testing.assert_allclose(found.predictability[:, 0], [1.0, 0.5])
    assert found.score == 0.5


def test_continuous_sap_by_hand(rng):
    # z = v: squared correlation 1. w = (1, -1, -1, 1) against v = (0, 1, 2, 3): covariance 0. u = (0, 1, 2, 0) has
    # covariance sum 0.5 of variances 2.75 and 5: 0.25 / 13.75.
    v = np.tile([0.0, 1, 2, 3], 2)
    codes = np.stack([-3 * v, np.tile([1.0, -1, -1, 1], 2), np.tile([0.0, 1, 2, 0], 2), np.full(8, 5.0)], axis=1)
    found = sap(codes, v[:, None], rng, continuous=True, held_out=np.arange(8) >= 4)
    np.testing.assert_allclose(found.predictability[:, 0], [1, 0, 0.25 / 13.75, 0], atol=1e-12)
    assert found.score == pytest.approx(1 - 0.25 / 13.75)


def test_discrete_sap_is_its_definition(entangled, factors, held_out, rng):
    # disentanglement_lib solves the dual; brought to convergence, that is the same machine.
    expected = np.zeros((6, 3))
    for d, z in enumerate(entangled.T):
        for k, v in enumerate(factors.T):
            machine = LinearSVC(C=0.01, class_weight="balanced", dual=True, max_iter=100_000, random_state=0)
            machine.fit(z[~held_out, None], v[~held_out])
            expected[d, k] = np.mean(machine.predict(z[held_out, None]) == v[held_out])
    found = sap(entangled, factors, rng, held_out=held_out)
    np.testing.assert_allclose(found.predictability, expected, atol=0.01)
    ordered = np.sort(found.predictability, axis=0)
    assert found.score == pytest.approx((ordered[-1] - ordered[-2]).mean())


def test_continuous_sap_is_its_definition(entangled, held_out, rng):
    truth = entangled[:, :2] + np.roll(entangled[:, 2:4], 1, axis=1)
    found = sap(entangled, truth, rng, continuous=True, held_out=held_out)
    for d, z in enumerate(entangled[~held_out].T):
        for k, v in enumerate(truth[~held_out].T):
            c = np.cov(z, v, ddof=1)
            assert found.predictability[d, k] == pytest.approx(c[0, 1] ** 2 / (c[0, 0] * c[1, 1]), abs=1e-10)


def test_kinds_can_be_mixed(entangled, factors, held_out, rng):
    truth = np.stack([factors[:, 0], entangled[:, 1]], axis=1)
    mixed = sap(entangled, truth, rng, continuous=[False, True], held_out=held_out)
    discrete = sap(entangled, factors[:, :1], rng, held_out=held_out)
    continuous = sap(entangled, entangled[:, 1:2], rng, continuous=True, held_out=held_out)
    np.testing.assert_array_equal(mixed.per_factor, [*discrete.per_factor, *continuous.per_factor])
