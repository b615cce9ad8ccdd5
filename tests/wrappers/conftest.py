"""A counting level: each frame says which level, episode and step it belongs to, so each stored number is known."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium import spaces


class CountingLevel(gym.Env[Any, Any]):
    """Frame pixels: red the level's number, green the episode, blue the step. Reward: step / 8.

    Args:
        number: which of several parallel levels this is.
        lengths: steps of the episodes, one after the other, then from the start.
        truncates: episodes end by truncation, not termination.
        form: `HWC`, `CHW`, `HW` (blue only), `dict` (a `view` and a number), or `reused` (HWC, always the same array).
    """

    metadata: dict[str, Any] = {"render_modes": []}  # noqa: RUF012

    def __init__(
        self, number: int = 0, *, lengths: tuple[int, ...] = (3,), truncates: bool = False, form: str = "HWC"
    ) -> None:
        self.number, self.lengths, self.truncates, self.form = number, lengths, truncates, form
        self.episode, self.t = -1, 0
        self.canvas = np.zeros((4, 5, 3), dtype=np.uint8)
        shape = {"CHW": (3, 4, 5), "HW": (4, 5)}.get(form, (4, 5, 3))
        picture = spaces.Box(0, 255, shape, np.uint8)
        self.observation_space = (
            spaces.Dict({"view": picture, "energy": spaces.Box(0, 1, (1,), np.float32)}) if form == "dict" else picture
        )
        self.action_space = spaces.Discrete(7)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        self.episode, self.t = self.episode + 1, 0
        return self._observe(), {"factors": self._factors(), "reset": True}

    def step(self, action: int) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        self.t += 1
        over = self.t == self.lengths[self.episode % len(self.lengths)]
        info = {"factors": self._factors(), "action": int(action)}
        return self._observe(), self.t / 8, over and not self.truncates, over and self.truncates, info

    def _factors(self) -> dict[str, Any]:
        return {"t": float(self.t), "where": np.array([self.number, self.episode], dtype=np.float32)}

    def _observe(self) -> Any:
        self.canvas[:] = (self.number, self.episode, self.t)
        frame = self.canvas if self.form == "reused" else self.canvas.copy()
        match self.form:
            case "CHW":
                return np.moveaxis(frame, -1, 0)
            case "HW":
                return frame[..., 2]
            case "dict":
                return {"view": frame, "energy": np.array([0.5], dtype=np.float32)}
        return frame


@pytest.fixture
def level() -> type[CountingLevel]:
    return CountingLevel
