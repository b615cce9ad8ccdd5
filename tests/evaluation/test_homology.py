"""Homology on codes whose meaning is known: the same, swapped, turned round, shifted, masked, or noise."""

from __future__ import annotations

import re

import numpy as np
import pytest

from perma_agent.evaluation.disentanglement import Settings
from perma_agent.evaluation.disentanglement.tables import checked_table
from perma_agent.evaluation.homology import NOT_CARRIED, Homology, HomologyConfig, homology
from perma_agent.evaluation.homology_places import importances

QUICK = HomologyConfig(shuffles=2, settings=Settings(boosting_trees=40))
LINE = HomologyConfig(reader="linear", shuffles=2)
ROWS = 2_000


def uniform(seed: int, count: int = 3) -> np.ndarray:
    """Independent factors in [-1, 1]."""
    return np.random.default_rng(seed).uniform(-1, 1, size=(ROWS, count))


def compare(a: np.ndarray, b: np.ndarray, *, codes_a=None, codes_b=None, config=QUICK, **options) -> Homology:
    """Homology of two environments whose codes are their factors unless others are given."""
    codes = {"in": a if codes_a is None else codes_a, "out": b if codes_b is None else codes_b}
    options = {"continuous": True, **options}
    return homology(codes, {"in": a, "out": b}, np.random.default_rng(0), config=config, **options)


def test_the_same_code_means_the_same():
    found = compare(uniform(1), uniform(2))
    assert found.score > 0.98
    assert found.code_reading > 0.98
    assert found.same_latent == 1
    np.testing.assert_array_equal(found.latents, [[0, 1, 2], [0, 1, 2]])
    for transfer in found.transfers:
        assert (transfer.sign == 1).all()
        assert (transfer.similarity > 0.99).all()
    assert [(t.source, t.target) for t in found.transfers] == [("in", "out"), ("out", "in")]


def test_latents_that_swapped_their_meaning_are_no_homology():
    b = uniform(2)
    found = compare(uniform(1), b, codes_b=b[:, [1, 2, 0]])
    assert found.score == found.same_latent == found.code_reading == 0
    np.testing.assert_array_equal(found.latents, [[0, 1, 2], [2, 0, 1]])
    assert all((t.similarity < 0.05).all() for t in found.transfers)


@pytest.mark.parametrize("config", [QUICK, LINE])
def test_a_latent_turned_round_is_told_from_one_that_is_not(config):
    b = uniform(2)
    found = compare(uniform(1), b, codes_b=b * [1, -1, 1], config=config)
    for transfer in found.transfers:
        np.testing.assert_array_equal(transfer.sign, [1, -1, 1])
        assert transfer.same_latent.all()
        assert transfer.similarity[1] > 0.99  # which does not see it
        assert transfer.latent_skill[1] < -1  # v̂ = -v: R² = 1 - 4 = -3
    assert found.per_factor[1] == 0
    assert (found.per_factor[[0, 2]] > 0.98).all()
    assert found.same_latent == pytest.approx(2 / 3)


def test_noise_means_nothing(rng):
    a, b = uniform(1), uniform(2)
    found = compare(a, b, codes_a=rng.normal(size=(ROWS, 5)), codes_b=rng.normal(size=(ROWS, 5)))
    assert found.score == found.same_latent == 0
    assert found.code_reading < 0.02
    assert (found.latents == NOT_CARRIED).all()
    assert found.importance.max() < 0.05
    assert all(np.isnan(t.latent_skill).all() and (t.sign == 0).all() for t in found.transfers)


def test_a_masked_latent_carries_nothing():
    masks = {"in": np.ones(3), "out": np.array([False, True, True])}
    found = compare(uniform(1), uniform(2), masks=masks)
    np.testing.assert_array_equal(found.latents, [[0, 1, 2], [NOT_CARRIED, 1, 2]])
    assert found.per_factor[0] == 0
    assert (found.per_factor[1:] > 0.98).all()
    there, back = found.transfers
    assert there.code_reading[0] == back.code_reading[0] == 0
    assert not there.same_latent[0]
    assert np.isnan(there.latent_ceiling[0])
    assert back.latent_ceiling[0] > 0.98


def test_a_shift_is_counted_as_its_size():
    # v is ±1, half each, so its variance is 1. In "out" the code is v + 1/2: a line of "in" says v + 1/2, R² = 3/4.
    v = np.tile([[-1.0, -1], [-1, 1], [1, -1], [1, 1]], (ROWS // 4, 1))
    held_out = {name: np.arange(ROWS) % 8 < 4 for name in ("in", "out")}
    found = compare(v, v, codes_b=v + np.array([0.5, 0]), config=LINE, held_out=held_out)
    there = found.transfers[0]
    assert there.latent_skill == pytest.approx([0.75, 1], abs=1e-3)
    assert there.latent_reading == pytest.approx([0.75, 1], abs=1e-3)
    assert there.code_skill == pytest.approx([0.75, 1], abs=1e-3)
    assert there.latent_ceiling == pytest.approx([1, 1], abs=1e-5)


def test_an_entangled_code_that_is_everywhere_the_same_is_read_as_a_whole():
    turn = np.array([[1.0, 1], [-1, 1]]) / np.sqrt(2)
    a, b = uniform(1, 2), uniform(2, 2)
    found = compare(a, b, codes_a=a @ turn, codes_b=b @ turn, config=LINE)
    assert found.code_reading > 0.99
    against = compare(a, b, codes_a=a @ turn, codes_b=b @ turn.T, config=LINE)
    assert against.code_reading < 0.05


def test_names_are_compared_by_what_is_told_beyond_chance():
    def world(seed):
        labels = np.random.default_rng(seed).integers(0, 3, size=ROWS)
        return np.stack([labels, uniform(seed)[:, 0]], axis=1)

    a, b = world(1), world(2)
    kinds = (False, True)
    found = compare(a, b, continuous=kinds)
    assert found.score > 0.98
    assert [t.sign[0] for t in found.transfers] == [0, 0]  # names have no order
    assert found.same_latent == 1
    renamed = compare(a, b, codes_b=np.stack([(b[:, 0] + 1) % 3, b[:, 1]], axis=1), continuous=kinds)
    assert renamed.per_factor[0] == 0
    assert renamed.per_factor[1] > 0.98


def test_trees_read_what_no_line_can():
    a, b = uniform(1, 2), uniform(2, 2)
    shaped = {"factors_a": np.stack([a[:, 0] ** 2, a[:, 1]], 1), "factors_b": np.stack([b[:, 0] ** 2, b[:, 1]], 1)}
    trees = compare(shaped["factors_a"], shaped["factors_b"], codes_a=a, codes_b=b)
    assert (trees.per_factor > 0.95).all()
    assert trees.transfers[0].sign.tolist() == [0, 1]  # neither up nor down
    line = compare(shaped["factors_a"], shaped["factors_b"], codes_a=a, codes_b=b, config=LINE)
    assert line.per_factor[0] == 0
    assert line.per_factor[1] > 0.98


def test_every_ordered_pair_of_three_environments_counts():
    a, b, c = (uniform(seed, 2) for seed in (1, 2, 3))
    factors = {"a": a, "b": b, "c": c}
    codes = {"a": a, "b": b, "c": c[:, ::-1]}
    found = homology(codes, factors, np.random.default_rng(0), continuous=True, config=LINE)
    assert len(found.transfers) == 6
    assert found.score == pytest.approx(2 / 6, abs=0.01)  # a to b and back
    assert found.environments == ("a", "b", "c")


def test_renumbering_latents_everywhere_changes_no_score():
    a, b = uniform(1), uniform(2)
    blurred = [f + np.random.default_rng(5).normal(0, 0.3, f.shape) for f in (a, b)]
    plain = compare(a, b, codes_a=blurred[0], codes_b=blurred[1])
    order = [2, 0, 1]
    turned = compare(a, b, codes_a=blurred[0][:, order], codes_b=blurred[1][:, order])
    np.testing.assert_allclose(plain.per_factor, turned.per_factor)
    np.testing.assert_array_equal(np.array(order)[turned.latents], plain.latents)


def test_the_same_seed_gives_the_same_figures():
    a, b = uniform(1), uniform(2)
    noise = np.random.default_rng(5).normal(0, 0.5, a.shape)
    one, again = (compare(a, b, codes_b=b + noise) for _ in range(2))
    np.testing.assert_array_equal(one.per_factor, again.per_factor)
    np.testing.assert_array_equal(one.importance, again.importance)


def test_importance_is_the_share_of_entropy_beyond_chance(rng):
    v = np.tile([0.0, 1.0], ROWS // 2)
    table = checked_table(np.stack([v, rng.normal(size=ROWS)], axis=1), v[:, None])
    found = importances(table, rng, shuffles=20, bins=20)
    assert found[0, 0] == pytest.approx(1, abs=2e-3)  # chance: (2 - 1)(2 - 1) / 2N = 2.5e-4 nats of ln 2
    assert found[1, 0] < 0.01


BAD = (
    ({"b": None}, "at least two environments, got 1"),
    ({"factors_of": "c"}, "expected factors of the environments ['a', 'b'], got ['a', 'c']"),
    ({"columns": 2}, "as many latents and factors everywhere"),
    ({"masks": {"a": np.ones(3), "b": np.ones(2)}}, "in environment 'b': expected a mask of 0 and 1 of shape [3]"),
    ({"constant": True}, "in environment 'b': expected factors that vary, got factor 1 constant"),
    ({"held_out": {"a": np.arange(ROWS) < 9, "b": np.zeros(ROWS, bool)}}, "in environment 'b': expected held_out"),
)


@pytest.mark.parametrize(("fault", "sentence"), BAD)
def test_what_does_not_fit_is_said_in_a_sentence(fault, sentence):
    codes = {"a": uniform(1), "b": uniform(2)}
    factors = {"a": uniform(1), "b": uniform(2)}
    options = {}
    if "b" in fault:
        del codes["b"], factors["b"]
    if "factors_of" in fault:
        factors["c"] = factors.pop("b")
    if "columns" in fault:
        factors["b"] = factors["b"][:, :2]
    if "constant" in fault:
        factors["b"][:, 1] = 4.0
    for name in ("masks", "held_out"):
        if name in fault:
            options[name] = fault[name]
    with pytest.raises(ValueError, match=re.escape(sentence)):
        homology(codes, factors, np.random.default_rng(0), continuous=True, config=LINE, **options)


def test_a_factor_that_does_not_vary_where_it_is_tested_is_refused():
    v = uniform(1, 2)
    v[:10, 1] = 0.5
    held_out = {"in": np.arange(ROWS) < 10, "out": np.arange(ROWS) < 100}
    with pytest.raises(ValueError, match=r"in environment 'in': expected factor 1 to vary in the rows held out"):
        compare(v, uniform(2, 2), held_out=held_out)


def test_settings_out_of_range():
    with pytest.raises(ValueError, match="shuffles >= 1"):
        HomologyConfig(shuffles=0)
