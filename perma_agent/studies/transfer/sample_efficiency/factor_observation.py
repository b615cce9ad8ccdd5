"""Factor observation: the level's true factors as one vector, what a perfect code of the frame would tell a policy."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from gymnasium import spaces
from stable_baselines3.common.vec_env import DummyVecEnv, VecEnvWrapper
from stable_baselines3.common.vec_env.base_vec_env import VecEnvStepReturn

from perma_agent.envs.factors import FactorSpec, factor_specs_of


class FactorObservation(VecEnvWrapper):
    """Observations become the factors of the level, float32 `[N, F]` in [-1, 1]; the frames are drawn all the same.

    In the order of `factor_specs`, of each factor v:

    * an index: one-hot over its range;
    * one that wraps round with period P: cos(2π v / P), sin(2π v / P);
    * any other: 2 (v - low) / (high - low) - 1, cut off at both ends. Places of objects, whose documented range counts
      in scenery far outside the ground, are divided by the ground's diagonal instead.

    `infos[i]["terminal_observation"]` is turned too, since a time limit makes SB3 ask for its value.

    Args:
        venv: copies of one level in this process.

    Raises:
        LevelError: the level reports no factors.
    """

    venv: DummyVecEnv

    def __init__(self, venv: DummyVecEnv) -> None:
        self._specs = factor_specs_of(venv.envs[0])
        self._diagonal = ground_diagonal(self._specs)
        empty = {spec.name: np.full(spec.shape, spec.low, dtype=np.float32) for spec in self._specs}
        width = len(factor_vector(empty, self._specs, diagonal=self._diagonal))
        super().__init__(venv, observation_space=spaces.Box(-1.0, 1.0, (width,), np.float32))

    def reset(self) -> np.ndarray:
        """Factors of the first frames."""
        self.venv.reset()
        return np.stack([self._vector(info["factors"]) for info in self.venv.reset_infos])

    def step_wait(self) -> VecEnvStepReturn:
        """Factors of the next frames, rewards, dones and infos."""
        _, rewards, dones, infos = self.venv.step_wait()
        vectors = []
        for info, begun, done in zip(infos, self.venv.reset_infos, dones, strict=True):
            reached = self._vector(info["factors"])
            if done:
                info["terminal_observation"] = reached
                reached = self._vector(begun["factors"])  # of the episode that has begun in the same step
            vectors.append(reached)
        return np.stack(vectors), rewards, dones, infos

    def _vector(self, factors: Mapping[str, np.ndarray]) -> np.ndarray:
        return factor_vector(factors, self._specs, diagonal=self._diagonal)


def factor_vector(
    factors: Mapping[str, np.ndarray], specs: Sequence[FactorSpec], *, diagonal: float | None = None
) -> np.ndarray:
    """Factors as one vector, see `FactorObservation`; float32, shape `[F]`, in [-1, 1].

    Args:
        factors: by name, of the shapes in `specs`.
        specs: of the level.
        diagonal: of the ground, metres; None computes it.
    """
    diagonal = ground_diagonal(specs) if diagonal is None else diagonal
    return np.concatenate([_columns(factors[spec.name], spec, diagonal=diagonal) for spec in specs])


def ground_diagonal(specs: Sequence[FactorSpec]) -> float:
    """How far two places on the level's ground can be apart, metres."""
    return math.hypot(*(spec.high - spec.low for spec in specs if spec.name in ("x", "z")))


def _columns(values: np.ndarray, spec: FactorSpec, *, diagonal: float) -> np.ndarray:
    flat = np.asarray(values, dtype=np.float64).ravel()
    if spec.unit == "index":
        kinds = np.arange(round(spec.low), round(spec.high) + 1)
        columns = (flat[:, None] == kinds).ravel()
    elif spec.period is not None:
        angles = 2 * np.pi * flat / spec.period
        columns = np.concatenate([np.cos(angles), np.sin(angles)])
    else:
        low, high = (-diagonal, diagonal) if spec.name == "object_position" else (spec.low, spec.high)
        columns = np.clip(2 * (flat - low) / (high - low) - 1, -1.0, 1.0)
    scaled: np.ndarray = columns.astype(np.float32)
    return scaled
