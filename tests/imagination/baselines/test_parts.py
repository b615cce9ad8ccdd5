"""The parts that bonuses share: moments, reservoir, reading, feature networks."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from gymnasium import spaces
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from perma_agent.errors import FrameError
from perma_agent.imagination.baselines.feature_networks import FeatureNetwork, orthogonal
from perma_agent.imagination.baselines.observation_reading import ObservationReading
from perma_agent.imagination.baselines.optimizer_state import optimizer_state, restore_optimizer
from perma_agent.imagination.baselines.reservoir import Reservoir
from perma_agent.imagination.baselines.running_moments import RunningMoments

CPU = torch.device("cpu")


@settings(max_examples=40, deadline=None)
@given(
    arrays.arrays(np.float64, st.tuples(st.integers(1, 20), st.just(2)), elements=st.floats(-1e3, 1e3)),
    st.integers(1, 7),
)
def test_moments_in_batches_are_those_of_all_values(values: np.ndarray, size: int) -> None:
    moments = RunningMoments((2,))
    for start in range(0, len(values), size):
        moments.update(values[start : start + size])
    assert moments.mean == pytest.approx(values.mean(axis=0), abs=1e-9)
    assert moments.variance == pytest.approx(values.var(axis=0), abs=1e-6, rel=1e-9)
    assert moments.count == len(values)


def test_moments_of_nothing_leave_things_as_they_are_and_shapes_are_checked() -> None:
    moments = RunningMoments((2,))
    assert (moments.mean.tolist(), moments.deviation.tolist()) == ([0, 0], [1, 1])
    moments.update(np.empty((0, 2)))
    assert moments.count == 0
    with pytest.raises(ValueError, match="expected values of shape"):
        moments.update(np.zeros((3, 1)))
    with pytest.raises(ValueError, match="expected moments of values of shape"):
        moments.load_state_dict(RunningMoments((3,)).state_dict())


def test_a_reservoir_keeps_all_it_met_until_it_is_full() -> None:
    kept = Reservoir(4, seed=0)
    assert kept.add({"a": np.array([5, 6, 7])}).tolist() == [0, 1, 2]
    assert kept.sample()["a"].tolist() == [5, 6, 7]
    assert len(kept) == 3


def test_each_item_is_kept_with_the_same_probability() -> None:
    counts = np.zeros(40)
    for seed in range(600):
        kept = Reservoir(10, seed=seed)
        for start in range(0, 40, 8):
            kept.add({"a": np.arange(start, start + 8)})
        counts[kept.sample()["a"]] += 1
    expected, deviation = 600 / 4, np.sqrt(600 * 0.25 * 0.75)
    assert np.abs(counts - expected).max() < 4.5 * deviation


def test_the_places_that_a_reservoir_tells_hold_what_was_put_there() -> None:
    kept = Reservoir(5, seed=1)
    for start in range(0, 120, 6):
        items = np.arange(start, start + 6)
        places = kept.add({"a": items})
        there = places >= 0
        assert kept.sample()["a"][places[there]].tolist() == items[there].tolist()
        assert len(set(places[there].tolist())) == there.sum()


def test_every_kind_of_entry_is_read() -> None:
    space = spaces.Dict(
        {
            "first": spaces.Box(0, 255, (3, 8, 10), np.uint8),
            "last": spaces.Box(0, 255, (8, 10, 3), np.uint8),
            "grey": spaces.Box(0, 255, (8, 10), np.uint8),
            "floats": spaces.Box(-1.0, 1.0, (8, 10, 1), np.float32),
            "numbers": spaces.Box(-np.inf, np.inf, (2, 2), np.float64),
            "choice": spaces.Discrete(3, start=1),
            "choices": spaces.MultiDiscrete([2, 3]),
            "switches": spaces.MultiBinary(2),
        }
    )
    reading = ObservationReading.of(space)
    space.seed(0)
    drawn = [space.sample() for _ in range(4)]
    batch: Any = {name: np.stack([one[name] for one in drawn]) for name in space}
    seen = reading.see(reading.entries(batch), device=CPU)
    assert {name: tuple(values.shape[1:]) for name, values in seen.items()} == dict(reading.shapes)
    assert set(reading.pictures) == {"first", "last", "grey", "floats"}
    assert torch.equal(seen["last"], torch.from_numpy(batch["last"]).permute(0, 3, 1, 2) / 255)
    assert seen["floats"].min() >= 0 and seen["floats"].max() <= 1
    assert seen["choice"].argmax(dim=1).tolist() == (batch["choice"] - 1).tolist()
    assert seen["choices"][:, 2:].argmax(dim=1).tolist() == batch["choices"][:, 1].tolist()
    features = FeatureNetwork(reading.shapes, features=5, hidden=(7,))(seen)
    assert features.shape == (4, 5)


def test_observations_that_were_not_announced_are_told() -> None:
    reading = ObservationReading.of(spaces.Box(0, 1, (2,), np.float32))
    with pytest.raises(FrameError, match=r"expected observation of shape \['N', 2\], got \[1, 3\]"):
        reading.entries(np.zeros((1, 3), dtype=np.float32))
    with pytest.raises(FrameError, match="expected observations with the entries"):
        reading.entries({"other": np.zeros((1, 2))})


@pytest.mark.parametrize(("side", "first_kernel"), [(64, 8), (36, 8), (20, 3)])
def test_small_pictures_get_small_convolutions(side: int, first_kernel: int) -> None:
    network = FeatureNetwork({"a": (3, side, side)}, features=4)
    assert network.convolutions[0][0].kernel_size == (first_kernel, first_kernel)  # type: ignore[index]
    assert network({"a": torch.zeros(2, 3, side, side)}).shape == (2, 4)


def test_orthogonal_weights_stretch_by_the_gain() -> None:
    torch.manual_seed(0)
    layer = torch.nn.Linear(6, 6)
    orthogonal(layer)
    assert torch.allclose(layer.weight @ layer.weight.T, 2 * torch.eye(6), atol=1e-5)
    assert layer.bias.abs().max() == 0


def test_what_adam_remembers_of_other_parameters_is_refused() -> None:
    def trained(size: int) -> torch.optim.Adam:
        layer = torch.nn.Linear(size, 1)
        optimizer = torch.optim.Adam(layer.parameters())
        layer(torch.ones(1, size)).sum().backward()
        optimizer.step()
        return optimizer

    with pytest.raises(ValueError, match="expected what Adam remembers of 2 parameters like these"):
        restore_optimizer(trained(2), optimizer_state(trained(3)))
