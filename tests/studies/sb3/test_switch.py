"""Going through a switch: windows, figures and series by hand, and a small real agent."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from perma_agent.sb3.learning.round_record import RoundRecord
from perma_agent.studies.levels import LevelChoice
from perma_agent.studies.policy_training import EpisodeLog, PolicyConfig
from perma_agent.studies.sb3.config import SwitchConfig
from perma_agent.studies.sb3.publication_watch import RolloutStart
from perma_agent.studies.sb3.switch import measure_switch, measured_of, noticed, probe_frames, windows


@pytest.fixture
def config(room: LevelChoice, brief: PolicyConfig) -> SwitchConfig:
    """Two rollouts of 32 steps on either side."""
    outside = LevelChoice(id="perma/OutdoorMaze-v0", arguments=room.arguments)
    return SwitchConfig(rollouts=2, window=1, before=room, after=outside, policy=brief, probes=3, chance=1)


def start(timesteps: int, *, published: bool = True, moved: tuple[float, float] = (0.0, 0.0)) -> RolloutStart:
    kl = tuple(value / 10 for value in moved)
    return RolloutStart(
        timesteps=timesteps,
        published=published,
        elsewhere=False,
        step=0,
        moved=moved,
        policy_kl=kl,
        information=(0.3, 0.4),
        update_kl=math.nan if timesteps == 0 else 0.5,
    )


def round_at(timesteps: int, environment: int | None) -> RoundRecord:
    return RoundRecord(
        timesteps=timesteps,
        step=1,
        environment=environment,
        environments=1 + (environment or 0),
        opened=False,
        undecided=0,
        atypicality=(0.0,),
        masked=(0, 2),
    )


def test_windows_by_hand(config: SwitchConfig) -> None:
    assert config.rollout == 32 and config.switch == 64
    assert windows(config) == {"before": (32, 64), "at": (64, 96), "after": (96, 128)}


def test_figures_by_hand(config: SwitchConfig) -> None:
    log = EpisodeLog()
    log.ends, log.returns = [30, 40, 64, 65, 96, 128], [9.0, 1.0, 3.0, 5.0, 7.0, 8.0]
    starts = [
        start(0, published=False),
        start(32, moved=(0.1, 9.0)),
        start(64, moved=(9.0, 0.2)),
        start(96, moved=(9.0, math.inf)),
    ]
    rounds = [round_at(32, 0), round_at(64, 0), round_at(96, None), round_at(128, 1)]
    found = measured_of(config, log, starts, rounds)
    expected = {
        "publications": 3.0,
        "elsewhere": 0.0,
        "return/before": 2.0,  # the episode that ends with the last step before the switch belongs to it
        "return/at": 6.0,
        "return/after": 8.0,
        "episodes/before": 2.0,
        "episodes/at": 2.0,
        "episodes/after": 1.0,
        "moved/before": 0.1,
        "moved/at": 0.2,  # on frames of the look that the agent then sees
        "moved/after": None,
        "policy_kl/before": pytest.approx(0.01),
        "policy_kl/at": pytest.approx(0.02),
        "policy_kl/after": None,
        "information/before": pytest.approx(0.3),
        "information/at": pytest.approx(0.4),
        "information/after": pytest.approx(0.4),
        "update_kl/before": 0.5,
        "update_kl/at": 0.5,
        "update_kl/after": 0.5,
        "environments": 2.0,
        "noticed": 2.0,
    }
    assert dict(found.figures) == expected
    assert found.series["update_kl"] == [None, 0.5, 0.5, 0.5] and found.series["moved_after"][-1] is None
    assert found.series["environment"] == [0, 0, None, 1] and found.series["masked"] == [2] * 4


def test_a_switch_that_nobody_noticed_has_no_lag(config: SwitchConfig) -> None:
    assert noticed(config, [round_at(64, 0), round_at(96, 0), round_at(128, None)]) is None
    assert noticed(config, [round_at(64, 1), round_at(96, 0)]) == 1.0  # one known from earlier is another one too


def test_frozen_is_the_same_policy_without_updates_of_the_vase(config: SwitchConfig) -> None:
    continual, frozen = (config.policy_of(mode, seed=5) for mode in ("continual", "frozen"))
    assert continual.timesteps == frozen.timesteps == 128 and continual.seed == continual.continual.seed == 5
    assert frozen.continual.updates_per_rollout == 0
    assert replace(frozen, continual=continual.continual) == continual


@pytest.mark.parametrize("changes", [{"window": 2}, {"rollouts": 0}, {"probes": 0}, {"chance": 0}])
def test_a_switch_needs_room_for_its_windows(config: SwitchConfig, changes: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="expected at least one rollout, probe and episode"):
        replace(config, **changes)


def test_probes_are_frames_as_the_policy_sees_them_and_the_same_for_the_same_seed(room: LevelChoice) -> None:
    frames = probe_frames(room, count=3, seed=1)
    assert frames.shape == (3, 3, 64, 64) and frames.dtype == np.uint8
    assert np.array_equal(frames, probe_frames(room, count=3, seed=1))
    assert not np.array_equal(frames, probe_frames(room, count=3, seed=2))


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["continual", "frozen"])
def test_a_small_agent_goes_through_the_same_way_twice(config: SwitchConfig, run: Path, mode: str) -> None:
    told: list[float] = []
    first = measure_switch(config, mode, run, 0, told.append)
    assert sum(told) == pytest.approx(4.0)
    assert first.series["start"] == [0, 32, 64, 96]
    assert first.figures["publications"] == (3.0 if mode == "continual" else 0.0)
    assert first.figures["elsewhere"] == 0.0 and ("environments" in first.figures) == (mode == "continual")
    assert measure_switch(config, mode, run, 0, told.append) == first
