"""Factor columns: angles as two, absent objects unknown, and what is useless named with its reason."""

from __future__ import annotations

import numpy as np
import pytest

from perma_agent.envs import FactorSpec
from perma_agent.studies.permanence.factor_columns import factor_columns, factor_spreads

HEADING = FactorSpec(name="heading", shape=(1,), low=-4, high=4, unit="rad", meaning="", period=2 * np.pi)
KIND = FactorSpec(name="object_kind", shape=(2,), low=0, high=9, unit="index", meaning="")
PRESENT = FactorSpec(name="object_present", shape=(2,), low=0, high=1, unit="flag", meaning="")


def column(*numbers: float) -> np.ndarray:
    return np.array(numbers, dtype=np.float32)[:, None]


def test_an_angle_becomes_cosine_and_sine_of_its_period():
    found = factor_columns({"heading": column(0, np.pi / 2, np.pi), "x": column(1, 2, 3)}, [HEADING])
    assert found.names == ("heading_cos", "heading_sin", "x")
    np.testing.assert_allclose(found.values, [[1, 0, 1], [0, 1, 2], [-1, 0, 3]], atol=1e-6)
    assert found.values.dtype == np.float32
    degrees = FactorSpec(name="turn", shape=(1,), low=0, high=360, unit="deg", meaning="", period=360.0)
    np.testing.assert_allclose(factor_columns({"turn": column(0, 90)}, [degrees]).values, [[1, 0], [0, 1]], atol=1e-6)


def test_vectors_are_flattened_by_place():
    values = np.arange(8, dtype=np.float32).reshape(2, 2, 2)
    found = factor_columns({"place": values}, [])
    assert found.names == ("place[0,0]", "place[0,1]", "place[1,0]", "place[1,1]")
    np.testing.assert_array_equal(found.values, values.reshape(2, 4))
    assert found.continuous == (True,) * 4


def test_what_is_unknown_or_constant_is_dropped_with_its_reason():
    factors = {"x": column(1, 2, 3), "light": column(0.7, 0.7, 0.7), "goal": column(1, np.nan, 2)}
    found = factor_columns(factors, [])
    assert found.names == ("x",)
    assert found.dropped == {"light": "constant", "goal": "unknown in 1 of 3 frames"}
    with pytest.raises(ValueError, match=r"known at all frames and varies, got none of \['light'\]"):
        factor_columns({"light": factors["light"]}, [])


def test_kind_and_place_of_an_object_that_is_gone_are_unknown_but_its_absence_is_not():
    factors = {
        "object_present": np.array([[1, 1], [1, 0]], np.float32),
        "object_kind": np.array([[3, 3], [4, 0]], np.float32),
        "object_position": np.array([[[1, 2], [3, 4]], [[5, 6], [0, 0]]], np.float32),
        "object_visible": np.array([[0.5, 1], [0.2, 0]], np.float32),
    }
    found = factor_columns(factors, [KIND, PRESENT])
    assert found.names == (
        "object_present[1]",
        "object_kind[0]",
        "object_position[0,0]",
        "object_position[0,1]",
        "object_visible[0]",
        "object_visible[1]",
    )
    assert found.continuous == (False, False, True, True, True, True)
    assert found.dropped["object_kind[1]"] == found.dropped["object_position[1,0]"] == "unknown in 1 of 2 frames"
    assert found.dropped["object_present[0]"] == "constant"


def test_spread_is_shared_between_episodes_and_within_them():
    # Column 0 over episodes (0, 0) and (4, 4): all between. Column 1 over (0, 2) and (0, 2): all within.
    # Column 2 over (0, 2) and (4, 6): variance 5, of which 1 lies within.
    values = np.array([[0, 0, 0], [0, 2, 2], [4, 0, 4], [4, 2, 6]], np.float32)
    between, within, both = factor_spreads(values, np.array([7, 7, 9, 9]))
    assert (between.within, within.within) == (0, 1)
    assert both.within == pytest.approx(0.2)
    assert (both.low, both.high, both.mean, both.std) == (0, 6, 3, pytest.approx(5**0.5))
