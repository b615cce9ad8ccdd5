"""DCI against matrices worked out by hand and against scikit-learn's own trees, whose model it must be."""

import math

import numpy as np
import pytest
from scipy.stats import entropy
from sklearn.ensemble import GradientBoostingClassifier, GradientBoostingRegressor

from perma_agent.evaluation.disentanglement import Settings, dci, dci_forest
from perma_agent.evaluation.disentanglement.boosted_trees import BoostedTrees
from perma_agent.evaluation.disentanglement.dci import disentanglement


def test_disentanglement_of_matrices_by_hand():
    assert disentanglement(np.eye(3)) == pytest.approx(1.0)
    assert disentanglement(np.ones((4, 2))) == pytest.approx(0.0)
    assert disentanglement(np.zeros((4, 2))) == 0.0
    # Rows (3, 0) and (1/2, 1/2): purities 1 and 0, weights 3/4 and 1/4.
    assert disentanglement(np.array([[3.0, 0.0], [0.5, 0.5]])) == pytest.approx(0.75)
    # One row (3/4, 1/4): H_2 = 2 - 3/4 log2 3.
    assert disentanglement(np.array([[3.0, 1.0]])) == pytest.approx(1 - (2 - 0.75 * math.log2(3)))


def test_completeness_is_disentanglement_of_columns(entangled, factors, rng, quick):
    found = dci(entangled, factors, rng, settings=quick)
    assert found.importance.shape == (6, 3)
    np.testing.assert_allclose(found.importance.sum(axis=0), 1.0)
    assert found.completeness == disentanglement(found.importance.T)
    assert found.disentanglement == disentanglement(found.importance)


def sklearn_dci(codes, factors, held_out, seed):
    """disentanglement_lib's definition, from its formulas."""
    importances, on_train, on_test = [], [], []
    for v in factors.T:
        model = GradientBoostingClassifier(random_state=seed).fit(codes[~held_out], v[~held_out])
        importances.append(np.abs(model.feature_importances_))
        on_train.append(np.mean(model.predict(codes[~held_out]) == v[~held_out]))
        on_test.append(np.mean(model.predict(codes[held_out]) == v[held_out]))
    r = np.stack(importances, axis=1)
    d = sum(row.sum() / r.sum() * (1 - entropy(row + 1e-11, base=r.shape[1])) for row in r)
    c = sum(col.sum() / r.sum() * (1 - entropy(col + 1e-11, base=r.shape[0])) for col in r.T)
    return r, d, c, np.mean(on_train), np.mean(on_test)


def test_dci_is_disentanglement_libs(entangled, factors, held_out, rng):
    entangled, factors, held_out = entangled[:600], factors[:600], held_out[:600]
    r, d, c, on_train, on_test = sklearn_dci(entangled, factors, held_out, seed=0)
    other = sklearn_dci(entangled, factors, held_out, seed=1)[0]
    found = dci(entangled, factors, rng, held_out=held_out)
    chance = np.abs(r - other).max()  # by which scikit-learn differs from itself
    assert chance < 5e-3
    assert np.abs(found.importance - r).max() < 3 * chance
    assert found.disentanglement == pytest.approx(d, abs=5e-3)
    assert found.completeness == pytest.approx(c, abs=5e-3)
    assert found.informativeness_train == pytest.approx(on_train, abs=1e-12)
    assert found.informativeness_test == pytest.approx(on_test, abs=0.01)
    assert 0.1 < found.disentanglement < 0.8


@pytest.mark.parametrize("values", [2, 5])
def test_boosted_trees_classify_as_sklearn_does(rng, values):
    y = rng.integers(values, size=400) * 3 - 1
    x = rng.normal(size=(400, 4)) + y[:, None] * [0.5, 0.2, 0.0, 0.0]
    theirs = GradientBoostingClassifier(random_state=0).fit(x, y)
    ours = BoostedTrees(100, continuous=False, seed=0).fit(x, y)
    np.testing.assert_array_equal(ours.predict(x), theirs.predict(x))
    np.testing.assert_allclose(ours.feature_importances_, theirs.feature_importances_, atol=0.01)
    assert ours.score(x, y) == pytest.approx(theirs.score(x, y))


@pytest.mark.parametrize("decimals", [0, 1, 9])
def test_boosted_trees_regress_as_sklearn_does(rng, decimals):
    # Rounded codes have ties, at which no tree may split.
    x = rng.normal(size=(300, 3)).round(decimals)
    y = x @ [1.0, 0.3, 0.0] + rng.normal(0, 0.3, 300)
    theirs = GradientBoostingRegressor(random_state=0).fit(x, y)
    ours = BoostedTrees(100, continuous=True, seed=0).fit(x, y)
    np.testing.assert_allclose(ours.predict(x), theirs.predict(x), atol=1e-9)
    np.testing.assert_allclose(ours.feature_importances_, theirs.feature_importances_, atol=0.01)
    assert ours.score(x, y) == pytest.approx(theirs.score(x, y))


def test_boosted_trees_predict_new_rows_as_sklearn_does(rng):
    # Of a single latent, so that no two latents split equally well and chance has no say.
    x = rng.normal(size=(300, 1))
    y = np.sin(3 * x[:, 0]) + rng.normal(0, 0.2, 300)
    new = rng.normal(size=(300, 1))
    ours, theirs = BoostedTrees(100, continuous=True, seed=0).fit(x, y), GradientBoostingRegressor().fit(x, y)
    np.testing.assert_allclose(ours.predict(new), theirs.predict(new), atol=1e-9)


def test_boosted_trees_of_a_dead_code_need_nothing():
    x, y = np.zeros((20, 3)), np.arange(20) % 2
    model = BoostedTrees(5, continuous=False, seed=0).fit(x, y)
    assert model.feature_importances_.tolist() == [0, 0, 0]
    assert len(set(model.predict(x))) == 1


def test_continuous_factors_are_regressed(rng, quick):
    codes = rng.uniform(-1, 1, size=(400, 3))
    truth = np.stack([codes[:, 0] ** 3, codes[:, 1]], axis=1)
    found = dci(codes, truth, rng, continuous=True, settings=quick)
    assert min(found.disentanglement, found.completeness) > 0.95
    assert min(found.informativeness_test, found.informativeness_train) > 0.95
    assert max(found.informativeness_test, found.informativeness_train) <= 1


@pytest.mark.parametrize("metric", [dci, dci_forest])
def test_threads_do_not_matter_and_the_seed_decides(metric, entangled, factors, quick):
    first = metric(entangled, factors, np.random.default_rng(0), settings=quick)
    second = metric(entangled, factors, np.random.default_rng(0), settings=quick, n_jobs=2)
    other = metric(entangled, factors, np.random.default_rng(1), settings=quick)
    np.testing.assert_array_equal(first.importance, second.importance)
    assert first.informativeness_test == second.informativeness_test
    assert (first.importance != other.importance).any()


def test_forest_agrees_about_the_ends_and_orders_alike(identity, rotated, factors, rng):
    best, worse = dci_forest(identity, factors, rng), dci_forest(rotated, factors, rng)
    assert min(best.disentanglement, best.completeness, best.informativeness_test) > 0.98
    assert worse.disentanglement < best.disentanglement - 0.2


def test_forest_has_regression_too(identity, rng):
    found = dci_forest(identity, identity[:, :2], rng, continuous=True, settings=Settings(forest_trees=3))
    assert found.disentanglement > 0.95
