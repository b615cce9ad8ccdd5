"""Factors as a vector: by hand, and on both levels of the study."""

from __future__ import annotations

import numpy as np
import pytest

from perma_agent.envs.factors import FactorSpec
from perma_agent.studies.levels import LevelChoice, make_copies
from perma_agent.studies.transfer.sample_efficiency.config import LEVELS
from perma_agent.studies.transfer.sample_efficiency.factor_observation import (
    FactorObservation,
    factor_vector,
    ground_diagonal,
)


def spec(name, shape=(1,), low=0.0, high=1.0, unit="m", period=None):
    return FactorSpec(name=name, shape=shape, low=low, high=high, unit=unit, meaning="Of a test.", period=period)


GROUND = (spec("x", low=-3.0, high=3.0), spec("z", low=0.0, high=8.0))


def test_each_kind_of_factor_by_hand():
    specs = (
        *GROUND,
        spec("heading", low=-np.pi, high=np.pi, unit="rad", period=2 * np.pi),
        spec("object_kind", shape=(2,), high=2, unit="index"),
        spec("object_position", shape=(1, 2), low=-70.0, high=70.0),
    )
    factors = {
        "x": np.array([1.5]),
        "z": np.array([0.0]),
        "heading": np.array([np.pi / 2]),
        "object_kind": np.array([2.0, 0.0]),
        "object_position": np.array([[5.0, -60.0]]),
    }
    assert ground_diagonal(specs) == 10.0
    expected = [0.5, -1.0, 0.0, 1.0, *(0, 0, 1), *(1, 0, 0), 0.5, -1.0]
    vector = factor_vector(factors, specs)
    assert vector.dtype == np.float32
    np.testing.assert_allclose(vector, expected, atol=1e-6)


def test_headings_on_both_sides_of_the_seam_are_neighbours():
    specs = (*GROUND, spec("heading", low=-np.pi, high=np.pi, unit="rad", period=2 * np.pi))
    ends = [
        factor_vector({"x": np.zeros(1), "z": np.zeros(1), "heading": np.array([angle])}, specs)
        for angle in (-np.pi + 1e-4, np.pi - 1e-4)
    ]
    np.testing.assert_allclose(*ends, atol=1e-3)


@pytest.mark.parametrize("name", list(LEVELS))
def test_a_level_is_seen_as_its_factors(name):
    level = LevelChoice(id=LEVELS[name].id, arguments={"max_episode_steps": 5})
    venv = FactorObservation(make_copies([level], copies=2))
    try:
        venv.seed(3)
        seen = venv.reset()
        assert seen.shape == (2, *venv.observation_space.shape) and seen.dtype == np.float32
        for step in range(1, 7):
            before = seen
            seen, _, dones, infos = venv.step(np.array([2, 0]))  # forward, turn left
            assert venv.observation_space.contains(seen[0]) and venv.observation_space.contains(seen[1])
            bare = [env.unwrapped for env in venv.venv.envs]
            for row, inner in zip(seen, bare, strict=True):
                specs = inner.factor_specs
                np.testing.assert_array_equal(row, factor_vector(inner.factors(), specs))
            assert dones.all() == (step == 5)
            if dones.any():
                last = infos[1]["terminal_observation"]
                np.testing.assert_array_equal(last, factor_vector(infos[1]["factors"], bare[1].factor_specs))
                assert np.abs(last - seen[1]).max() > 0.01  # a new episode is shown, the old one's end kept aside
        assert np.abs(before - seen).max() > 0.01
    finally:
        venv.close()
