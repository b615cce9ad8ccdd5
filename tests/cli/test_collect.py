"""`perma-agent collect` records levels into a store, adds to it, and says what is wrong in one sentence."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from perma_agent.cli import collect
from perma_agent.data import TrajectoryStore
from perma_agent.types import Trajectory

MAZE = ("--levels", "perma/IndoorMaze-v0")


def test_levels_are_recorded_in_turn(say, tmp_path: Path) -> None:
    levels = ("perma/IndoorMaze-v0", "perma/OutdoorMaze-v0")
    arguments = '{"rows": 1, "columns": 1, "max_episode_steps": 10}'
    path = tmp_path / "new" / "store"
    said = say(
        "collect",
        "--levels",
        *levels,
        "--store",
        path,
        "--frames",
        60,
        "--copies",
        2,
        "--arguments",
        arguments,
        "--json",
    )
    assert said.code == 0
    summary = json.loads(said.out)
    assert list(summary["levels"]) == list(levels)
    assert summary["frames"] >= 60
    assert summary["frame_shape"] == [64, 64, 3]
    assert "60/60" in said.err
    with TrajectoryStore.open(path) as store:
        assert store.num_frames == summary["frames"]
        provenance = store.provenance(0)
        assert provenance.policy == "wanderer"
        assert (provenance.level_arguments["rows"], provenance.level_arguments["columns"]) == (1, 1)
        assert max(store.index.lengths) <= 11


def test_the_table_adds_up(say, store: Path, room: str) -> None:
    said = say("collect", *MAZE, "--store", store, "--frames", 30, "--copies", 1, "--arguments", room)
    heading, level, everything = [line.split("\t") for line in said.out.splitlines()]
    assert heading == ["level", "trajectories", "frames", "megabytes"]
    assert level[0] == "perma/IndoorMaze-v0"
    assert everything[1:3] == level[1:3]
    assert float(everything[3]) > 0.1


def test_a_store_is_added_to_with_other_trajectories(say, store: Path, room: str) -> None:
    with TrajectoryStore.open(store) as opened:
        before = len(opened)
    same = ("collect", *MAZE, "--store", store, "--arguments", room, "--frames", 60, "--copies", 2)
    assert say(*same).code == 0
    with TrajectoryStore.open(store) as opened:
        assert len(opened) > before
        first, second = opened.trajectory(0), opened.trajectory(before)
        assert opened.provenance(0).seed != opened.provenance(before).seed
        assert not np.array_equal(first.frames[0], second.frames[0])


@pytest.mark.parametrize("by", [signal.SIGINT, signal.SIGTERM])
def test_stopped_it_keeps_what_it_has(
    say, tmp_path: Path, room: str, stop_after, monkeypatch: pytest.MonkeyPatch, by: signal.Signals
) -> None:
    monkeypatch.setattr(collect, "progress_bar", stop_after(7, by=by))
    handler = signal.getsignal(by)
    said = say(
        "collect", *MAZE, "--store", tmp_path / "s", "--arguments", room, "--frames", 9999, "--copies", 2, "--json"
    )
    assert said.code == 0
    assert said.err == f"perma-agent: stopped as asked; what was recorded is in {tmp_path / 's'}\n"
    assert 16 <= json.loads(said.out)["frames"] <= 20  # 7 steps of 2 copies, and the first frame of each episode
    assert signal.getsignal(by) is handler


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (("--levels", "perma/IndoorMaz-v0"), "got 'perma/IndoorMaz-v0'; did you mean perma/IndoorMaze-v0"),
        ((*MAZE, "--arguments", '{"rowz": 1}'), "got rowz"),
        ((*MAZE, "--arguments", '{"rows": 0}'), "expected rows to be a whole number from 1 to 16, got 0"),
        ((*MAZE, "--arguments", "rows=1"), "expected --arguments as a JSON object such as"),
        ((*MAZE, "--arguments", "[1]"), "expected --arguments as a JSON object such as"),
        ((*MAZE, "--frames", "0"), "expected --frames of at least 1, got 0"),
        ((*MAZE, "--copies", "0"), "expected --copies of at least 1, got 0"),
        ((*MAZE, "--seed", "-1"), "expected --seed of at least 0, got -1"),
        (("--levels", "a", "b", "--copies", "1"), "expected --copies of at least one a level, got 1 for 2"),
        (("--levels",), "expected at least one level, got none"),
    ],
)
def test_wrong_options_leave_no_store(say, tmp_path: Path, options: tuple[str, ...], complaint: str) -> None:
    assert complaint in say("collect", "--store", tmp_path / "store", *options).complaint()
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_store_is_left_alone(say, tmp_path: Path, room: str, bytes_of) -> None:
    (tmp_path / "thesis.txt").write_text("precious")
    before = bytes_of(tmp_path)
    options = (*MAZE, "--arguments", room, "--copies", 1)
    assert "without store.json" in say("collect", "--store", tmp_path, *options).complaint()
    assert bytes_of(tmp_path) == before


def test_a_folder_that_cannot_be_written(say, beneath_a_file: Path, room: str) -> None:
    said = say("collect", "--store", beneath_a_file, *MAZE, "--arguments", room, "--copies", 1)
    assert "expected to write to" in said.complaint()


def test_frames_of_another_size(say, tmp_path: Path, room: str, counting: Callable[[], Trajectory]) -> None:
    with TrajectoryStore.create(tmp_path / "grey") as store:
        store.add(counting())
    said = say("collect", "--store", tmp_path / "grey", *MAZE, "--arguments", room, "--copies", 1)
    assert "expected a store of frames of shape (64, 64, 3)" in said.complaint()
    with TrajectoryStore.open(tmp_path / "grey") as store:
        assert len(store) == 1


@pytest.fixture
def counting() -> Callable[[], Trajectory]:
    """A trajectory of small grey frames."""
    return lambda: Trajectory(
        frames=np.zeros((9, 8, 8, 1), np.uint8),
        actions=np.zeros(8, np.int64),
        rewards=np.zeros(8, np.float32),
        terminated=False,
        truncated=True,
    )
