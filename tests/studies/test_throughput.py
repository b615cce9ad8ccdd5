"""The study of throughput: blocks in turn, rows worked out by hand, and a small real run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

from perma_agent.evaluation.cells import Cell, write_cell
from perma_agent.studies import throughput
from perma_agent.studies.timed_levels import ARRANGEMENTS, MOVES, TimedLevel, take_turns, time_arrangements


def test_blocks_take_turns_and_the_first_round_does_not_count() -> None:
    order: list[str] = []

    def timer(name: str) -> float:
        order.append(name)
        return float(len(order))

    told: list[float] = []
    seconds = take_turns({name: lambda name=name: timer(name) for name in "abc"}, rounds=3, on_block=told.append)
    assert "".join(order) == "abc" + "abc" + "bca" + "cab"
    assert seconds == {"a": [4.0, 9.0, 11.0], "b": [5.0, 7.0, 12.0], "c": [6.0, 8.0, 10.0]}
    assert sum(told) == 9


class Short(gym.Env[Any, Any]):
    """Episodes of three steps; steps beyond the end are an error."""

    observation_space = gym.spaces.Discrete(2)
    action_space = gym.spaces.Discrete(MOVES)

    def __init__(self) -> None:
        self.t, self.resets, self.moves = 0, 0, set[int]()

    def reset(self, **arguments: Any) -> tuple[int, dict[str, Any]]:
        self.t, self.resets = 0, self.resets + 1
        return 0, {}

    def step(self, action: int) -> tuple[int, float, bool, bool, dict[str, Any]]:
        self.t += 1
        assert self.t <= 3
        self.moves.add(action)
        return 0, 0.0, False, self.t == 3, {}


def test_a_block_is_all_its_steps_resets_and_flushes() -> None:
    level, flushed = Short(), []
    timed = TimedLevel(level, seed=0, flush=lambda: flushed.append(1))
    assert timed.time_steps(60) > 0
    assert level.resets == 1 + 20 and flushed == [1] and level.moves == {0, 1, 2}


def cell(arm: str, settings: dict[str, Any], **series: list[float]) -> Cell:
    figures = {name: float(np.median(values)) for name, values in series.items()}
    settings = {"preset": "bench", "level": "perma/IndoorMaze-v0", **settings}
    return Cell(study="throughput", arm=arm, seed=0, settings=settings, figures=figures, series=series, seconds=1.0)


ALONE = {
    "indoor_maze": {
        "original": [100.0, 200.0, 100.0],
        "bare": [90.0, 200.0, 100.0],
        "wrapped": [100.0] * 3,
        "recorded": [100.0, 80.0, 50.0],
    },
    "outdoor_maze": {
        "original": [100.0] * 3,
        "bare": [80.0] * 3,
        "wrapped": [100.0] * 3,
        "recorded": [100.0] * 3,
    },
}
TOGETHER = {
    1: {"dummy": [100.0] * 3, "recorded": [80.0] * 3, "subproc": [50.0] * 3, "tolerant": [50.0] * 3},
    8: {"dummy": [300.0] * 3, "recorded": [900.0] * 3, "subproc": [360.0] * 3, "tolerant": [330.0] * 3},
}


def test_rows_by_hand(tmp_path: Path) -> None:
    for name, series in ALONE.items():
        write_cell(tmp_path, cell(f"alone-{name}", {}, **series))
    for copies, series in TOGETHER.items():
        write_cell(tmp_path, cell(f"copies-{copies}", {"copies": copies}, **series))
    summary = throughput.summarise(tmp_path)
    rows = {row.id: row.mean for row in summary.rows}
    # ratios in each round: .9 1 1 and .8 .8 .8; of the two levels: .85 .9 .9
    assert rows["speed_vs_fourrooms"] == pytest.approx(0.9) and summary["speed_vs_fourrooms"].met is True
    assert rows["speed_vs_fourrooms_slowest"] == pytest.approx(0.8)
    assert summary["speed_vs_fourrooms_slowest"].note.startswith("outdoor_maze")
    assert rows["speed_vs_fourrooms_indoor_maze"] == 1.0
    # recording: 0 25 100 % and 0 0 0 %; of the two levels: 0 12.5 50
    assert rows["recording_cost_percent"] == pytest.approx(12.5) and summary["recording_cost_percent"].met is False
    assert rows["recording_cost_percent_1"] == pytest.approx(25.0)
    assert rows["steps_per_second_outdoor_maze_bare"] == 80.0
    assert rows["fastest_arrangement_steps_per_second"] == 360.0  # the recorded one is not in the race
    assert rows["fastest_arrangement_copies"] == 8 and summary["fastest_arrangement_copies"].note == "subproc"
    assert rows["fastest_arrangement_subproc_vs_dummy_8"] == pytest.approx(1.2)
    assert (tmp_path / "throughput.png").read_bytes().startswith(b"\x89PNG")


def test_what_was_not_timed_is_said(tmp_path: Path) -> None:
    write_cell(tmp_path, cell("copies-1", {"copies": 1}, **TOGETHER[1]))
    summary = throughput.summarise(tmp_path)
    assert summary["speed_vs_fourrooms"].mean is None and summary["recording_cost_percent"].met is False


def test_copies_are_really_timed(tmp_path: Path) -> None:
    told: list[float] = []
    seconds = time_arrangements(
        "perma/IndoorMaze-v0", copies=1, rounds=1, block=6, seed=0, folder=tmp_path, on_block=told.append
    )
    assert set(seconds) == set(ARRANGEMENTS) and sum(told) == 4
    assert all(len(values) == 1 and values[0] > 0 for values in seconds.values())


@pytest.mark.slow
def test_a_small_run(tmp_path: Path) -> None:
    config = replace(throughput.PRESETS["smoke"], block=6, copies=(1,))
    throughput.run(config, tmp_path)
    assert throughput.summarise(tmp_path)["speed_vs_fourrooms"].mean > 0
