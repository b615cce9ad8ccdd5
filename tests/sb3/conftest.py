"""A tiny image level, a tiny VASE in a run folder, and agents small enough to learn in a second."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import gymnasium
import numpy as np
import pytest
import torch
from gymnasium import spaces
from stable_baselines3 import A2C, DQN, PPO, SAC
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.vec_env import DummyVecEnv, VecEnv, VecFrameStack

from perma_agent.continual import DreamConfig, InferenceConfig, Learner, LearnerConfig
from perma_agent.continual.checkpoint import save_run
from perma_agent.models import VASE, VASEConfig


class Square(gymnasium.Env[np.ndarray, Any]):
    """A white square that the agent pushes left and right; reward at the right edge; ends after `limit` steps.

    `day` inverts the picture: another world under the same rules.
    """

    def __init__(
        self,
        *,
        channels: int = 3,
        size: int = 64,
        channels_last: bool = True,
        continuous: bool = False,
        day: bool = False,
        limit: int = 24,
        pixels: type = np.uint8,
    ) -> None:
        shape = (size, size, channels) if channels_last else (channels, size, size)
        whitest = 255 if pixels is np.uint8 else 1.0
        self.observation_space = spaces.Box(0, whitest, shape, dtype=pixels)
        self.action_space = spaces.Box(-1, 1, (1,), dtype=np.float32) if continuous else spaces.Discrete(3)
        self.day, self.limit, self.channels_last, self.size = day, limit, channels_last, size
        self.column, self.row, self.steps = 0, 0, 0

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[np.ndarray, dict]:
        super().reset(seed=seed)
        self.column, self.row = (int(edge) for edge in self.np_random.integers(0, self.size - 16, 2))
        self.steps = 0
        return self._frame(), {}

    def step(self, action: Any) -> tuple[np.ndarray, float, bool, bool, dict]:
        push = int(np.rint(np.asarray(action).item())) - (0 if isinstance(self.action_space, spaces.Box) else 1)
        self.column = min(max(self.column + 4 * push, 0), self.size - 16)
        self.steps += 1
        return self._frame(), float(self.column >= self.size - 20), False, self.steps >= self.limit, {}

    def _frame(self) -> np.ndarray:
        frame = np.full(self.observation_space.shape, 20, dtype=np.uint8)
        rows, columns = slice(self.row, self.row + 16), slice(self.column, self.column + 16)
        frame[(rows, columns) if self.channels_last else (slice(None), rows, columns)] = 220
        frame = 255 - frame if self.day else frame
        space = self.observation_space
        return frame if space.dtype == np.uint8 else (frame / 255.0).astype(space.dtype)


def make_level(count: int = 2, **options: Any) -> VecEnv:
    """`count` squares side by side."""
    venv = DummyVecEnv([lambda: Square(**options) for _ in range(count)])
    venv.seed(0)
    return venv


def make_learner(*, channels: int = 3, latents: int = 4, seed: int = 0, burn_in: int = 500) -> Learner:
    """A learner of the tiniest VASE, untrained."""
    torch.manual_seed(seed)
    config = VASEConfig(
        channels=channels,
        filters=(4, 4, 4, 4),
        hidden=16,
        latents=latents,
        max_environments=3,
        likelihood="gaussian" if channels == 3 else "bernoulli",
    )
    settings = LearnerConfig(
        seed=seed, learning_rate=1e-2, dreaming=DreamConfig(count=4), inference=InferenceConfig(burn_in=burn_in)
    )
    return Learner(VASE(config), settings)


def make_agent(algorithm: type[BaseAlgorithm], venv: VecEnv, policy_kwargs: dict[str, Any], **options: Any) -> Any:
    """An agent that learns from a handful of steps."""
    sizes: dict[str, Any] = {
        PPO: {"n_steps": 16, "batch_size": 16, "n_epochs": 2},
        A2C: {"n_steps": 8},
        DQN: {"buffer_size": 256, "learning_starts": 8, "train_freq": 4, "batch_size": 8, "target_update_interval": 16},
        SAC: {"buffer_size": 256, "learning_starts": 8, "train_freq": 4, "batch_size": 8},
    }[algorithm]
    policy_kwargs = {"net_arch": [8], **policy_kwargs}
    return algorithm("CnnPolicy", venv, policy_kwargs=policy_kwargs, device="cpu", seed=0, **{**sizes, **options})


@dataclass(frozen=True)
class Kind:
    """How a level may show its frames; the tiny model of `pictures_run` looks at [3, 40, 40]."""

    axes: str = "HWC"
    size: tuple[int, int] = (40, 40)
    channels: int = 3
    pixels: type = np.uint8
    whitest: float = 255
    stack: int = 1
    others: bool = False

    @property
    def asks(self) -> dict[str, Any]:
        """What `policy_kwargs` must be told."""
        return (
            {"frame_channels": self.channels} if self.stack > 1 and self.channels == 1 and self.axes != "KHWC" else {}
        )

    @property
    def policy(self) -> str:
        return "MultiInputPolicy" if self.others else "CnnPolicy"


KINDS = {
    "channels last": Kind(),
    "channels first": Kind(axes="CHW"),
    "large": Kind(size=(60, 84)),
    "small and first": Kind(axes="CHW", size=(30, 20)),
    "normalised first": Kind(axes="CHW", pixels=np.float32, whitest=1),
    "normalised last": Kind(size=(50, 50), pixels=np.float32, whitest=1),
    "floats to 255": Kind(pixels=np.float32),
    "grey": Kind(channels=1),
    "grey without channel": Kind(axes="HW", channels=1),
    "stack": Kind(stack=3),
    "grey stack first": Kind(axes="CHW", channels=1, stack=4),
    "stack on an axis": Kind(axes="KHWC", size=(20, 20), stack=2),
    "dict": Kind(size=(60, 84), others=True),
    "dict of stacks": Kind(axes="CHW", stack=2, others=True),
}
"""The kinds of image observations that SB3 accepts."""


class Pictures(gymnasium.Env[Any, Any]):
    """A coloured square that moves by the action, shown in one of the `KINDS`; every second episode is cut off."""

    def __init__(self, kind: Kind, *, continuous: bool = False, limit: int = 5) -> None:
        shapes = {"HWC": (*kind.size, kind.channels), "CHW": (kind.channels, *kind.size), "HW": kind.size}
        shapes["KHWC"] = (kind.stack, *kind.size, kind.channels)
        self.kind, self.limit = kind, limit
        picture = spaces.Box(0, kind.whitest, shapes[kind.axes], dtype=kind.pixels)
        others: dict[str, spaces.Space] = {"speed": spaces.Box(-1, 1, (2,), dtype=np.float32)}
        if kind.stack == 1:  # VecFrameStack knows no discrete entries
            others["compass"] = spaces.Discrete(4)
        self.observation_space = spaces.Dict({"camera": picture, **others}) if kind.others else picture
        self.action_space = spaces.Box(-1, 1, (1,), dtype=np.float32) if continuous else spaces.Discrete(3)
        self.place, self.steps, self.episode = 0.0, 0, 0

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict]:
        super().reset(seed=seed)
        self.place, self.steps, self.episode = float(self.np_random.uniform()), 0, self.episode + 1
        return self._observation(), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict]:
        self.place = (self.place + 0.1 * float(np.asarray(action).item()) + 0.05) % 1.0
        self.steps += 1
        over = self.steps >= self.limit
        return self._observation(), self.place, over and self.episode % 2 == 0, over and self.episode % 2 == 1, {}

    def _observation(self) -> Any:
        kind, (height, width) = self.kind, self.kind.size
        picture = np.full((height, width, kind.channels), 20, dtype=np.uint8)
        left = int(self.place * width * 0.6)
        picture[height // 4 : height // 2, left : left + width // 3] = [200, 120, 60][: kind.channels]
        if kind.axes == "KHWC":
            picture = np.stack([np.roll(picture, shift, axis=1) for shift in range(kind.stack)])
        elif kind.axes != "HWC":
            picture = picture.transpose(2, 0, 1) if kind.axes == "CHW" else picture[..., 0]
        if kind.pixels is not np.uint8:
            picture = (picture * (kind.whitest / 255.0)).astype(kind.pixels)
        if not kind.others:
            return picture
        entries: dict[str, Any] = {"camera": picture, "speed": np.array([self.place, -0.5], dtype=np.float32)}
        return {**entries, "compass": int(self.place * 4)} if kind.stack == 1 else entries


def make_pictures(kind: Kind, count: int = 2, **options: Any) -> VecEnv:
    """`count` such levels side by side, stacked as SB3 does where the kind asks for it."""
    venv: VecEnv = DummyVecEnv([lambda: Pictures(kind, **options) for _ in range(count)])
    venv.seed(0)
    if kind.stack > 1 and kind.axes != "KHWC":
        camera = "last" if kind.axes == "HWC" else "first"
        orders = {"camera": camera, "speed": None} if kind.others else camera
        venv = VecFrameStack(venv, kind.stack, channels_order=orders)
    return venv


def frames_by_hand(kind: Kind, observations: Any, *, transposed: bool) -> np.ndarray:
    """What the model should be shown of raw observations, uint8 `[B, k, 3, 40, 40]`, by OpenCV.

    Args:
        transposed: whether SB3 has put the channels of uint8 pictures first.
    """
    picture = observations["camera"] if kind.others else observations
    axes = "CHW" if transposed and kind.axes == "HWC" and kind.pixels is np.uint8 else kind.axes
    count, (height, width), channels = len(picture), kind.size, kind.channels
    if axes == "HW":
        picture = picture[:, None, :, :, None]
    elif axes == "CHW":
        picture = picture.reshape(count, kind.stack, channels, height, width).transpose(0, 1, 3, 4, 2)
    elif axes == "HWC":
        picture = picture.reshape(count, height, width, kind.stack, channels).transpose(0, 3, 1, 2, 4)
    pixels = np.rint(picture * (255.0 / kind.whitest)).astype(np.uint8)
    small = [
        cv2.resize(frame, (40, 40), interpolation=cv2.INTER_AREA) for frame in pixels.reshape(-1, *pixels.shape[2:])
    ]
    frames = np.stack(small).reshape(count, kind.stack, 40, 40, channels)
    return np.repeat(frames, 3 // channels, axis=-1).transpose(0, 1, 4, 2, 3)


def rest_by_hand(kind: Kind, observations: Any) -> np.ndarray:
    """The other entries, `[B, R]`, discrete ones one-hot."""
    if not kind.others:
        return np.zeros((len(observations), 0))
    parts = {"speed": observations["speed"]}
    if "compass" in observations:
        parts["compass"] = np.eye(4)[np.asarray(observations["compass"]).reshape(-1)]
    return np.concatenate([parts[name] for name in sorted(parts)], axis=1)


@pytest.fixture(params=list(KINDS))
def kind(request: pytest.FixtureRequest) -> Kind:
    """Each of the kinds in turn."""
    return KINDS[request.param]


@pytest.fixture
def kinds() -> dict[str, Kind]:
    return KINDS


@pytest.fixture
def pictures() -> Callable[..., VecEnv]:
    return make_pictures


@pytest.fixture
def by_hand() -> tuple[Callable[..., np.ndarray], Callable[..., np.ndarray]]:
    """Frames and rest of observations, worked out in another way."""
    return frames_by_hand, rest_by_hand


@pytest.fixture
def pictures_run(tmp_path: Path) -> str:
    """A run folder with the tiniest VASE that NatureCNN can be compared with."""
    torch.manual_seed(0)
    model = VASE(VASEConfig(image_size=40, filters=(4, 4), hidden=16, latents=3, max_environments=2))
    for weights in model.parameters():
        if weights.ndim == 1:
            torch.nn.init.normal_(weights, std=0.3)  # else some frames wake no unit at all
    save_run(Learner(model, LearnerConfig(learning_rate=1e-2)), tmp_path / "tiny")
    return str(tmp_path / "tiny")


@pytest.fixture
def level() -> Callable[..., VecEnv]:
    return make_level


@pytest.fixture
def learner() -> Callable[..., Learner]:
    return make_learner


@pytest.fixture
def agent() -> Callable[..., Any]:
    return make_agent


@pytest.fixture
def run(tmp_path: Path) -> str:
    """A run folder with an untrained VASE for RGB frames."""
    save_run(make_learner(), tmp_path / "vase")
    return str(tmp_path / "vase")
