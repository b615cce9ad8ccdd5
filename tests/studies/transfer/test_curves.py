"""Learning curves and how soon they get somewhere, against numbers worked out by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from perma_agent.studies.transfer.sample_efficiency.curves import (
    Curves,
    common_moments,
    curves_of,
    first_reach,
    iqm_curve,
    reach,
    resampled_curves,
    window_of,
    windowed_means,
)

RNG = np.random.default_rng
STEPS = np.array([10, 20, 30, 40])


def curves(*returns, seconds=(1.0, 2.0, 3.0, 4.0), steps=STEPS):
    return Curves(steps=steps, returns=np.array(returns, dtype=float), seconds=np.tile(seconds, (len(returns), 1)))


def test_a_window_takes_the_mean_over_its_episodes_and_stands_where_none_ended():
    sums = np.array([[0.0, 2.0, 4.0, 0.0, 0.0, 9.0]])
    counts = np.array([[0.0, 1.0, 3.0, 0.0, 0.0, 1.0]])
    means = windowed_means(sums, counts, window=2)
    np.testing.assert_allclose(means, [[np.nan, 2.0, 6 / 4, 4 / 3, 4 / 3, 9.0]])


@given(st.lists(st.tuples(st.floats(-5, 5), st.integers(0, 3)), min_size=1, max_size=12), st.integers(1, 5))
def test_every_window_agrees_with_the_mean_taken_by_itself(rollouts, window):
    sums = np.array([[value * count for value, count in rollouts]])
    counts = np.array([[float(count) for _, count in rollouts]])
    before = np.nan
    for place, mean in enumerate(windowed_means(sums, counts, window=window)[0]):
        inside = slice(max(0, place + 1 - window), place + 1)
        if counts[0, inside].sum():
            before = sums[0, inside].sum() / counts[0, inside].sum()
        np.testing.assert_allclose(mean, before, atol=1e-9)


def test_a_window_is_as_long_as_the_longest_episode_of_all_copies(make_cell):
    assert window_of(make_cell("vase", 0, [0.0] * 8)) == 1  # 2 copies of 5 steps, 10 a rollout
    cell = make_cell("vase", 0, [0.0] * 8)
    assert window_of(replace(cell, settings={**cell.settings, "episode_limit": 12})) == 3
    assert window_of(make_cell("vase", 0, [0.0] * 40)) == 4  # a tenth


def test_curves_begin_with_the_first_whole_window(make_cell):
    cells = [
        replace(cell, settings={**cell.settings, "episode_limit": 10})
        for cell in (make_cell("vase", seed, [1.0 * seed, 2.0, 4.0]) for seed in (0, 1))
    ]
    found = curves_of(cells)
    assert found.steps.tolist() == [20, 30]
    np.testing.assert_allclose(found.returns, [[1.0, 3.0], [1.5, 3.0]])
    np.testing.assert_allclose(found.seconds, [[4.0, 6.0]] * 2)
    assert curves_of([]) is None
    assert curves_of([replace(cells[0], settings={**cells[0].settings, "episode_limit": 100})]) is None


def test_first_reach_is_the_first_moment_at_the_threshold_or_none():
    lines = np.array([[0.0, 2.0, 1.0, 3.0], [0.0, 0.1, 0.2, 0.3]])
    assert first_reach(lines, np.array([2.0, 1.0])).tolist() == [1, 4]
    assert int(first_reach(lines[0], np.array(0.0))) == 0


def test_the_iqm_curve_is_the_trimmed_mean_over_runs_of_all_strata():
    values = RNG(0).normal(size=(9, 4))
    two = [curves(*values[:4]), curves(*values[4:])]
    np.testing.assert_allclose(iqm_curve(two), stats.trim_mean(values, 0.25, axis=0))
    hand = curves(*([value] * 4 for value in (100.0, 1.0, 2.0, 3.0, -100.0)))
    np.testing.assert_allclose(iqm_curve([hand]), 2.0)  # the highest and the lowest of five are dropped


def test_a_resample_has_the_iqm_of_the_runs_it_drew():
    values = RNG(0).normal(size=(5, 4))
    drawn = resampled_curves([curves(*values)], rng=RNG(1), resamples=3)
    chosen = RNG(1).integers(0, 5, (3, 5))
    np.testing.assert_allclose(drawn, [stats.trim_mean(values[rows], 0.25, axis=0) for rows in chosen])


def test_strata_are_resampled_among_themselves():
    two = [curves(*[[0.0] * 4] * 3), curves(*[[1.0] * 4] * 3)]
    drawn = resampled_curves(two, rng=RNG(0), resamples=50)
    np.testing.assert_allclose(drawn, 0.5)  # three runs of each in every resample, whichever they are
    mixed = resampled_curves([curves(*[[0.0] * 4] * 3, *[[1.0] * 4] * 3)], rng=RNG(0), resamples=50)
    assert mixed.std() > 0.1


def test_the_steps_ratio_by_hand():
    ours = curves([0.0, 3.0, 3.0, 3.0])
    theirs = curves([0.0, 1.0, 2.5, 2.0])
    found = reach([ours], [theirs], rng=RNG(0), resamples=10)
    assert found.target == 2.0 and found.reached and found.missed == 0.0
    assert found.steps == (20, 30)  # theirs was as good as in the end after 30 already
    assert found.ratio == pytest.approx(2 / 3) and found.seconds == pytest.approx(2 / 3)
    np.testing.assert_allclose(found.ratios, 2 / 3)
    assert reach([ours], [theirs], rng=RNG(0), resamples=10, budget=True).ratio == pytest.approx(0.5)


def test_what_was_spent_before_counts_on_our_side_only():
    ours, theirs = curves([0.0, 3.0, 3.0, 3.0]), curves([0.0, 0.0, 0.0, 2.0])
    found = reach([ours], [theirs], rng=RNG(0), resamples=10, before=(60, 6.0))
    assert found.ratio == pytest.approx((60 + 20) / 40) and found.seconds == pytest.approx((6 + 2) / 4)
    np.testing.assert_allclose(found.ratios, 2.0)


def test_an_arm_beside_itself_has_ratio_one():
    own = curves(*RNG(1).normal(size=(5, 4)).cumsum(axis=1))
    assert reach([own], [own], rng=RNG(0), resamples=10).ratio == 1.0


def test_what_is_never_reached_counts_as_the_budget_and_says_so():
    found = reach([curves([0.0, 0.0, 1.0, 1.0])], [curves([0.0, 2.0, 2.0, 2.0])], rng=RNG(0), resamples=10)
    assert not found.reached and found.missed == 1.0
    assert found.ratio == 2.0 and found.steps == (40, 20)


def test_resamples_that_miss_are_counted():
    ours = curves(*[[0.0, 5.0, 5.0, 5.0]] * 2, *[[0.0] * 4] * 3)
    theirs = curves(*[[0.0, 0.0, 0.0, 1.0]] * 5)
    found = reach([ours], [theirs], rng=RNG(0), resamples=2_000)
    kept = [values for values in RNG(2).integers(0, 5, (20_000, 5)) if np.sort(values < 2)[1:4].mean() * 5 >= 1]
    assert found.missed == pytest.approx(1 - len(kept) / 20_000, abs=0.03)


def test_levels_are_cut_to_the_moments_they_share():
    short = Curves(steps=STEPS[2:], returns=np.array([[7.0, 8.0]]), seconds=np.array([[3.0, 4.0]]))
    first, second = common_moments([curves([1.0, 2.0, 3.0, 4.0]), short])
    assert first.steps.tolist() == second.steps.tolist() == [30, 40]
    assert first.returns.tolist() == [[3.0, 4.0]] and second.returns.tolist() == [[7.0, 8.0]]
    with pytest.raises(ValueError, match=r"^expected curves at the same moments, got others; cut them"):
        reach([short], [curves([1.0] * 4)], rng=RNG(0), resamples=1)
