"""GAE check: whether what PPO learns from with a bonus is what a calculation by hand says, in five states."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gymnasium as gym
import numpy as np
import torch
from gymnasium import spaces
from stable_baselines3 import PPO
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.monitor import Monitor
from stable_baselines3.common.vec_env import DummyVecEnv

from perma_agent.imagination.bonus import Bonus, Observations, State, Transitions
from perma_agent.wrappers import BonusReward

STATES, MOVES, LIMIT = 5, (0, 1, -1), 9
"""Places in a row, what each action does there, and steps until the time limit."""
LEVELS, STEPS = 2, 64
"""Levels side by side, and steps of each in the rollout."""
GAMMA, LAMBDA = 0.9, 0.8
EXTRINSIC, WEIGHT, UNTIL = 0.5, 0.8, 100
"""The level's reward counts half, the bonus falls from 0.8 to nothing over 100 timesteps."""
VALUES = np.array([0.1, -0.2, 0.3, 0.25, -0.4])
"""What the critic says of each state."""


class Row(gym.Env[np.ndarray, Any]):
    """Five places in a row, seen one-hot; the episode begins at the first and ends at the last, or after nine steps."""

    def __init__(self) -> None:
        self.observation_space = spaces.Box(0.0, 1.0, (STATES,), np.float32)
        self.action_space = spaces.Discrete(len(MOVES))
        self.place, self.steps = 0, 0

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Back to the first place."""
        super().reset(seed=seed)
        self.place, self.steps = 0, 0
        return self._seen(), {}

    def step(self, action: int) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        """Stay, move on or move back."""
        before, self.place = self.place, moved(self.place, int(action))
        self.steps += 1
        ended = self.place == STATES - 1
        return self._seen(), level_reward(before, int(action)), ended, not ended and self.steps >= LIMIT, {}

    def _seen(self) -> np.ndarray:
        seen: np.ndarray = np.eye(STATES, dtype=np.float32)[self.place]
        return seen


class TableBonus(Bonus):
    """A bonus that is known for each step from one state to another."""

    def bind(self, observation_space: spaces.Space[Any], action_space: spaces.Space[Any], *, copies: int) -> None:
        """Nothing to get ready."""

    def begin(self, observations: Observations) -> None:
        """Nothing to get ready."""

    def reward(self, step: Transitions) -> np.ndarray:
        """`bonus_of` each step."""
        before, after = (np.asarray(seen).argmax(axis=1) for seen in (step.observations, step.next_observations))
        return np.array([bonus_of(*pair) for pair in zip(before, after, strict=True)])

    def learn(self) -> dict[str, float]:
        """Nothing to learn."""
        return {}

    def state_dict(self) -> dict[str, Any]:
        """Empty."""
        return {}

    def load_state_dict(self, state: State) -> None:
        """Nothing to take over."""


@dataclass(frozen=True, kw_only=True)
class GAECheck:
    """What came of the comparison."""

    error: float
    """Largest difference of an advantage or a return between SB3's rollout buffer and the calculation."""
    added_after: float
    """The same had the bonus been added to advantages and returns after GAE, as RLeXplore's example does."""
    terminations: int
    """Episodes in the rollout that ended at the last place."""
    time_limits: int
    """Episodes that the time limit ended."""


def gae_check(*, seed: int = 0) -> GAECheck:
    """Collect a rollout by PPO through `BonusReward`, and calculate by hand what it should hold.

        A_t = Σ_l (γλ)^l δ_{t+l},   δ_t = r_t + γ V(s_{t+1}) - V(s_t),   r_t = ½ r_level + β_t r_bonus

    up to the episode's end or the rollout's, V(s_{t+1}) being 0 after a termination and that of the episode's last
    state after a time limit. Returns are A_t + V(s_t).

    Args:
        seed: of the agent, and so of the actions.
    """
    agent, rollout = _agent(seed), _Rollout()
    agent.learn(STEPS * LEVELS, callback=rollout)
    expected, bare, added, values = (np.zeros((STEPS, LEVELS)) for _ in range(4))
    ends: list[int] = []
    for level in range(LEVELS):
        actions = rollout.actions[:, level].astype(int)
        expected[:, level], steps, kinds = advantages(actions, weigh=True)
        bare[:, level] = advantages(actions, weigh=False)[0]
        added[:, level] = [weight_at(t) * bonus_of(*step) for t, step in enumerate(steps)]
        values[:, level] = VALUES[[before for before, _ in steps]]
        ends += kinds
    wrong = [rollout.advantages - expected, rollout.returns - (expected + values)]
    return GAECheck(
        error=float(np.abs(wrong).max()),
        added_after=float(np.abs(bare + added - expected).max()),
        terminations=ends.count(1),
        time_limits=ends.count(2),
    )


def advantages(actions: np.ndarray, *, weigh: bool) -> tuple[np.ndarray, list[tuple[int, int]], list[int]]:
    """By the sum that defines them, of one level.

    Args:
        actions: taken from the first place on, shape `[T]`.
        weigh: whether the bonus counts.

    Returns:
        A_t, shape `[T]`; the states before and after each step; and for each step 0, or 1 where the episode
        terminated, or 2 where the time limit ended it.
    """
    states, kinds, rewards, place, steps = [], [], [], 0, 0
    for t, action in enumerate(actions):
        after, steps = moved(place, action), steps + 1
        kinds.append(1 if after == STATES - 1 else 2 if steps == LIMIT else 0)
        states.append((place, after))
        rewards.append(EXTRINSIC * level_reward(place, action) + weigh * weight_at(t) * bonus_of(place, after))
        place, steps = (0, 0) if kinds[-1] else (after, steps)
    found = np.zeros(len(actions))
    for t in range(len(actions)):
        for later in range(t, len(actions)):
            before, after = states[later]
            worth = 0.0 if kinds[later] == 1 else VALUES[after]
            found[t] += (GAMMA * LAMBDA) ** (later - t) * (rewards[later] + GAMMA * worth - VALUES[before])
            if kinds[later]:
                break
    return found, states, kinds


def moved(place: int, action: int) -> int:
    """Where an action leads."""
    return min(max(place + MOVES[action], 0), STATES - 1)


def level_reward(place: int, action: int) -> float:
    """What the level pays: a little more further on, less for staying."""
    return 0.05 * place - 0.03 * (MOVES[action] == 0)


def bonus_of(before: int, after: int) -> float:
    """What the bonus pays for a step; staying is worth something too, so that a step across an end would show."""
    return 0.1 + 0.07 * after - 0.04 * before


def weight_at(step: int) -> float:
    """β at a step of the rollout, of which each has `LEVELS` timesteps."""
    return WEIGHT * max(1.0 - step * LEVELS / UNTIL, 0.0)


class _Rollout(BaseCallback):
    """Keeps what PPO is about to learn from, before it is flattened."""

    def _on_rollout_end(self) -> None:
        buffer = self.locals["rollout_buffer"]
        self.actions = buffer.actions[..., 0].copy()
        self.advantages, self.returns = buffer.advantages.astype(float), buffer.returns.astype(float)

    def _on_step(self) -> bool:
        return True


def _agent(seed: int) -> PPO:
    """PPO whose critic says `VALUES`: one linear layer on states seen one-hot."""
    levels = DummyVecEnv([lambda: Monitor(Row())] * LEVELS)
    venv = BonusReward(
        levels,
        TableBonus(),
        extrinsic=EXTRINSIC,
        weight=WEIGHT,
        schedule="linear",
        until=UNTIL,
        normalise="none",
    )
    agent = PPO(
        "MlpPolicy",
        venv,
        n_steps=STEPS,
        batch_size=STEPS,
        n_epochs=1,
        gamma=GAMMA,
        gae_lambda=LAMBDA,
        policy_kwargs={"net_arch": []},
        device="cpu",
        seed=seed,
    )
    with torch.no_grad():
        agent.policy.value_net.weight.copy_(torch.from_numpy(VALUES)[None])
        agent.policy.value_net.bias.zero_()
    return agent
