"""Readers tell what is there, a faint trace for what it is, and nothing from nothing."""

from __future__ import annotations

import numpy as np
import pytest

from perma_agent.evaluation.recovery import recovery

ROWS = 3_000
LEARN, TEST = np.arange(ROWS) < 2_000, np.arange(ROWS) >= 2_000


def read(codes: np.ndarray, truth: np.ndarray, *, continuous: bool = True, seed: int = 0) -> float:
    return recovery(codes, truth, LEARN, TEST, continuous=continuous, seed=seed)


@pytest.fixture(scope="module")
def truth() -> np.ndarray:
    return np.random.default_rng(0).uniform(-1, 1, ROWS)


def test_what_can_be_told_follows_from_the_noise(truth: np.ndarray) -> None:
    for deviation in (0.1, 0.5, 1.6):
        noisy = truth + deviation * np.random.default_rng(1).standard_normal(ROWS)
        possible = truth.var() / (
            truth.var() + deviation**2
        )  # of a linear reader; one that knows the range does better
        assert read(noisy[:, None], truth) == pytest.approx(possible, abs=0.05)


def test_noise_tells_nothing_and_no_latent_neither(truth: np.ndarray) -> None:
    assert abs(read(np.random.default_rng(2).standard_normal((ROWS, 8)), truth)) < 0.1
    assert read(np.zeros((ROWS, 0)), truth) == 0
    assert abs(read(np.ones((ROWS, 2)), truth)) < 0.01


def test_an_angle_is_read_off_its_circle(truth: np.ndarray) -> None:
    circle = np.column_stack([np.cos(3 * truth), np.sin(3 * truth)])
    assert read(circle, truth) > 0.99
    assert read(circle[:, :1], truth) < 0.1  # cosine alone does not tell the sign


def test_names_by_hand() -> None:
    rng = np.random.default_rng(3)
    names = rng.choice([2, 5, 9], size=ROWS, p=[0.8, 0.1, 0.1])
    assert read((names == 2)[:, None] * 1.0, names, continuous=False) == pytest.approx(0.5, abs=0.1)
    # Told: 2 always, 5 and 9 half of the time each: (1 + 1/2 + 1/2) / 3 = 2/3, rescaled (2/3 - 1/3) / (2/3) = 1/2.
    assert read(names[:, None] * 1.0, names, continuous=False) == pytest.approx(1)
    assert abs(read(rng.standard_normal((ROWS, 3)), names, continuous=False)) < 0.1


def test_the_same_seed_reads_the_same(truth: np.ndarray) -> None:
    noisy = truth[:, None] + 0.3 * np.random.default_rng(4).standard_normal((ROWS, 2))
    assert read(noisy, truth, seed=5) == read(noisy, truth, seed=5)
    assert read(noisy, truth, seed=5) != read(noisy, truth, seed=6)


def test_a_constant_factor_is_refused(truth: np.ndarray) -> None:
    constant = np.where(TEST, truth, 1.0)
    with pytest.raises(ValueError, match="expected a factor that varies in the rows learnt from and tested on"):
        read(truth[:, None], constant)
