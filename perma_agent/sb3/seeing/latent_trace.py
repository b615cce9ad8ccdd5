"""Latent trace: a forgetful mean of the codes seen lately, which stands for what is around, beside the newest code."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from gymnasium import spaces
from stable_baselines3.common.vec_env import VecEnv, VecEnvWrapper
from stable_baselines3.common.vec_env.base_vec_env import VecEnvStepReturn


class LatentTrace(VecEnvWrapper):
    """Observations `z` of D numbers become 2 D: the code, and a mean over the episode that forgets.

        m_t = λ m_{t-1} + (1 - λ) z_t,   m_0 = z_0 at an episode's start

    In a first-person level one step of turning changes nearly all of a code: its distances tell headings apart and
    little else, and the way to a goal leads over codes that are farther from it. The trace changes by a fifth of that.
    It stays as it is where an agent turns on the spot, and moves on where it walks: it tells what is around, also for a
    policy without a memory of its own.

    Example:
        >>> venv = LatentTrace(EncodedObservation(venv, "runs/vase"))  # doctest: +SKIP
        >>> venv = ImaginationReward(venv, "runs/vase", config=ImaginationConfig(start=16))  # doctest: +SKIP

    Args:
        venv: levels side by side that show vectors, as `EncodedObservation` makes them.
        decay: λ, in [0, 1): 0.9 looks back ten steps.

    Raises:
        ValueError: the observations are no vectors, or the decay is out of range.
    """

    def __init__(self, venv: VecEnv, decay: float = 0.9) -> None:
        space = venv.observation_space
        if not isinstance(space, spaces.Box) or len(space.shape) != 1:
            raise ValueError(
                f"expected observations that are vectors, got {space}; wrap the levels in EncodedObservation first"
            )
        if not 0 <= decay < 1:
            raise ValueError(f"expected a decay in [0, 1), got {decay}")
        self.decay = decay
        self._trace = np.zeros((venv.num_envs, *space.shape), dtype=np.float32)
        low, high = (np.concatenate([side, side]) for side in (space.low, space.high))
        super().__init__(venv, observation_space=spaces.Box(low, high, dtype=np.float32))

    def reset(self) -> np.ndarray:
        """Codes of the first frames, twice, float32 `[N, 2 D]`."""
        codes = self.venv.reset()
        assert isinstance(codes, np.ndarray)
        self._trace = codes.astype(np.float32)
        return self._shown(codes)

    def step_wait(self) -> VecEnvStepReturn:
        """Codes and traces; an episode's last observation has the trace of its end."""
        codes, rewards, dones, infos = self.venv.step_wait()
        assert isinstance(codes, np.ndarray)
        last = codes.astype(np.float32)
        for index in np.flatnonzero(dones):
            last[index] = infos[index]["terminal_observation"]
        followed = self.decay * self._trace + (1.0 - self.decay) * last
        for index in np.flatnonzero(dones):
            infos[index]["terminal_observation"] = np.concatenate([last[index], followed[index]]).astype(np.float32)
        self._trace = np.where(np.asarray(dones)[:, None], codes, followed).astype(np.float32)
        return self._shown(codes), rewards, dones, infos

    def resume_state(self) -> dict[str, Any]:
        """The traces, for a run that is to go on bit for bit."""
        return {"trace": self._trace.copy()}

    def resume_from(self, state: Mapping[str, Any]) -> None:
        """Go on where another one stood."""
        self._trace = np.array(state["trace"], dtype=np.float32)

    def _shown(self, codes: np.ndarray) -> np.ndarray:
        shown: np.ndarray = np.concatenate([codes, self._trace], axis=1).astype(np.float32)
        return shown
