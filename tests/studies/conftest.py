"""A one-room maze, its store, and a tiny VASE: enough to see each study work in seconds."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from perma_agent.data import TrajectoryStore
from perma_agent.models import VASEConfig
from perma_agent.sb3.learning.continual_config import ContinualConfig
from perma_agent.studies.collecting import collect
from perma_agent.studies.levels import LevelChoice
from perma_agent.studies.policy_training import PolicyConfig
from perma_agent.studies.pretraining_run import PretrainingRun, StretchConfig


@pytest.fixture(scope="session")
def room() -> LevelChoice:
    """A maze of one cell."""
    return LevelChoice(id="perma/IndoorMaze-v0", arguments={"rows": 1, "columns": 1, "max_episode_steps": 15})


@pytest.fixture(scope="session")
def tiny() -> VASEConfig:
    """The smallest VASE for its frames."""
    return VASEConfig(filters=(4, 4, 4, 4), hidden=16, latents=4, max_environments=3)


@pytest.fixture(scope="session")
def brief() -> PolicyConfig:
    """PPO over before it has begun."""
    learning = ContinualConfig(updates_per_rollout=1, offsets=(1,), every=32, pairs=4)
    return PolicyConfig(
        timesteps=64, copies=2, steps_per_rollout=16, batch_size=16, epochs=1, layers=(8,), continual=learning
    )


@pytest.fixture(scope="session")
def recorded(room: LevelChoice, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of the room."""
    path = tmp_path_factory.mktemp("recorded") / "room"
    collect([room], path, frames=120, copies=2).close()
    return path


@pytest.fixture(scope="session")
def learnt(recorded: Path, tiny: VASEConfig, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run folder of a VASE that saw the room."""
    path = tmp_path_factory.mktemp("learnt") / "vase"
    with TrajectoryStore.open(recorded) as store:
        PretrainingRun(path, store, config=StretchConfig(updates=4, pairs=4, offsets=(1,)), model=tiny).learn()
    return path


@pytest.fixture
def run(learnt: Path, tmp_path: Path) -> Path:
    """A copy of the run folder."""
    return Path(shutil.copytree(learnt, tmp_path / "vase"))
