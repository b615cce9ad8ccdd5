"""One episode while it happens: frames are copied as they come, and turn into a trajectory when it ends."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from perma_agent.data.factors import merge_factors
from perma_agent.types import Provenance, Trajectory

Factors = Mapping[str, Any]
FIRST_FRAMES = 64
"""Frames there is room for at first; the room doubles when it is full."""


class Episode:
    """Gathers what a recorder sees of one episode of one level.

    Args:
        frame: the first, uint8, shape `[H, W, C]`; copied, as all that follows.
        factors: ground truth at it, name -> number or array; what is None or missing at a frame is NaN there.
        provenance: where the episode comes from.
    """

    def __init__(self, frame: np.ndarray, factors: Factors, *, provenance: Provenance) -> None:
        self.provenance = provenance
        self._frames = np.empty((FIRST_FRAMES, *frame.shape), dtype=np.uint8)
        self._actions: list[np.ndarray] = []
        self._rewards: list[float] = []
        self._factors: list[dict[str, np.ndarray]] = []
        self._see(frame, factors)

    def __len__(self) -> int:
        """Actions so far."""
        return len(self._actions)

    @property
    def last_frame(self) -> np.ndarray:
        """The newest frame, uint8, shape `[H, W, C]`."""
        frame: np.ndarray = self._frames[len(self._actions)]
        return frame

    @property
    def last_factors(self) -> Factors:
        """Factors at the newest frame."""
        return self._factors[-1]

    def step(self, action: np.ndarray, reward: float, *, frame: np.ndarray, factors: Factors) -> None:
        """Note an action, the reward for it, and the frame and factors it led to."""
        self._actions.append(np.array(action))
        self._rewards.append(float(reward))
        self._see(frame, factors)

    def end(self, *, terminated: bool, truncated: bool) -> Trajectory:
        """The trajectory; the episode must not be used afterwards.

        Raises:
            ValueError: no action was taken yet.
        """
        return Trajectory(
            frames=self._frames[: len(self._factors)],
            actions=np.stack(self._actions) if self._actions else np.zeros(0),
            rewards=np.array(self._rewards, dtype=np.float32),
            terminated=terminated,
            truncated=truncated,
            factors=_stacked(self._factors),
            provenance=self.provenance,
        )

    def _see(self, frame: np.ndarray, factors: Factors) -> None:
        count = len(self._factors)
        if count == len(self._frames):
            room = np.empty((2 * count, *self._frames.shape[1:]), dtype=np.uint8)
            room[:count] = self._frames
            self._frames = room
        self._frames[count] = frame
        self._factors.append({name: _numbers(name, value) for name, value in factors.items() if value is not None})


def _numbers(name: str, value: Any) -> np.ndarray:
    """A copy as float32."""
    try:
        return np.array(value, dtype=np.float32)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"expected factor {name!r} to be a number or an array of numbers, got {value!r}; give categories as indices"
        ) from error


def _stacked(frames: list[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """Factors of each frame -> each factor at all frames, f32[T + 1, ...]."""
    shapes = {tuple((name, value.shape) for name, value in factors.items()) for factors in frames}
    if len(shapes) == 1:  # as nearly always
        return {name: np.stack([factors[name] for factors in frames]) for name in frames[0]}
    groups = [
        (np.array([place]), {name: value[None] for name, value in factors.items()})
        for place, factors in enumerate(frames)
    ]
    return merge_factors(groups, total=len(frames))
