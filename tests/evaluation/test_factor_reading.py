"""Reading factors: skill against numbers worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from perma_agent.evaluation.factor_reading import FactorReader, fit_reader


class Says:
    """A model that says what it is told to."""

    def __init__(self, told: list[float]) -> None:
        self.told = np.array(told)

    def predict(self, codes: np.ndarray) -> np.ndarray:
        return self.told


def reader(told: list[float], *, continuous: bool) -> FactorReader:
    values = np.zeros(0) if continuous else np.array([10.0, 20.0, 30.0])
    one = np.ones(1)
    return FactorReader(continuous=continuous, values=values, centre=one, spread=one, model=Says(told))


def test_skill_of_numbers_is_r_squared():
    # Mean 2, squares around it 4 + 0 + 4 = 8; errors 1, 0, 1: R² = 1 - 2/8.
    assert reader([1, 2, 3], continuous=True).skill(np.zeros((3, 1)), np.array([0.0, 2, 4])) == 0.75
    assert reader([4, 2, 0], continuous=True).skill(np.zeros((3, 1)), np.array([0.0, 2, 4])) == -3


def test_skill_of_names_is_accuracy_beyond_the_most_frequent():
    truth = np.array([10.0, 10, 20, 30])  # chance 1/2; three of four right: (3/4 - 1/2) / (1/2)
    assert reader([0, 0, 1, 0], continuous=False).skill(np.zeros((4, 1)), truth) == 0.5
    assert reader([0, 0, 0, 0], continuous=False).skill(np.zeros((4, 1)), truth) == 0


@pytest.mark.parametrize("kind", ["linear", "trees"])
@pytest.mark.parametrize("continuous", [True, False])
def test_each_reader_reads_and_keeps_its_scale_elsewhere(kind, continuous, rng):
    truth = rng.choice([-2.0, 0.5, 4.0], size=600)
    codes = np.stack([100 + 7 * truth + rng.normal(0, 0.1, 600), np.full(600, 3.0)], axis=1)
    fitted = fit_reader(codes, truth, continuous=continuous, reader=kind, stages=100, seed=0)
    assert fitted.skill(codes[:100], truth[:100]) > 0.98
    moved = codes[:100] + np.array([7 * 2.5, 50.0])  # a latent that was constant tells nothing, wherever it goes
    assert fitted.skill(moved, truth[:100]) < 0.7


def test_an_unknown_reader_is_refused():
    with pytest.raises(ValueError, match=r"expected a reader among trees, linear, got 'oracle'"):
        fit_reader(np.zeros((4, 1)), np.arange(4.0), continuous=True, reader="oracle", stages=1, seed=0)
