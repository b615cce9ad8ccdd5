"""Configurations survive JSON, and what does not fit is said in one sentence."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perma_agent.continual import DreamConfig, InferenceConfig, LearnerConfig
from perma_agent.continual.config_json import from_json, to_json
from perma_agent.errors import RunFolderError
from perma_agent.models import VASEConfig
from perma_agent.objectives import CapacityConfig, CapacitySchedule


@dataclass(frozen=True, kw_only=True)
class Inner:
    sizes: tuple[int, ...] = (1, 2)
    pair: tuple[int, str] = (1, "a")


@dataclass(frozen=True, kw_only=True)
class Outer:
    inner: Inner = Inner()
    kind: Literal["x", "y"] = "x"
    rate: float = 0.5
    every: int | None = None
    name: str = "n"
    on: bool = True


def through_json(config: object) -> object:
    return from_json(type(config), json.loads(json.dumps(to_json(config))), where="test")


@given(
    rate=st.floats(1e-9, 1e3),
    every=st.none() | st.integers(1, 10**6),
    nats=st.floats(0, 1e3),
    filters=st.lists(st.integers(1, 99), min_size=1, max_size=4),
)
def test_configs_survive_json(rate: float, every: int | None, nats: float, filters: list[int]):
    config = LearnerConfig(
        learning_rate=rate,
        capacity=CapacityConfig(schedule=CapacitySchedule(nats=nats)),
        dreaming=DreamConfig(renew_every=every),
        inference=InferenceConfig(enabled=False),
    )
    assert through_json(config) == config
    assert through_json(VASEConfig(filters=tuple(filters))) == VASEConfig(filters=tuple(filters))


def test_tuples_literals_and_options_come_back():
    config = Outer(inner=Inner(sizes=(), pair=(3, "b")), kind="y", every=4, on=False)
    assert through_json(config) == config and through_json(replace(config, every=None)) == replace(config, every=None)
    assert to_json(config)["inner"] == {"sizes": [], "pair": [3, "b"]}


def test_a_whole_number_may_stand_for_a_float():
    assert from_json(Outer, {**to_json(Outer()), "rate": 1}, where="test").rate == 1.0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"rate": "fast"}, r"test\.rate to be float, got 'fast'"),
        ({"rate": True}, r"test\.rate to be float, got True"),
        ({"every": 0.5}, r"test\.every to be int \| None, got 0\.5"),
        ({"kind": "z"}, r"test\.kind to be Literal\['x', 'y'\], got 'z'"),
        ({"kind": ["x"]}, r"test\.kind to be Literal"),
        ({"name": None}, r"test\.name to be str, got None"),
        ({"on": 1}, r"test\.on to be bool, got 1"),
        ({"inner": [1]}, r"test\.inner to be a JSON object, got \[1\]"),
        ({"inner": {"sizes": [1, "2"], "pair": [1, "a"]}}, r"test\.inner\.sizes\[1\] to be int, got '2'"),
        ({"inner": {"sizes": [], "pair": [1]}}, r"test\.inner\.pair to be tuple"),
        ({"inner": {"sizes": []}}, r"test\.inner to have the fields of this version's Inner, got missing 'pair'"),
        ({"colour": 1, "age": 2}, r"test to have the fields .* got unknown 'age', 'colour'"),
    ],
)
def test_what_does_not_fit_is_named(change: dict[str, object], message: str):
    with pytest.raises(RunFolderError, match=message):
        from_json(Outer, {**to_json(Outer()), **change}, where="test")


def test_values_out_of_range_keep_their_own_sentence():
    with pytest.raises(RunFolderError, match=r"test to be a valid VASEConfig.*channels 1 \(grey\) or 3"):
        from_json(VASEConfig, {**to_json(VASEConfig()), "channels": 2}, where="test")
