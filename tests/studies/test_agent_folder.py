"""Agent folder: claimed before an agent is trained, whole when it is saved."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from perma_agent.errors import RunFolderError
from perma_agent.sb3 import read_bundle
from perma_agent.studies.agent_folder import claim_agent_folder, learning_curve, save_agent
from perma_agent.studies.levels import LevelChoice, make_copies
from perma_agent.studies.policy_training import PolicyConfig, TrainedPolicy, make_agent


@pytest.fixture
def trained(room: LevelChoice, learnt: Path, brief: PolicyConfig) -> TrainedPolicy:
    """A policy with four known episodes."""
    venv = make_copies([room], copies=2)
    agent = make_agent(venv, learnt, config=brief)
    venv.close()
    return TrainedPolicy(
        agent=agent,
        episode_ends=np.array([10, 20, 90, 100]),
        returns=np.array([0.0, 1.0, 1.0, 1.0]),
        successes=np.array([False, True, True, True]),
    )


def test_what_is_saved(trained: TrainedPolicy, tmp_path: Path) -> None:
    claim_agent_folder(tmp_path / "agent")
    save_agent(trained, tmp_path / "agent", extra={"level": "x"})
    assert sorted(path.name for path in (tmp_path / "agent").iterdir()) == [
        "agent.zip",
        "config.json",
        "episodes.json",
        "manifest.json",
        "normalisers.json",
        "normalisers.safetensors",
        "policy.safetensors",
    ]
    assert read_bundle(tmp_path / "agent").extra == {"level": "x"}
    episodes = json.loads((tmp_path / "agent" / "episodes.json").read_text())["episodes"]
    assert episodes == {"ends": [10, 20, 90, 100], "returns": [0, 1, 1, 1], "successes": [False, True, True, True]}
    with pytest.raises(RunFolderError, match="with an agent in it"):
        claim_agent_folder(tmp_path / "agent")


def test_the_curve_has_a_moment_for_each_stretch_with_episodes(trained: TrainedPolicy) -> None:
    curve = learning_curve(trained)["curve"]
    assert sum(moment["return"]["n"] for moment in curve) == 4
    assert curve[0]["success"]["value"] == 0.0
    assert curve[-1]["success"]["value"] == 1.0
    assert [moment["step"] for moment in curve] == sorted({moment["step"] for moment in curve})


def test_no_episode_has_ended_yet(trained: TrainedPolicy) -> None:
    nothing = TrainedPolicy(
        agent=trained.agent,
        episode_ends=np.empty(0, np.int64),
        returns=np.empty(0),
        successes=np.empty(0, bool),
    )
    assert learning_curve(nothing)["curve"] == []


def test_claims_are_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("precious")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "thesis.txt").write_text("precious")
    for path, complaint in (
        (tmp_path / "file", "expected a folder for the agent"),
        (tmp_path / "agent.zip", "expected a folder for the agent"),
        (tmp_path / "other", "with thesis.txt in it"),
        (tmp_path / "file" / "agent", "expected to make the folder"),
    ):
        with pytest.raises(RunFolderError, match=complaint):
            claim_agent_folder(path)
    assert (tmp_path / "other" / "thesis.txt").read_text() == "precious"


def test_what_a_training_left_behind_is_no_hindrance(tmp_path: Path) -> None:
    for name in ("vase", "tensorboard"):
        (tmp_path / name).mkdir()
    claim_agent_folder(tmp_path)
    claim_agent_folder(tmp_path)
    assert {"vase", "tensorboard"} <= {path.name for path in tmp_path.iterdir()}
