"""Record what an agent sees and does, of one level or of many in parallel, into a trajectory store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, SupportsFloat, overload

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from stable_baselines3.common.vec_env import VecEnv, VecEnvWrapper
from stable_baselines3.common.vec_env.base_vec_env import VecEnvObs, VecEnvStepReturn

from perma_agent.data.episode import Factors
from perma_agent.data.recorder import Recorder, StoreOrPath
from perma_agent.data.store import TrajectoryStore
from perma_agent.wrappers.frames import FrameView
from perma_agent.wrappers.provenance import provenance_of, provenances_of
from perma_agent.wrappers.replayed_episode import ReplayedEpisode

MAX_STEPS = 2048
"""Longer episodes are stored in parts: at 64×64 RGB a part is 25 MB, and each parallel level holds one."""


class RecordTrajectories:
    """Records every episode into a `TrajectoryStore`; what passes through is not touched.

    One name for both kinds of level, as `pathlib.Path` is for two kinds of file system: round an SB3 `VecEnv` it is
    a `VecEnvWrapper`, round a Gymnasium level a `gymnasium.Wrapper`, and in both cases a `RecordTrajectories`.

    - The frame an episode ends with comes from `terminal_observation`; truncation from `TimeLimit.truncated`.
    - Factors come from `info["factors"]` (name -> number or array), those of an episode's first frame from the
      reset's info. What is missing at a frame is NaN; an array that is shorter than at other frames is filled up.
    - Episodes under way are stored as truncated when the level is reset or closed before they end.
    - Frames are copied in the stepping thread, 12 kB each at 64×64, and written in another. An episode is on disk
      within a fraction of a second of its end, `flush` waits for that. A process that is killed
      loses the episodes under way and those that ended within this fraction.

    Args:
        env: a level or a `VecEnv`; its observations are uint8 pictures of 1 or 3 channels, or a Dict with one.
        store: an open store, or the path of one, which is made if need be and closed with the level.
        policy: who acts; noted in the provenance. May be set later, and holds from the next episode on.
        frame_key: which entry of a Dict observation is the picture; may be left out where there is only one.
        max_steps: longer episodes are stored in parts, of which each but the last is truncated.

    Raises:
        FrameError: the level does not show such pictures.
        StoreError: the store holds frames of another shape or cannot be opened; and, from `step`, `flush` and `close`
            while recording, it cannot be written. `step` raises before the level moves, so that it may be called again.
    """

    _recorder: Recorder
    _view: FrameView

    @overload
    def __new__(cls, env: VecEnv, store: StoreOrPath, **options: Any) -> RecordVecEnv: ...
    @overload
    def __new__(cls, env: gym.Env[Any, Any], store: StoreOrPath, **options: Any) -> RecordEnv: ...
    def __new__(cls, env: VecEnv | gym.Env[Any, Any], store: StoreOrPath, **options: Any) -> RecordTrajectories:
        """Choose the kind that goes round `env`."""
        if cls is RecordTrajectories:
            return object.__new__(RecordVecEnv if isinstance(env, VecEnv) else RecordEnv)
        return object.__new__(cls)

    @property
    def store(self) -> TrajectoryStore:
        """Where the episodes go."""
        return self._recorder.store

    @property
    def policy(self) -> str:
        """Who acts, as the provenance of episodes that begin from now on says."""
        return self._recorder.provenances[0].policy

    @policy.setter
    def policy(self, name: str) -> None:
        self._recorder.provenances = [replace(each, policy=name) for each in self._recorder.provenances]

    def flush(self) -> None:
        """Return when every episode that ended is committed.

        Raises:
            StoreError: the store cannot be written; nothing that was recorded is dropped, calling again tries again.
        """
        self._recorder.flush()


class RecordVecEnv(RecordTrajectories, VecEnvWrapper):
    """`RecordTrajectories` round an SB3 `VecEnv`."""

    def __init__(
        self,
        env: VecEnv,
        store: StoreOrPath,
        *,
        policy: str = "unknown",
        frame_key: str | None = None,
        max_steps: int = MAX_STEPS,
    ) -> None:
        _check_actions(env.action_space)
        VecEnvWrapper.__init__(self, env)
        self._view = FrameView.of(env.observation_space, key=frame_key)
        provenances = provenances_of(env, policy=policy)
        self._recorder = Recorder(store, provenances, frame_shape=self._view.shape, max_steps=max_steps)
        self._actions = np.empty(0)

    def reset(self) -> VecEnvObs:
        """Reset all levels; episodes under way are stored as truncated."""
        seeds = list(self.unwrapped._seeds)  # SB3 forgets them during the reset and has no other word for them
        observations = self.venv.reset()
        for level, frame in enumerate(self._view(observations)):
            self._recorder.begin(level, frame, factors=self._reset_factors(level), seed=seeds[level])
        self._recorder.hand_over()
        return observations

    def step_async(self, actions: np.ndarray) -> None:
        """Pass the actions on.

        Raises:
            StoreError: what was recorded before cannot be written; the levels have not moved.
        """
        self._recorder.check()
        self._actions = np.array(actions)
        self.venv.step_async(actions)

    def step_wait(self) -> VecEnvStepReturn:
        """Pass on what the levels answer."""
        observations, rewards, dones, infos = self.venv.step_wait()
        for level, frame in enumerate(self._view(observations)):
            info = infos[level]
            factors = info.get("factors", {})
            action, reward = self._actions[level], float(rewards[level])
            if not dones[level]:
                self._recorder.step(level, action, reward, frame=frame, factors=factors)
                continue
            last = self._view(info["terminal_observation"])  # `frame` is the next episode's first already
            self._recorder.step(level, action, reward, frame=last, factors=factors)
            truncated = bool(info.get("TimeLimit.truncated", False))
            self._recorder.end(level, terminated=not truncated, truncated=truncated)
            self._recorder.begin(level, frame, factors=self._reset_factors(level))
        self._recorder.hand_over()
        return observations, rewards, dones, infos

    def resume_state(self) -> dict[str, Any]:
        """Where another process would have to go on recording: how many trajectories are stored by now.

        Raises:
            StoreError: what ended cannot be written.
        """
        return {"stored": self._recorder.mark()}

    def resume_from(self, state: Mapping[str, Any], episodes: Sequence[ReplayedEpisode | None]) -> None:
        """Go on with episodes that were played again.

        They are recorded from their beginning, in whole, once: what another process stored after `state` was taken is
        not added a second time.

        Args:
            state: what `resume_state` gave.
            episodes: of each level, all their steps kept.

        Raises:
            StoreError: the store is not the one that was recorded into.
        """
        for level, episode in enumerate(episodes):
            if episode is None:
                continue
            (_, first, _, info), *steps = episode.steps
            self._recorder.begin(level, self._view(first), factors=info.get("factors", {}), seed=episode.seed)
            for action, observation, reward, step_info in steps:
                factors = step_info.get("factors", {})
                self._recorder.step(level, action, reward, frame=self._view(observation), factors=factors)
        self._recorder.go_on_from(int(state["stored"]))

    def leave(self) -> None:
        """Do not store the episodes under way at `close`: another process will go on with them."""
        self._recorder.leave()

    def close(self) -> None:
        """Store the episodes under way, wait until all is committed, close the levels.

        Raises:
            StoreError: the store cannot be written; the levels are closed all the same.
        """
        try:
            self._recorder.close()
        finally:
            self.venv.close()

    def _reset_factors(self, level: int) -> Factors:
        factors: Factors = self.unwrapped.reset_infos[level].get("factors", {})  # wrappers' own reset_infos stay empty
        return factors


class RecordEnv(RecordTrajectories, gym.Wrapper[Any, Any, Any, Any]):
    """`RecordTrajectories` round a single Gymnasium level."""

    def __init__(
        self,
        env: gym.Env[Any, Any],
        store: StoreOrPath,
        *,
        policy: str = "unknown",
        frame_key: str | None = None,
        max_steps: int = MAX_STEPS,
    ) -> None:
        _check_actions(env.action_space)
        gym.Wrapper.__init__(self, env)
        self._view = FrameView.of(env.observation_space, key=frame_key)
        provenances = [provenance_of(env, policy=policy)]
        self._recorder = Recorder(store, provenances, frame_shape=self._view.shape, max_steps=max_steps)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Reset the level; an episode under way is stored as truncated."""
        observation, info = self.env.reset(seed=seed, options=options)
        self._recorder.begin(0, self._view(observation), factors=info.get("factors", {}), seed=seed)
        self._recorder.hand_over()
        return observation, info

    def step(self, action: Any) -> tuple[Any, SupportsFloat, bool, bool, dict[str, Any]]:
        """Pass the action on, and what the level answers back.

        Raises:
            StoreError: what was recorded before cannot be written; the level has not moved.
        """
        self._recorder.check()
        taken = np.array(action)
        observation, reward, terminated, truncated, info = self.env.step(action)
        factors = info.get("factors", {})
        self._recorder.step(0, taken, float(reward), frame=self._view(observation), factors=factors)
        if terminated or truncated:
            self._recorder.end(0, terminated=bool(terminated), truncated=bool(truncated))
            self._recorder.hand_over()
        return observation, reward, terminated, truncated, info

    def close(self) -> None:
        """Store the episode under way, wait until all is committed, close the level.

        Raises:
            StoreError: the store cannot be written; the level is closed all the same.
        """
        try:
            self._recorder.close()
        finally:
            self.env.close()


def _check_actions(space: spaces.Space[Any]) -> None:
    if not isinstance(space, spaces.Discrete | spaces.Box | spaces.MultiDiscrete | spaces.MultiBinary):
        raise ValueError(f"expected actions that are numbers or one array of numbers, got {space}; flatten them first")
