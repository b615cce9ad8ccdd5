"""The simplest case: an agent that sees its true pose notes what became of its goals; rows tell each sight apart."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from perma_agent.studies.exploration.explorer import ExplorerConfig
from perma_agent.studies.exploration.simplest_case import STEPS, _levels, measure_room, room_rows, shortened

SMALL = ExplorerConfig(steps=2_048, copies=8, steps_per_rollout=64, batch_size=128, epochs=1)


def test_goals_among_poses_are_pursued_without_a_vase():
    advanced = []
    figures = measure_room("pose", SMALL, 0, Path("no VASE is needed"), advanced.append).figures
    assert sum(advanced) == SMALL.steps and figures["goals_ended"] > 10
    assert 0 <= figures["goals_reached_last"] <= 1
    again = measure_room("pose", SMALL, 0, Path("no VASE is needed"), lambda steps: None).figures
    assert again == figures


def test_a_pose_is_in_half_sides_and_on_the_circle():
    venv = _levels("pose", None, copies=2)
    venv.seed(3)
    pose = venv.reset()
    factors = [info["factors"] for info in venv.reset_infos]
    for shown, told in zip(pose, factors, strict=True):
        assert shown[:2] == pytest.approx([float(told["x"][0]) / 3, float(told["z"][0]) / 3])
        assert np.hypot(*shown[2:]) == pytest.approx(1.0, abs=1e-6)
    venv.close()


def test_rows_tell_sights_and_quarters_apart(make_cell):
    cells = [
        replace(make_cell("room-pose"), figures={"goals_reached_first": 0.1, "goals_reached_last": 0.6}),
        replace(make_cell("room-code"), figures={"goals_reached_first": 0.3, "goals_reached_last": None}),
    ]
    assert {row.id: row.mean for row in room_rows(cells)} == {
        "room_pose_reached_first": 0.1,
        "room_pose_reached_last": 0.6,
        "room_code_reached_first": 0.3,
    }


def test_a_longer_budget_is_cut():
    assert shortened(replace(SMALL, steps=10 * STEPS)).steps == STEPS and shortened(SMALL) == SMALL
