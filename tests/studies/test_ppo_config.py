"""One config of PPO: what SB3 is told, and what is refused."""

from __future__ import annotations

import pytest
from stable_baselines3 import PPO

from perma_agent.continual.config_json import to_json
from perma_agent.studies.exploration.explorer import ExplorerConfig
from perma_agent.studies.exploration.figure_5b_config import PusherConfig
from perma_agent.studies.policy_training import PolicyConfig
from perma_agent.studies.ppo_config import PPOConfig


def test_ppo_takes_every_number_as_it_stands() -> None:
    config = PPOConfig(copies=2, steps_per_rollout=16, batch_size=8, epochs=3, learning_rate=2e-4, entropy=0.02)
    agent = PPO("MlpPolicy", "CartPole-v1", device="cpu", **config.arguments())
    assert (agent.n_steps, agent.batch_size, agent.n_epochs) == (16, 8, 3)
    assert (agent.learning_rate, agent.ent_coef) == (2e-4, 0.02)
    assert config.rollout == 32


@pytest.mark.parametrize("kind", [PolicyConfig, ExplorerConfig, PusherConfig])
@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"copies": 0}, "expected copies, epochs and layers of at least 1"),
        ({"layers": (64, 0)}, "expected copies, epochs and layers of at least 1"),
        ({"batch_size": 1}, "expected a batch_size and a rollout of at least 2 frames"),
        ({"copies": 1, "steps_per_rollout": 1}, "expected a batch_size and a rollout of at least 2 frames"),
        ({"learning_rate": 0.0}, "expected a positive learning_rate"),
        ({"entropy": float("nan")}, "expected a positive learning_rate and an entropy weight"),
    ],
)
def test_all_refuse_the_same(kind: type[PPOConfig], wrong: dict[str, object], said: str) -> None:
    with pytest.raises(ValueError, match=f"^{said}"):
        kind(**wrong)


def test_settings_of_cells_name_the_same_numbers_everywhere() -> None:
    shared = set(to_json(PPOConfig()))
    assert all(shared < set(to_json(kind())) for kind in (PolicyConfig, ExplorerConfig, PusherConfig))
