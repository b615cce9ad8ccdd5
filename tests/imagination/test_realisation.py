"""Realisation: counts by hand, blame where it belongs, and what was long ago counts less."""

from __future__ import annotations

import math

import numpy as np
import pytest

from perma_agent.imagination.realisation import Realisation, RealisationConfig

NONE, FIRST, BOTH = (np.array(row) for row in ([False, False], [True, False], [True, True]))


def make(**options: float) -> Realisation:
    return Realisation(("rim", "whole"), latents=2, config=RealisationConfig(**options))  # type: ignore[arg-type]


def test_chances_are_those_of_the_counts() -> None:
    learnt = make(memory=1e12, draw="mean")
    for reached in (True, True, False):
        learnt.note(0, 1, reached=reached, tried=FIRST, came=FIRST if reached else NONE)
    kinds, latents = learnt.chances(0, np.random.default_rng(0))
    assert kinds == pytest.approx([1 / 2, 3 / 5]) and latents == pytest.approx([3 / 5, 1 / 2])
    assert learnt.chances(1, np.random.default_rng(0))[0] == pytest.approx([0.5, 0.5])  # another environment


def test_a_factor_that_came_about_is_not_blamed_for_one_that_did_not() -> None:
    learnt = make(draw="mean")
    for _ in range(50):
        learnt.note(0, 0, reached=False, tried=BOTH, came=FIRST)
    first, second = learnt.chances(0, np.random.default_rng(0))[1]
    assert first > 0.95 and second < 0.05


def test_a_pursuit_that_was_broken_off_is_half_a_miss() -> None:
    learnt = make(memory=1e12)
    learnt.note(0, 0, reached=False, tried=FIRST, came=NONE, share=0.5)
    assert [row["missed"] for row in learnt.table()] == [0.5, 0.5]


def test_earlier_tries_fade() -> None:
    learnt = make(memory=10.0)
    for reached in (False, True):
        learnt.note(0, 0, reached=reached, tried=NONE, came=NONE)
    (row,) = learnt.table()
    assert (row["reached"], row["missed"]) == pytest.approx((1.0, math.exp(-0.1)))


def test_draws_follow_the_posterior() -> None:
    learnt, rng = make(memory=1e12), np.random.default_rng(0)
    for _ in range(8):
        learnt.note(0, 0, reached=True, tried=NONE, came=NONE)
    draws = np.array([learnt.chances(0, rng)[0] for _ in range(2_000)])
    assert draws.mean(axis=0) == pytest.approx([0.9, 0.5], abs=0.02)
    assert draws[:, 0].std() == pytest.approx(math.sqrt(9 / (100 * 11)), rel=0.1)  # Beta(9, 1)


def test_the_table_comes_back_from_the_state() -> None:
    learnt, other = make(), make()
    learnt.note(2, 1, reached=True, tried=BOTH, came=FIRST)
    other.load_state_dict(learnt.state_dict())
    assert other.table() == learnt.table()
    assert {(row["environment"], row["what"], row["name"]) for row in other.table()} == {
        (2, "kind", "whole"), (2, "latent", "0"), (2, "latent", "1"),
    }  # fmt: skip
