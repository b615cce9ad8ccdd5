"""Statistics against numbers worked out by hand."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perma_agent.evaluation.statistics import (
    bootstrap_interval,
    iqm,
    stratified_bootstrap_interval,
    success_ratio,
    wilson_interval,
)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def test_iqm_drops_a_quarter_at_either_end():
    # Of 8 values two fall away at each end; the rest, 3 4 5 6, have mean 4.5. The outlier 1000 does not count.
    assert iqm(np.array([1000.0, 2, 3, 4, 5, 6, 7, 1])) == 4.5


def test_iqm_of_few_values_is_their_mean():
    # floor(3 / 4) = 0 values fall away at either end.
    assert iqm(np.array([1.0, 2.0, 6.0])) == 3.0


def test_iqm_along_an_axis():
    values = np.array([[1.0, 2.0, 3.0, 10.0], [0.0, 4.0, 6.0, 7.0]])
    np.testing.assert_allclose(iqm(values, axis=1), [2.5, 5.0])


def test_bootstrap_of_equal_values_is_not_turned_round_by_rounding(rng):
    found = bootstrap_interval([0.76] * 3, rng=rng)  # their mean is 0.7600000000000001
    assert found.low <= found.high and (found.low, found.high) == pytest.approx((0.76, 0.76))


def test_bootstrap_of_two_values_has_a_known_interval(rng):
    # Resamples of (0, 1) have means 0, 1/2, 1 with probabilities 1/4, 1/2, 1/4: the 2.5% quantile is 0, the 97.5% is 1.
    # At 40% confidence the quantiles 30% and 70% both fall on 1/2.
    wide = bootstrap_interval([0.0, 1.0], rng=rng)
    assert (wide.value, wide.low, wide.high, wide.n) == (0.5, 0.0, 1.0, 2)
    narrow = bootstrap_interval([0.0, 1.0], confidence=0.4, rng=rng)
    assert (narrow.low, narrow.high) == (0.5, 0.5)


def test_bootstrap_agrees_with_the_normal_interval_where_there_is_much_data(rng):
    values = rng.normal(3.0, 2.0, size=2_000)
    estimate = bootstrap_interval(values, rng=rng)
    margin = 1.96 * values.std() / math.sqrt(len(values))
    np.testing.assert_allclose([estimate.low, estimate.high], values.mean() + np.array([-margin, margin]), atol=0.01)


def test_one_seed_has_no_spread(rng):
    estimate = bootstrap_interval([2.5], rng=rng)
    assert (estimate.value, estimate.low, estimate.high, estimate.n) == (2.5, 2.5, 2.5, 1)


def test_equal_seeds_have_no_spread(rng):
    estimate = bootstrap_interval([2.5] * 4, rng=rng)
    assert (estimate.low, estimate.high) == (2.5, 2.5)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=8))
def test_interval_lies_within_the_values_and_repeats_with_its_generator(values):
    first = bootstrap_interval(values, rng=np.random.default_rng(1), resamples=200)
    assert first == bootstrap_interval(values, rng=np.random.default_rng(1), resamples=200)
    assert min(values) - 1e-9 <= first.low <= first.high <= max(values) + 1e-9


def test_strata_are_resampled_among_themselves(rng):
    # Each stratum is constant, so no resample can differ; pooled resampling would mix 0 and 10.
    strata = stratified_bootstrap_interval([[0.0] * 4, [10.0] * 4], np.mean, rng=rng)
    assert (strata.value, strata.low, strata.high, strata.n) == (5.0, 5.0, 5.0, 8)
    pooled = bootstrap_interval([0.0] * 4 + [10.0] * 4, rng=rng)
    assert pooled.low < 2.6 < 7.4 < pooled.high


def test_a_stratum_of_one_seed_stays_as_it_is(rng):
    # (0 or 1, twice) beside one fixed 4: means range from 4/3 to 6/3.
    estimate = stratified_bootstrap_interval([[0.0, 1.0], [4.0]], np.mean, rng=rng)
    np.testing.assert_allclose([estimate.value, estimate.low, estimate.high], [5 / 3, 4 / 3, 2.0])
    assert estimate.n == 3


@pytest.mark.parametrize("values", [[], [[1.0, 2.0]], [1.0, float("nan")]])
def test_values_that_cannot_be_averaged_are_refused(values, rng):
    with pytest.raises(ValueError, match=r"expected .* got"):
        bootstrap_interval(values, rng=rng)


def test_no_strata_are_refused(rng):
    with pytest.raises(ValueError, match="at least one stratum"):
        stratified_bootstrap_interval([], rng=rng)


@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"),
    [
        # z² = 3.8415; 0 of 10: high = z²/(10 + z²) = 3.8415/13.8415; 10 of 10 is its mirror image.
        (0, 10, 0.0, 0.27753),
        (10, 10, 0.72247, 1.0),
        # 5 of 10: centre 1/2, half width z √(.025 + z²/400) / (1 + z²/10) = 1.96 · .18602 / 1.38415 = .26341
        (5, 10, 0.23659, 0.76341),
    ],
)
def test_wilson_interval_by_hand(successes, trials, low, high):
    estimate = wilson_interval(successes, trials)
    np.testing.assert_allclose([estimate.low, estimate.high], [low, high], atol=2e-5)
    assert (estimate.value, estimate.n) == (successes / trials, trials)


@pytest.mark.parametrize(("successes", "trials"), [(1, 0), (-1, 3), (4, 3)])
def test_impossible_counts_are_refused(successes, trials):
    with pytest.raises(ValueError, match="expected 0 <= successes <= trials"):
        wilson_interval(successes, trials)
    with pytest.raises(ValueError, match="expected 0 <= successes <= trials"):
        success_ratio((1, 2), (successes, trials))


def test_success_ratio_by_hand():
    # (12/20) / (4/20) = 3; spread 1.96 √(1/12 - 1/20 + 1/4 - 1/20) = 1.96 √.23333 = .94675
    estimate = success_ratio((12, 20), (4, 20))
    np.testing.assert_allclose(
        [estimate.value, estimate.low, estimate.high], [3, 3 / math.exp(0.94675), 3 * math.exp(0.94675)], rtol=1e-4
    )
    assert estimate.n == 20


def test_success_ratio_stays_finite_without_a_success():
    # One half more everywhere: (10.5/20.5) / (0.5/20.5) = 21.
    estimate = success_ratio((10, 20), (0, 20))
    assert estimate.value == pytest.approx(21)
    assert 0 < estimate.low < 21 < estimate.high < math.inf
    assert success_ratio((0, 20), (0, 20)).value == pytest.approx(1)
