"""Configuration of the change term: defaults that stay, JSON and back, and one sentence for each mistake."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
import tyro

from perma_agent.continual.config_json import from_json, to_json
from perma_agent.objectives import PermanenceConfig

FULL = PermanenceConfig(
    member="laplace",
    weight=10.0,
    offset_weights=((1, 0.5), (10, 2.0)),
    b=1.0,
    b_end=0.0,
    b_steps=7,
    b_course="linear",
    rate=3.0,
    reduction="paper",
)


def test_defaults_are_p_b_with_a_fixed_relative_bias() -> None:
    assert to_json(PermanenceConfig()) == {
        "member": "p_b",
        "weight": 1.0,
        "warm_up": 1_000,
        "offset_weights": [],
        "b": 0.1,
        "relative": True,
        "b_end": None,
        "b_steps": 10_000,
        "b_course": "geometric",
        "rate": 6.0,
        "reduction": "principled",
        "first": None,
        "handover": [0, 0],
        "handed": 1.0,
    }


@pytest.mark.parametrize("config", [PermanenceConfig(), FULL])
def test_comes_back_from_json(config: PermanenceConfig) -> None:
    plain = json.loads(json.dumps(to_json(config)))
    assert from_json(PermanenceConfig, plain, where="config.json") == config


def test_can_be_given_on_the_command_line() -> None:
    words = "--member laplace --weight 10 --offset-weights 1 0.5 10 2 --b 1 --b-end 0 --b-steps 7 --b-course linear"
    words += " --rate 3 --reduction paper"
    assert tyro.cli(PermanenceConfig, args=words.split()) == FULL


@pytest.mark.parametrize(
    ("settings", "acts"),
    [({}, True), ({"weight": 0.0}, False), ({"member": "none"}, False), ({"member": "l1"}, True)],
)
def test_acts_unless_it_is_none_or_weighs_nothing(settings: dict[str, Any], acts: bool) -> None:
    assert PermanenceConfig(**settings).acts == acts


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"b": -0.1}, r"^expected b >= 0, got -0\.1$"),
        ({"b": math.nan}, r"^expected b >= 0, got nan$"),
        ({"b": math.inf}, r"^expected b >= 0, got inf$"),
        ({"rate": 0.0}, r"^expected rate > 0, got 0\.0$"),
        ({"member": "l3"}, r"^expected member to be one of p_b, direction, .*, none, got 'l3'$"),
        ({"reduction": "mean"}, r"^expected reduction to be principled or paper, got 'mean'$"),
        ({"b_course": "cosine"}, r"^expected b_course to be geometric or linear, got 'cosine'$"),
        ({"b_end": -1.0}, r"^expected b_end >= 0 and b_steps >= 1, got -1\.0 and 10000$"),
        ({"b_end": 1.0, "b_steps": 0}, r"^expected b_end >= 0 and b_steps >= 1, got 1\.0 and 0$"),
        ({"b_end": 0.0}, r'^expected b and b_end above 0 for a geometric course, .*; take b_course="linear"'),
        ({"b": 0.0, "b_end": 1.0}, r"^expected b and b_end above 0 for a geometric course, got 0\.0 and 1\.0; "),
        ({"offset_weights": ((0, 1.0),)}, r"^expected offset_weights of different offsets from 1 on, got \(\(0, 1"),
        ({"offset_weights": ((2, 1.0), (2, 3.0))}, r"^expected offset_weights of different offsets from 1 on, got "),
        ({"offset_weights": ((2, -1.0),)}, r"^expected factors of 0 or more in offset_weights, got "),
    ],
)
def test_mistakes(settings: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        PermanenceConfig(**settings)
