"""Demo: every stage at its smallest, and a report of what came out."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from perma_agent.continual.checkpoint import load_learner
from perma_agent.data import TrajectoryStore
from perma_agent.evaluation.report import write_page
from perma_agent.evaluation.results import read_summary, write_summary
from perma_agent.studies.demo import DemoConfig, DemoResult, no_progress, run_demo
from perma_agent.studies.demo_report import make_page, summarise

BARS = {"switch_lag_batches", "spurious_environments", "success_ratio_vs_random", "total_seconds"}
FETCHED = re.compile(r"""(?:src|href)=["'](?!data:|#)|url\((?!["']?data:)|<script|<link|@import""")


@pytest.fixture(scope="module")
def stages() -> list[tuple[str, int]]:
    """Names and lengths of the bars that were drawn."""
    return []


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory, tiny, brief, stages) -> DemoResult:
    """A demo of a few frames."""

    def progress(label: str, *, total: int):
        stages.append((label, total))
        return no_progress(label, total=total)

    config = DemoConfig.debug(
        folder=tmp_path_factory.mktemp("demo"),
        frames=120,
        indoor_updates=12,
        outdoor_updates=8,
        episodes=2,
        copies=2,
        pairs=4,
        offsets=(1,),
        levels=(),
        task_arguments={"rows": 1, "columns": 1, "max_episode_steps": 15},
        model=tiny,
        policy=brief,
    )
    return run_demo(config, progress=progress)


def test_every_stage_has_a_bar_and_a_clock(result: DemoResult, stages: list[tuple[str, int]]) -> None:
    names = [name for name, _ in stages]
    assert (
        names
        == list(result.seconds)
        == [
            "record indoor",
            "record outdoor",
            "learn indoor",
            "learn outdoor",
            "train policy indoor",
            "test policies",
        ]
    )
    assert [total for _, total in stages] == [120, 120, 12, 8, 64, 8]
    assert all(seconds > 0 for seconds in result.seconds.values())


def test_worlds_and_batches(result: DemoResult) -> None:
    assert [(world.name, world.start) for world in result.worlds] == [("indoor", 1), ("outdoor", 13), ("indoor", 21)]
    np.testing.assert_array_equal(result.history.steps, np.arange(1, 23))  # 12 + 8 + a round after each of 2 rollouts
    assert result.learner.step == 22


def test_what_is_on_disk(result: DemoResult) -> None:
    folder = result.config.folder
    assert load_learner(folder / "vase").step == 22
    for setting in ("indoor", "outdoor"):
        with TrajectoryStore.open(folder / f"trajectories-{setting}") as store:
            assert store.num_frames >= 120
            assert all(setting in level.lower() for level in store.index.levels)


def test_policies_and_frames(result: DemoResult) -> None:
    for episodes in result.episodes.values():
        assert {setting: one.episodes for setting, one in episodes.items()} == {"indoor": 2, "outdoor": 2}
    assert set(result.episodes) == {"trained", "random"}
    assert {setting: frames.shape for setting, frames in result.frames.items()} == {
        "indoor": (6, 3, 64, 64),
        "outdoor": (6, 3, 64, 64),
    }


def test_the_summary_has_a_row_for_each_bar(result: DemoResult, tmp_path: Path) -> None:
    summary = summarise(result, command="perma-agent demo", preset="debug", total_seconds=1.5)
    write_summary(summary, tmp_path / "summary.json")
    read = read_summary(tmp_path / "summary.json")
    assert read == summary
    assert {row.id for row in read.rows} >= BARS
    assert read["total_seconds"].mean == 1.5
    assert read["seconds_learn_indoor"].mean == result.seconds["learn indoor"]
    assert all(read[bar].goal for bar in BARS)


def test_the_report_is_one_file_that_fetches_nothing(result: DemoResult, tmp_path: Path) -> None:
    summary = summarise(result, command="perma-agent demo --seed 0", preset="debug", total_seconds=1.5)
    write_page(make_page(result, summary), tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text()
    assert not FETCHED.search(page)
    assert page.count("data:image/png;base64,") >= 10
    assert page.count("perma-agent demo --seed 0") >= 10  # every figure tells its command
    for section in ("Environments it inferred", "What it sees", "What its latents mean", "The policy"):
        assert section in page


def test_the_levels_of_the_demo() -> None:
    config = DemoConfig()
    assert config.level("outdoor").id == "perma/OutdoorMaze-v0"
    recorded = [choice.id for choice in config.recorded("indoor")]
    assert recorded == [f"perma/Indoor{task}-v0" for task in ("Maze", "Forage", "Maze", "Deferred")]
    assert config.recorded("indoor")[0].arguments == config.task_arguments
