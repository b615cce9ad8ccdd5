"""Cells as the part `sample-efficiency` writes them, made up; and the smallest run of it there is."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from perma_agent.continual import InferenceConfig, LearnerConfig
from perma_agent.evaluation.cells import Cell
from perma_agent.models import VASEConfig
from perma_agent.studies.levels import LevelChoice
from perma_agent.studies.policy_training import PolicyConfig
from perma_agent.studies.transfer.sample_efficiency.arms import ARMS
from perma_agent.studies.transfer.sample_efficiency.config import PretrainingConfig, SampleEfficiency

MakeArm = Callable[..., Cell]


@pytest.fixture
def make_cell() -> MakeArm:
    """A cell of an arm whose curve goes through the given mean returns, 10 steps and one episode a rollout."""

    def make(arm: str, seed: int, curve: Sequence[float], *, level: str = "forage", final: float | None = None) -> Cell:
        rollouts = len(curve)
        return Cell(
            study="transfer",
            arm=f"sample-efficiency-{level}-{arm}",
            seed=seed,
            settings={
                "preset": "smoke",
                "part": "sample-efficiency",
                "name": level,
                "level": {"id": f"perma/{level}", "arguments": {}},
                "episode_limit": 5,
                "policy": {"copies": 2},
                **({"pretraining": {"frames": 40}} if arm.startswith("va") else {}),
            },
            figures={
                "final_return": curve[-1] if final is None else final,
                "final_success": 0.5,
                "learning_seconds": 2.0 * rollouts,
            },
            series={
                "steps": [10 * (place + 1) for place in range(rollouts)],
                "seconds": [2.0 * (place + 1) for place in range(rollouts)],
                "episodes": [1] * rollouts,
                "returns": list(curve),
                "successes": [0] * rollouts,
            },
            seconds=3.0,
        )

    return make


@pytest.fixture
def make_players() -> MakeArm:
    """A cell of the two players: chance has -1, the knowing one 3."""

    def make(seed: int, *, level: str = "forage") -> Cell:
        return Cell(
            study="transfer",
            arm=f"sample-efficiency-{level}-players",
            seed=seed,
            settings={"preset": "smoke", "name": level, "level": {"id": f"perma/{level}", "arguments": {}}},
            figures={"chance_return": -1.0, "knowing_return": 3.0},
            seconds=1.0,
        )

    return make


@pytest.fixture
def make_codes() -> MakeArm:
    """A cell of the codes: 4 s of recording, 10 s of VASE, 6 s of VAE."""

    def make(seed: int, *, level: str = "forage") -> Cell:
        return Cell(
            study="transfer",
            arm=f"sample-efficiency-{level}-codes",
            seed=seed,
            settings={
                "preset": "smoke",
                "name": level,
                "level": {"id": f"perma/{level}", "arguments": {}},
                "pretraining": {"frames": 40},
            },
            figures={"frames": 40.0, "collecting_seconds": 4.0, "vase_seconds": 10.0, "vae_seconds": 6.0},
            seconds=20.0,
        )

    return make


@pytest.fixture(scope="session")
def few() -> PretrainingConfig:
    """A few frames of a tiny network."""
    return PretrainingConfig(
        frames=60,
        copies=2,
        updates=4,
        pairs=4,
        offsets=(1,),
        probed=40,
        model=VASEConfig(filters=(4, 4, 4, 4), hidden=16, latents=4, max_environments=3),
        vase=LearnerConfig(inference=InferenceConfig(burn_in=2)),
    )


@pytest.fixture
def tiny_study(few: PretrainingConfig, brief: PolicyConfig) -> SampleEfficiency:
    """Every arm for two rollouts on short episodes of one room."""
    return SampleEfficiency(
        preset="smoke",
        arms=tuple(ARMS),
        seeds=(0,),
        levels={"oneroom": LevelChoice(id="MiniWorld-OneRoom-v0", arguments={"max_episode_steps": 12})},
        policy=brief,
        pretraining=few,
        episodes=2,
    )
