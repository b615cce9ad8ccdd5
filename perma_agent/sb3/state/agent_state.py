"""Agent state: all of an on-policy agent at the beginning of a rollout that changes while the rollout is collected.

Weights and optimisers do not: they are what they were until the rollout is complete. So this small part is noted as
each rollout begins, and a run that is stopped in the middle of one is saved as it was at its beginning.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.on_policy_algorithm import OnPolicyAlgorithm
from stable_baselines3.common.vec_env import VecEnv

from perma_agent.errors import RunFolderError
from perma_agent.sb3.seeing.feature_memory import FeatureMemory
from perma_agent.sb3.seeing.features_extractor import extractors_of
from perma_agent.sb3.state.callback_state import callback_states, restore_callbacks
from perma_agent.sb3.state.level_state import level_state, restore_levels
from perma_agent.sb3.state.plain_state import copied
from perma_agent.sb3.state.random_state import random_state, restore_random

COUNTS = ("num_timesteps", "_n_updates", "_episode_num", "_current_progress_remaining", "_total_timesteps")
"""Numbers of an agent that its next steps depend on."""
NOISE = ("exploration_mat", "exploration_matrices")
"""What generalised state-dependent exploration drew for this rollout."""


def agent_state(agent: BaseAlgorithm, callbacks: Sequence[BaseCallback]) -> dict[str, Any]:
    """What changes while a rollout is collected, for `split_state`; a copy.

    Args:
        agent: an on-policy algorithm between two rollouts, with levels that can be taken up again (`sb3.level_state`).
        callbacks: all that follow the training, in one order.

    Raises:
        ValueError: the agent is of another kind, or has other levels.
    """
    venv = _levels_of(agent)
    noise = getattr(agent.policy, "action_dist", None)
    state = {
        "counts": {name: getattr(agent, name) for name in COUNTS},
        "observations": agent._last_obs,
        "original_observations": agent._last_original_obs,
        "episode_starts": agent._last_episode_starts,
        "episodes": [dict(info) for info in agent.ep_info_buffer or ()],
        "successes": list(agent.ep_success_buffer or ()),
        "recurrent": getattr(agent, "_last_lstm_states", None),
        "noise": {name: getattr(noise, name) for name in NOISE if hasattr(noise, name)},
        "random": random_state(agent.action_space, device=agent.device),
        "features": [memory.resume_state() for memory in _memories(agent)],
        "levels": level_state(venv),
        "callbacks": callback_states(callbacks),
    }
    whole: dict[str, Any] = copied(state)
    return whole


def restore_agent(agent: BaseAlgorithm, state: Mapping[str, Any], callbacks: Sequence[BaseCallback]) -> None:
    """Put an agent, whose weights are the saved ones already, and its levels into a state; `settle` must follow.

    Raises:
        RunFolderError: it has other levels or callbacks.
        LevelError: a level came out differently.
        KeyError, TypeError, ValueError, RuntimeError: the state is of another version.
    """
    restore_levels(_levels_of(agent), state["levels"])
    for name in COUNTS:
        setattr(agent, name, state["counts"][name])
    agent._num_timesteps_at_start = agent.num_timesteps  # so that frames per second are those of this process
    agent._last_obs, agent._last_original_obs = state["observations"], state["original_observations"]
    agent._last_episode_starts = np.asarray(state["episode_starts"])
    agent.ep_info_buffer = deque(state["episodes"], maxlen=agent._stats_window_size)
    agent.ep_success_buffer = deque(state["successes"], maxlen=agent._stats_window_size)
    if state["recurrent"] is not None:
        _restore_recurrent(agent, state["recurrent"])
    settle(agent, state, callbacks)


def settle(agent: BaseAlgorithm, state: Mapping[str, Any], callbacks: Sequence[BaseCallback]) -> None:
    """Undo what came between `restore_agent` and the rollout's first step: random numbers, callbacks, memories."""
    for name, drawn in state["noise"].items():
        setattr(agent.policy.action_dist, name, drawn.to(agent.device))
    restore_callbacks(callbacks, state["callbacks"])
    memories = _memories(agent)
    if len(memories) != len(state["features"]):
        raise RunFolderError(f"expected {len(state['features'])} encoders that remember, got {len(memories)}")
    for memory, features in zip(memories, state["features"], strict=True):
        memory.resume_from(features)
    restore_random(state["random"], agent.action_space, device=agent.device)


def mean_return(state: Mapping[str, Any]) -> float | None:
    """Of the last episodes that ended (SB3's `rollout/ep_rew_mean`), None if there were none."""
    returns = [float(info["r"]) for info in state["episodes"] if "r" in info]
    return float(np.mean(returns)) if returns else None


def _levels_of(agent: BaseAlgorithm) -> VecEnv:
    if not isinstance(agent, OnPolicyAlgorithm):
        raise ValueError(
            f"expected an on-policy agent (PPO, A2C, RecurrentPPO), got {type(agent).__name__}, whose replay buffer "
            "would have to be kept; save_bundle keeps the agent without it"
        )
    if agent.env is None or agent._last_obs is None:
        raise ValueError("expected an agent that has its levels and began to learn, got another; call learn() first")
    return agent.env


def _memories(agent: BaseAlgorithm) -> list[FeatureMemory]:
    """Of the policy's encoders, each once."""
    extractors = [extractor for extractor in extractors_of(agent.policy) if extractor.mode != "nature"]
    found = {id(extractor.published): extractor.published._memory for extractor in extractors}
    return list(found.values())


def _restore_recurrent(agent: Any, saved: Any) -> None:
    parts = [tuple(part.to(agent.device) for part in pair) for pair in saved]
    agent._last_lstm_states = type(agent._last_lstm_states)(*parts)
