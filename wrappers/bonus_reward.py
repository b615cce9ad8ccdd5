"""Bonus reward: pay an agent an intrinsic reward beside the level's own, before advantages are computed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

import numpy as np
from stable_baselines3.common.vec_env import VecEnv, VecEnvWrapper
from stable_baselines3.common.vec_env.base_vec_env import VecEnvObs, VecEnvStepReturn

from perma_agent.imagination.bonus import Bonus, Observations, Transitions
from perma_agent.wrappers.bonus_config import BonusRewardConfig
from perma_agent.wrappers.bonus_scale import BonusScale
from perma_agent.wrappers.shown_goal import ShownGoal

SUMS = ("level", "bonus", "weighed", "length")
"""What is summed over an episode."""


class BonusReward(VecEnvWrapper):
    """Rewards become the level's own and an intrinsic one together: what SB3 then makes advantages of, GAE and all.

        r = extrinsic · r_level + weight(t) · clip( r_bonus / deviation )

    The bonus is asked at each step about observation, action and next observation. Where an episode ended, the next
    observation is its `terminal_observation`, so no bonus is paid across an end; `TimeLimit.truncated` tells it a time
    limit from a true end. It learns every `learn_every` steps, after it was asked. Levels are never stepped, reset or
    seeded by it, and no global random numbers drawn.

    | in `info`        | holds                                                                                       |
    |------------------|---------------------------------------------------------------------------------------------|
    | `level_reward`   | the level's own reward, as the levels inside gave it                                        |
    | `bonus`          | the intrinsic reward, neither normalised nor weighed                                        |
    | `bonus_weighed`  | what was added of it                                                                        |
    | `bonus_episode`  | where an episode ended: `level`, `bonus` and `weighed`, the sums of these, and its `length` |
    | `episode`        | of a `Monitor` or `VecMonitor` inside: not touched, so SB3 logs the level's own return      |

    Other wrappers: `VecMonitor` inside, or it counts the bonus too. `VecNormalize` for rewards inside, where it
    normalises the level's own; outside it would divide both by the same number. `VecFrameStack` on either side: inside,
    the bonus sees stacks too. `EncodedObservation` inside for a bonus over latents (fast), outside for one over frames.
    With `show_goal` all that stands outside must know Dict observations, as SB3's wrappers and
    `EncodedObservation` do, and the policy is a `MultiInputPolicy`.

    A run of `ResumableTraining` keeps the state and goes on bit for bit; `save_bundle` and `restore_normalisers` keep
    what was learnt. `perma_agent.sb3.BonusCallback` logs.

    Example:
        >>> from perma_agent.wrappers import BonusReward
        >>> agent = PPO("CnnPolicy", BonusReward(venv, "rnd", weight=0.5))  # doctest: +SKIP

    Args:
        venv: levels side by side.
        bonus: what to pay; bound to these levels here. Or its name, for `make_bonus` with its default options.
        config: how much, and when it learns.
        **options: fields of `BonusRewardConfig`, taken instead of those in `config`.

    Raises:
        ValueError: an option is unknown or out of range, or a goal is to be shown where there is none.
        FrameError: the bonus cannot read the observations.
        LevelError: it cannot read the actions.
    """

    def __init__(
        self, venv: VecEnv, bonus: Bonus | str, *, config: BonusRewardConfig | None = None, **options: Any
    ) -> None:
        self.config = _config(config, options)
        self.bonus = _made(bonus)
        self.bonus.bind(venv.observation_space, venv.action_space, copies=venv.num_envs)
        self._shown = ShownGoal(venv.observation_space, self.bonus.goal_space) if self.config.show_goal else None
        space = venv.observation_space if self._shown is None else self._shown.space
        VecEnvWrapper.__init__(self, venv, observation_space=space)
        self.scale = BonusScale(self.config, levels=self.num_envs)
        self.timesteps = 0
        """Steps of all levels together so far."""
        self._since = 0
        self._actions = np.empty(0)
        self._before: Observations | None = None
        self._sums = {name: np.zeros(self.num_envs) for name in SUMS}
        self._learnt: dict[str, float] = {}
        self._paid: dict[str, list[float]] = {"raw": [], "weighed": []}

    @property
    def weight(self) -> float:
        """What the next step's bonus is weighed with."""
        return self.config.weight_at(self.timesteps)

    def reset(self) -> VecEnvObs:
        """Reset all levels; what episodes under way summed up is dropped."""
        observations = self.venv.reset()
        assert not isinstance(observations, tuple)  # SB3 knows no tuples
        self.bonus.begin(observations)
        self.scale.begin()
        self._before = observations
        self._sums = {name: np.zeros(self.num_envs) for name in SUMS}
        return self._show(observations)

    def step_async(self, actions: np.ndarray) -> None:
        """Pass the actions on."""
        self._actions = np.array(actions)
        self.venv.step_async(actions)

    def step_wait(self) -> VecEnvStepReturn:
        """What the levels answer, with the bonus in the rewards.

        Raises:
            ValueError: the levels were not reset, or the bonus is not one finite number for each level.
        """
        observations, rewards, dones, infos = self.venv.step_wait()
        if self._before is None or isinstance(observations, tuple):
            raise ValueError("expected levels that were reset before they are stepped, got none; call reset() first")
        raw = self._ask(self._before, observations, np.asarray(dones, dtype=bool), infos)
        weighed = self.weight * self.scale(raw, dones)
        level = np.asarray(rewards, dtype=np.float64)
        self._tell({"level": level, "bonus": raw, "weighed": weighed}, dones, infos)
        self._before = observations
        self.timesteps += self.num_envs
        self._learn()
        paid = (self.config.extrinsic * level + weighed).astype(np.float32)
        return self._show(observations), paid, dones, infos

    def take_figures(self) -> dict[str, float]:
        """For a log: means over the steps since the last call, and what the bonus said when it learnt last.

        Returns:
            `raw` and `weighed` (means of a step), `weight`, `deviation` (what is divided by), and the bonus's own.
        """
        means = {name: float(np.mean(values)) for name, values in self._paid.items() if values}
        self._paid = {name: [] for name in self._paid}
        return {**means, "weight": self.weight, "deviation": self.scale.deviation, **self._learnt}

    def state_dict(self) -> dict[str, Any]:
        """All that its next steps depend on, beside the levels: plain values, arrays and tensors."""
        return {
            **self.learnt_state(),
            "since": self._since,
            "before": self._before,
            "sums": {name: values.copy() for name, values in self._sums.items()},
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on where another one stood, round levels that stand where those did.

        Raises:
            ValueError: the bonus is of another kind or configuration.
            KeyError: the state is of another version.
        """
        self.restore_learnt(state)
        self._since, self._before = int(state["since"]), state["before"]
        self._sums = {name: np.array(state["sums"][name], dtype=np.float64) for name in SUMS}

    def learnt_state(self) -> dict[str, Any]:
        """What outlives the episodes under way, for a bundle: the bonus, the normaliser and the timesteps."""
        return {
            "kind": type(self.bonus).__name__,
            "bonus": self.bonus.state_dict(),
            "scale": self.scale.state_dict(),
            "timesteps": self.timesteps,
        }

    def restore_learnt(self, state: Mapping[str, Any]) -> None:
        """Take over what `learnt_state` gave.

        Raises:
            ValueError: the bonus is of another kind or configuration.
            KeyError: the state is of another version.
        """
        if state["kind"] != type(self.bonus).__name__:
            raise ValueError(
                f"expected the state of a {type(self.bonus).__name__}, got that of a {state['kind']}; make the same "
                "bonus as before"
            )
        self.bonus.load_state_dict(state["bonus"])
        self.scale.load_state_dict(state["scale"])
        self.timesteps = int(state["timesteps"])

    resume_state, resume_from = state_dict, load_state_dict  # the names that sb3.level_state asks wrappers for

    def _ask(self, before: Observations, after: Observations, dones: np.ndarray, infos: list[dict[str, Any]]) -> Any:
        limits = np.array([bool(info.get("TimeLimit.truncated", False)) for info in infos])
        step = Transitions(
            observations=before,
            actions=self._actions,
            next_observations=_with_last(after, dones, infos),
            ended=dones,
            timed_out=dones & limits,
            following=after,
            infos=tuple(infos),
        )
        raw = np.asarray(self.bonus.reward(step), dtype=np.float64)
        if raw.shape != (self.num_envs,) or not np.isfinite(raw).all():
            raise ValueError(
                f"expected {self.num_envs} finite rewards from {type(self.bonus).__name__}, got {raw}; look whether "
                "the observations are finite, or lower its learning rate"
            )
        return raw

    def _tell(self, rewards: Mapping[str, np.ndarray], dones: np.ndarray, infos: list[dict[str, Any]]) -> None:
        for name, values in rewards.items():
            self._sums[name] += values
        self._sums["length"] += 1
        self._paid["raw"].append(float(rewards["bonus"].mean()))
        self._paid["weighed"].append(float(rewards["weighed"].mean()))
        for index, info in enumerate(infos):
            info["level_reward"] = float(rewards["level"][index])
            info["bonus"], info["bonus_weighed"] = (float(rewards[name][index]) for name in ("bonus", "weighed"))
            if not dones[index]:
                continue
            sums = {name: float(self._sums[name][index]) for name in ("level", "bonus", "weighed")}
            info["bonus_episode"] = {**sums, "length": int(self._sums["length"][index])}
            if self._shown is not None:
                lacked = self.bonus.last_goals[index]
                info["terminal_observation"] = self._shown.one(info["terminal_observation"], lacked)
        for values in self._sums.values():
            values[dones] = 0.0

    def _learn(self) -> None:
        self._since += 1
        if self._since >= self.config.learn_every:
            self._since = 0
            self._learnt = self.bonus.learn()

    def _show(self, observations: Observations) -> VecEnvObs:
        return observations if self._shown is None else self._shown.all(observations, self.bonus.goals)


def _with_last(observations: Observations, dones: np.ndarray, infos: list[dict[str, Any]]) -> Observations:
    """Observations in which those of a new episode are replaced by the last of the one that ended."""
    if not dones.any():
        return observations
    if isinstance(observations, dict):
        last = [info["terminal_observation"] if done else None for info, done in zip(infos, dones, strict=True)]
        return {
            name: np.stack([part[index] if end is None else end[name] for index, end in enumerate(last)])
            for name, part in observations.items()
        }
    replaced = observations.copy()
    for index in np.flatnonzero(dones):
        replaced[index] = infos[index]["terminal_observation"]
    return replaced


def _config(config: BonusRewardConfig | None, options: Mapping[str, Any]) -> BonusRewardConfig:
    known = [field.name for field in fields(BonusRewardConfig)]
    unknown = [name for name in options if name not in known]
    if unknown:
        raise ValueError(f"expected options among {', '.join(known)}, got {', '.join(unknown)}")
    return replace(config or BonusRewardConfig(), **options)


def _made(bonus: Bonus | str) -> Bonus:
    if isinstance(bonus, str):
        from perma_agent.imagination.make_bonus import make_bonus  # brings torch

        return make_bonus(bonus)
    return bonus
