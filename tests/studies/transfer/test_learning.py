"""One cell of each arm, and what is noted of its training."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from perma_agent.errors import RunFolderError
from perma_agent.studies.levels import LevelChoice
from perma_agent.studies.transfer.sample_efficiency.arms import ARMS
from perma_agent.studies.transfer.sample_efficiency.learning import measure_policy, series_of
from perma_agent.studies.transfer.sample_efficiency.pretraining import measure_pretraining


def nothing(work: float) -> None:
    """No progress bar."""


def test_episodes_are_summed_by_rollout():
    log = SimpleNamespace(ends=[4, 10, 12, 30], returns=[1.0, 2.0, 4.0, 8.0], successes=[True, False, True, True])
    clock = SimpleNamespace(steps=[10, 20, 30], seconds=[0.5, 1.0, 1.501])
    series = series_of(log, clock)
    assert series == {
        "steps": [10, 20, 30],
        "seconds": [0.5, 1.0, 1.5],
        "episodes": [2, 1, 1],
        "returns": [3.0, 4.0, 8.0],
        "successes": [1, 1, 1],
        "newest_100": [1.5, 7 / 3, 15 / 4],
    }


def test_there_is_no_mean_before_the_first_episode_and_only_the_newest_hundred_count_later():
    clock = SimpleNamespace(steps=[10, 200], seconds=[1.0, 2.0])
    log = SimpleNamespace(ends=list(range(11, 161)), returns=[0.0] * 50 + [1.0] * 100, successes=[False] * 150)
    assert series_of(log, clock)["newest_100"] == [None, 1.0]
    assert series_of(SimpleNamespace(ends=[], returns=[], successes=[]), clock)["episodes"] == [0, 0]


@pytest.mark.parametrize("arm", list(ARMS))
def test_every_arm_learns_and_plays(tiny_study, arm, tmp_path):
    (name, level), work = next(iter(tiny_study.levels.items())), []
    if ARMS[arm].code is not None:
        measure_pretraining(tiny_study.pretraining, level, name, 0, tmp_path, nothing)
    measured = measure_policy(tiny_study, name, arm, 0, tmp_path, work.append)
    assert measured.figures["timesteps"] == sum(work) == tiny_study.policy.timesteps
    assert measured.series["steps"] == [32, 64] and sum(measured.series["episodes"]) >= 4
    assert np.isfinite([value for value in measured.figures.values() if value is not None]).all()


def test_arms_with_shorter_rollouts_are_noted_at_the_same_moments(tiny_study, tmp_path):
    brief = replace(tiny_study.policy, steps_per_rollout=tiny_study.policy.steps_per_rollout // 2)
    config = replace(tiny_study, policies={"oracle": brief})
    assert config.policy_on("oneroom", "oracle").rollout * 2 == config.rollout
    measured = measure_policy(config, "oneroom", "oracle", 0, tmp_path, nothing)
    assert measured.series["steps"] == [32, 64] and sum(measured.series["episodes"]) >= 4


@pytest.mark.slow
def test_the_same_seed_gives_the_same_cell(tiny_study, tmp_path):
    rich = {"side": 8.6, "good": 7, "bad": 0, "obstacles": 0, "max_episode_steps": 60}  # where even a beginner is paid
    config = replace(
        tiny_study,
        levels={"rich": LevelChoice(id="perma/IndoorForage-v0", arguments=rich)},
        policy=replace(tiny_study.policy, timesteps=384),
        episodes=4,
    )
    first, again, other = (measure_policy(config, "rich", "oracle", seed, tmp_path, nothing) for seed in (0, 0, 1))
    assert first.series["returns"] == again.series["returns"]
    assert first.figures["final_return"] == again.figures["final_return"]
    assert (first.series["returns"], first.figures["final_return"]) != (
        other.series["returns"],
        other.figures["final_return"],
    )


def test_an_arm_without_its_code_is_refused(tiny_study, tmp_path):
    config = replace(tiny_study, arms=("vase",))
    with pytest.raises(RunFolderError):
        measure_policy(config, "oneroom", "vase", 0, tmp_path, nothing)
