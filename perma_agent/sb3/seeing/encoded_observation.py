"""Encoded observation: each frame is encoded once, on its way out of the levels, and the policy sees latents only."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from gymnasium import spaces
from stable_baselines3.common.preprocessing import preprocess_obs
from stable_baselines3.common.utils import obs_as_tensor
from stable_baselines3.common.vec_env import VecEnv, VecEnvWrapper
from stable_baselines3.common.vec_env.base_vec_env import VecEnvObs, VecEnvStepReturn

from perma_agent.sb3.seeing.features_extractor import VASEFeaturesExtractor
from perma_agent.sb3.seeing.sight import Sight


class EncodedObservation(VecEnvWrapper):
    """Observations become the features that `VASEFeaturesExtractor` would make of them: float32 `[N, features]`.

    The fast path for an encoder that stays as it is: the policy is a small MLP (`"MlpPolicy"`), and rollout and replay
    buffers hold latents instead of frames. `infos[i]["terminal_observation"]` is encoded too, since a time limit makes
    SB3 ask for its value. The frames of a stack inside are encoded and stand side by side; stacked outside, by
    `VecFrameStack(EncodedObservation(...))`, latents fill with zeros at the start of an episode instead of the code of
    a black frame. Other entries of Dict observations follow the latents, flattened.

    A buffer of latents would outlive the encoder that made them, so the encoder cannot be renewed here; an agent's zip
    does not hold it, so keep the run folder.

    Example:
        >>> from stable_baselines3 import PPO
        >>> agent = PPO("MlpPolicy", EncodedObservation(venv, "runs/vase"))  # doctest: +SKIP

    Args:
        venv: levels side by side whose observations are pictures, or Dicts with one.
        run: run folder of the VASE.
        mode: `frozen`, or `random` for the control.
        sees: what the policy is shown, see `sb3.sight`.
        frame_key: entry of Dict observations that is the picture; may be left out where there is only one.
        frame_channels: 1 or 3, channels of one frame, should a stack of them be ambiguous.
        seed: of the untrained encoder in mode `random`.
        device: where to encode.

    Raises:
        FrameError: the observations hold no frames that the model can look at.
        RunFolderError: the run folder is missing, damaged or of another version.
        ValueError: the mode is one in which the encoder would change.
    """

    def __init__(
        self,
        venv: VecEnv,
        run: str | Path,
        *,
        mode: Literal["frozen", "random"] = "frozen",
        sees: Sequence[Sight] = ("mean",),
        frame_key: str | None = None,
        frame_channels: int | None = None,
        seed: int = 0,
        device: str | torch.device = "cpu",
    ) -> None:
        if mode not in ("frozen", "random"):
            raise ValueError(
                f"expected mode 'frozen' or 'random', got {mode!r}; buffers of latents outlive the encoder that made "
                "them, so let the policy encode: policy_kwargs=VASEFeaturesExtractor.policy_kwargs(run, mode=...)"
            )
        options = VASEFeaturesExtractor.policy_kwargs(
            run, mode=mode, sees=sees, frame_key=frame_key, frame_channels=frame_channels, seed=seed
        )["features_extractor_kwargs"]
        self.extractor = VASEFeaturesExtractor(venv.observation_space, **options).to(device)
        self.extractor.published.remembers = False  # hashing a frame takes a seventh of the time of encoding it
        self._device = torch.device(device)
        space = spaces.Box(-np.inf, np.inf, (self.extractor.features_dim,), np.float32)
        super().__init__(venv, observation_space=space)

    def reset(self) -> np.ndarray:
        """Features of the first frames, float32 `[N, features]`."""
        return self.encode(self.venv.reset())

    def step_wait(self) -> VecEnvStepReturn:
        """Features of the next frames, rewards, dones and infos, in which an episode's last frame is encoded too."""
        observations, rewards, dones, infos = self.venv.step_wait()
        for info in infos:
            last = info.get("terminal_observation")
            if last is not None:
                info["terminal_observation"] = self.encode(_batch_of_one(last))[0]
        return self.encode(observations), rewards, dones, infos

    @torch.no_grad()
    def encode(self, observations: VecEnvObs) -> np.ndarray:
        """Features of observations as the levels show them, any number of them.

        Returns:
            Float32 of shape `[N, features]`.

        Raises:
            FrameError: pixels have another shape or range than announced.
        """
        assert not isinstance(observations, tuple)  # SB3 knows no tuples, and neither does the extractor
        tensors = obs_as_tensor(observations, self._device)
        features: np.ndarray = self.extractor(preprocess_obs(tensors, self.venv.observation_space)).cpu().numpy()
        return features


def _batch_of_one(observation: Any) -> Any:
    if isinstance(observation, dict):
        return {name: np.asarray(part)[None] for name, part in observation.items()}
    return np.asarray(observation)[None]
