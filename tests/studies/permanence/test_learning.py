"""Cells of the comparison: looks on the way, the same numbers for the same seed, and no trace of the looks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from perma_agent.studies.permanence.learning import learn, measure_weight


def done(work: float) -> None:
    del work


def test_looks_are_spread_evenly_and_end_with_the_training(comparison, tmp_path):
    steps: list[float] = []
    learnt = learn(comparison, "none", 1.0, seed=0, folder=tmp_path, advance=steps.append)
    assert [look["step"] for look in learnt.looks] == [1, 2] and sum(steps) == 2
    assert all({"dci_forest", "mcc"} < set(look) for look in learnt.looks)


def test_looking_does_not_change_what_is_learnt(comparison, tmp_path):
    seldom = replace(comparison, looks=1)
    hosts = [learn(one, "none", 1.0, seed=0, folder=tmp_path, advance=done).host for one in (comparison, seldom)]
    for first, second in zip(*(host.state_dict().values() for host in hosts), strict=True):
        assert torch.equal(first, second)


def test_a_seed_decides_everything(comparison, tmp_path):
    found = [measure_weight(comparison, "none", 2.0, seed, tmp_path, done) for seed in (100, 100, 101)]
    assert found[0] == found[1] and found[0] != found[2]
    assert found[0].figures == {"weight": 2.0, **{k: v[-1] for k, v in _looks(found[0]).items()}}


def _looks(measured):
    looks = {name: values for name, values in measured.series["looks"].items() if name != "step"}
    return {name: [pytest.approx(value, abs=1e-4) for value in values] for name, values in looks.items()}


def test_the_frames_measured_on_are_not_those_of_another_seed(comparison, tmp_path):
    first, again, other = (comparison.ground.test(seed, tmp_path) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first.frames, again.frames)
    assert not np.array_equal(first.frames, other.frames)
