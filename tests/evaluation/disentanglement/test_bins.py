"""Bins and information against numbers worked out by hand and against disentanglement_lib's own words."""

import math

import numpy as np

from perma_agent.evaluation.disentanglement.bins import discretise, varies
from perma_agent.evaluation.disentanglement.mutual_information import entropies, mutual_information


def test_bins_hold_their_lower_edge_and_the_last_one_both():
    # Edges 0, 1, 2, 3, 4: 0.99 is in the first bin, 1.0 in the second, the largest value in the last.
    values = np.array([[0.0], [0.99], [1.0], [3.5], [4.0]])
    assert discretise(values, 4)[:, 0].tolist() == [1, 1, 2, 4, 4]


def test_bins_are_those_of_disentanglement_lib(rng):
    values = rng.normal(size=(500, 4)) * [1, 1e-6, 1e6, 3]
    expected = np.stack([np.digitize(v, np.histogram(v, 20)[1][:-1]) for v in values.T], axis=1)
    np.testing.assert_array_equal(discretise(values, 20), expected)


def test_a_constant_column_is_one_bin_however_large_it_is():
    values = np.stack([np.full(5, 1e17), np.full(5, 0.0), 1.0 + 1e-15 * np.arange(5), np.arange(5.0)], axis=1)
    assert varies(values).tolist() == [False, False, False, True]
    assert np.unique(discretise(values[:, :3], 20)).tolist() == [1]


def test_information_by_hand():
    # v has four values twice each. z halves them: I = ln 2; w says nothing; v itself says H = ln 4.
    v = np.array([0, 0, 1, 1, 2, 2, 3, 3])
    z, w = v // 2, np.array([0, 1] * 4)
    found = mutual_information(np.stack([z, w, v], axis=1), v[:, None])
    np.testing.assert_allclose(found[:, 0], [math.log(2), 0, math.log(4)], atol=1e-12)
    np.testing.assert_allclose(entropies(np.stack([v, z], axis=1)), [math.log(4), math.log(2)], atol=1e-12)
