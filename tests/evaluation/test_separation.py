"""A clean code meets the article's claim however bent; a rotated, copied, leaking or noisy one does not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.linalg import hadamard

from perma_agent.evaluation.separation import Separation, invariant_separation

ROWS = 1_600
RNG = np.random.default_rng(0)
FACTORS = RNG.uniform(-1, 1, (ROWS, 5))
NOISE = RNG.standard_normal((ROWS, 8))
CLEAN = np.column_stack([NOISE[:, 0], 1.7 * FACTORS + 0.1 * NOISE[:, 1:6], NOISE[:, 6:]])
"""Latents 1 to 5 hold the five factors, 0, 6 and 7 nothing."""


def separation(codes: np.ndarray, *, changing: tuple[int, ...] = (0, 1), **settings: Any) -> Separation:
    return invariant_separation(codes, FACTORS, changing=changing, **settings)


def test_a_clean_code_meets_the_claim_with_a_latent_for_each_factor() -> None:
    found = separation(CLEAN)
    assert found.met
    assert set(found.latents) == {1, 2}
    assert found.worst_inside > 0.97
    assert found.worst_outside < 0.04
    assert found.inside.shape == found.outside.shape == (2,)
    assert np.abs(found.carried).max() < 0.08
    assert found.kept.min() > 0.97
    assert found.kept.shape == found.carried.shape == (3,)


def test_a_rotated_code_does_not() -> None:
    found = separation(CLEAN @ (hadamard(8) / np.sqrt(8)))  # every latent holds as much of every factor
    assert not found.met
    assert found.worst_inside < 0.9
    assert found.worst_outside > 0.2


@pytest.mark.slow
def test_a_rotation_within_the_group_or_without_is_no_harm() -> None:
    turned = CLEAN.copy()
    cos, sin = np.cos(0.7), np.sin(0.7)
    turned[:, [1, 2]] = CLEAN[:, [1, 2]] @ np.array([[cos, -sin], [sin, cos]])
    turned[:, [3, 4]] = CLEAN[:, [3, 4]] @ np.array([[cos, -sin], [sin, cos]])
    found = separation(turned)
    assert found.met
    assert set(found.latents) == {1, 2}
    assert not separation(turned, changing=(2,), most_latents=1).met


def test_monotone_and_folded_latents_still_meet_it() -> None:
    bent = CLEAN.copy()
    bent[:, 1] = np.exp(1.5 * CLEAN[:, 1])
    bent[:, 2] = np.sinh(2 * CLEAN[:, 2])
    found = separation(bent)
    assert found.met
    assert set(found.latents) == {1, 2}


@pytest.mark.slow
def test_an_angle_on_a_circle_meets_it_with_two_latents() -> None:
    angle = np.pi * FACTORS[:, 0]
    circle = np.column_stack([np.cos(angle), np.sin(angle)]) + 0.02 * NOISE[:, :2]
    codes = np.column_stack([circle, CLEAN[:, 3:]])
    factors = np.column_stack([np.cos(angle), np.sin(angle), FACTORS[:, 2:]])
    found = invariant_separation(codes, factors, changing=(0, 1), most_latents=2)
    assert found.met
    assert set(found.latents) == {0, 1}
    assert not invariant_separation(codes, factors, changing=(0, 1), most_latents=1).met


def test_copies_beyond_the_latents_allowed_break_it() -> None:
    copies = np.column_stack([CLEAN, CLEAN[:, 1], CLEAN[:, 1] + 0.1 * NOISE[:, 7]])
    found = separation(copies, changing=(0,))
    assert not found.met
    assert found.worst_inside > 0.95
    assert found.worst_outside > 0.9
    one_copy = separation(copies[:, :9], changing=(0,), most_latents=1)
    assert not one_copy.met
    assert one_copy.worst_outside > 0.9


def test_one_copy_within_the_latents_allowed_is_no_harm() -> None:
    found = separation(np.column_stack([CLEAN, CLEAN[:, 1]]), changing=(0,))
    assert found.met
    assert set(found.latents) == {1, 8}


def test_a_leak_into_another_latent_is_found() -> None:
    leaking = CLEAN.copy()
    leaking[:, [5, 6, 7]] += 0.8 * FACTORS[:, [0]]  # three traces: one more than may be chosen
    found = separation(leaking, changing=(0,))
    assert not found.met
    assert found.worst_outside > 0.12


@pytest.mark.slow
def test_the_worst_factor_of_a_group_decides() -> None:
    half = CLEAN.copy()
    half[:, 2] = NOISE[:, 1]
    found = separation(half)
    assert not found.met
    assert found.inside[0] > 0.95
    assert found.inside[1] < 0.08


def test_what_the_chosen_latents_carry_besides_is_told_and_not_judged() -> None:
    mixed = CLEAN.copy()
    mixed[:, 1] = np.sign(FACTORS[:, 2]) * 4 + 1.7 * FACTORS[:, 0]  # two sheets: tells x, and half of another factor
    found = separation(mixed, changing=(0,), most_latents=1)
    assert found.met
    assert found.latents == (1,)
    assert found.carried[1] > 0.6
    assert found.kept[0] > 0.95


def test_noise_holds_nothing() -> None:
    found = separation(NOISE)
    assert not found.met
    assert np.abs([*found.inside, *found.outside, *found.carried, *found.kept]).max() < 0.15


@pytest.mark.slow
def test_names_are_read_as_names() -> None:
    names = np.random.default_rng(2).integers(0, 4, ROWS)
    spots = np.array([2.0, -1.0, 0.5, -2.5])[names]  # in no order
    codes = np.column_stack([spots + 0.1 * NOISE[:, 0], CLEAN[:, 1:]])
    factors = np.column_stack([names, FACTORS])
    found = invariant_separation(codes, factors, changing=(0,), continuous=[False, *[True] * 5])
    assert found.met
    assert found.latents == (0,)
    content = invariant_separation(codes, factors, changing=(1,), continuous=[False, *[True] * 5])
    assert content.kept[0] > 0.95
    assert abs(content.carried[0]) < 0.08


@pytest.mark.slow
def test_dead_latents_change_nothing() -> None:
    padded = np.column_stack([np.zeros(ROWS), CLEAN, np.full(ROWS, 3.0)])
    found, plain = separation(padded), separation(CLEAN)
    assert {d - 1 for d in found.latents} == set(plain.latents)
    assert found.met


@pytest.mark.slow
def test_the_order_and_scale_of_latents_do_not_matter() -> None:
    found = separation(1e3 * CLEAN[:, ::-1] - 5)
    assert found.met
    assert set(found.latents) == {5, 6}


def test_the_same_seed_gives_the_same_answer() -> None:
    leaking = CLEAN + 0.3 * FACTORS[:, [0]]
    first, again, other = (separation(leaking, changing=(0,), most_latents=1, seed=seed) for seed in (3, 3, 4))
    np.testing.assert_array_equal(first.inside, again.inside)
    np.testing.assert_array_equal(first.outside, again.outside)
    assert first.latents == again.latents
    assert (first.inside != other.inside).any()


def test_test_rows_do_not_take_part_in_the_choice() -> None:
    order = np.random.default_rng(0).permutation(ROWS)  # as `invariant_separation` splits them with seed 0
    test = order[ROWS - ROWS // 4 :]
    spoilt = CLEAN.copy()
    spoilt[test, 3] = 1.7 * FACTORS[test, 0]  # there latent 3 tells x perfectly, elsewhere not at all
    spoilt[test, 1] = NOISE[test, 0]
    found = separation(spoilt, changing=(0,))
    assert found.latents[0] == 1
    assert not found.met


@pytest.mark.parametrize(
    ("codes", "settings", "sentence"),
    [
        (CLEAN, {"changing": ()}, "expected different columns from 0 to 4 as changing factors, got"),
        (CLEAN, {"changing": (0, 0)}, "expected different columns from 0 to 4"),
        (CLEAN, {"changing": (5,)}, r"expected different columns from 0 to 4 as changing factors, got \[5\]"),
        (CLEAN, {"most_latents": 0}, "expected most_latents of at least 1, got 0"),
        (CLEAN[:10], {}, r"expected factors of shape \[10, K\]"),
        (np.full((ROWS, 2), np.nan), {}, "expected finite codes"),
    ],
)
def test_what_cannot_be_measured_is_told_in_a_sentence(codes: np.ndarray, settings: Any, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        separation(codes, **settings)


def test_too_few_rows_are_refused() -> None:
    with pytest.raises(ValueError, match="expected at least 200 rows of codes, got 100; encode more frames"):
        invariant_separation(CLEAN[:100], FACTORS[:100], changing=(0,))
