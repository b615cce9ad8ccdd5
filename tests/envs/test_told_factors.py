"""What levels tell of their factors is shared by copies, and nobody can write to it."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

from perma_agent.envs import make_level
from perma_agent.envs.factors import ToldFactors


def told() -> ToldFactors:
    return ToldFactors({"x": np.array([1.5], dtype=np.float32), "y": np.zeros(3, dtype=np.float32)})


def test_a_deep_copy_of_infos_shares_the_factors() -> None:
    infos = [{"factors": told(), "is_success": False}]
    copied = copy.deepcopy(infos)
    assert copied[0] is not infos[0]
    assert copied[0]["factors"] is infos[0]["factors"]


def test_their_arrays_cannot_be_written_to() -> None:
    with pytest.raises(ValueError, match="read-only"):
        told()["x"][0] = 0.0


def test_they_reach_another_process_as_they_are() -> None:
    there = pickle.loads(pickle.dumps(told()))
    assert type(there) is ToldFactors and there.keys() == told().keys()
    assert all(np.array_equal(there[name], told()[name]) and not there[name].flags.writeable for name in there)


def test_a_later_step_does_not_change_what_was_told_before() -> None:
    level = make_level("perma/IndoorMaze-v0")
    _, first = level.reset(seed=0)
    before = {name: values.copy() for name, values in first["factors"].items()}
    for _ in range(5):
        *_, later = level.step(0)  # turns
    level.close()
    assert later["factors"]["heading"] != first["factors"]["heading"]
    assert all(np.array_equal(first["factors"][name], values) for name, values in before.items())
