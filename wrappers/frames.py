"""Frames out of observations: where the picture stands in one, and a wrapper that makes it small and uniform."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import gymnasium as gym
import numpy as np
from gymnasium import spaces
from gymnasium.utils import RecordConstructorArgs

from perma_agent.errors import FrameError


@dataclass(frozen=True, kw_only=True)
class FrameView:
    """How to see the frame in a level's observations."""

    key: str | None
    """Under which key it stands, None where the observation is the picture itself."""
    shape: tuple[int, int, int]
    """`(H, W, C)` of a frame, C 1 or 3."""
    axes: str
    """How the observation orders them: `HWC`, `CHW`, or `HW` for grey pictures without a channel."""

    @classmethod
    def of(cls, space: spaces.Space[Any], *, key: str | None = None) -> FrameView:
        """Find the frame in a space of observations.

        Args:
            space: a uint8 Box of one picture, or a Dict with one.
            key: of the picture in a Dict; may be None where only one entry is a picture.

        Raises:
            FrameError: there is no such picture, or more than one.
        """
        if isinstance(space, spaces.Dict):
            pictures = [name for name, part in space.items() if _axes_of(part) is not None]
            if key is None and len(pictures) != 1:
                raise FrameError(
                    f"expected one picture among the observation's entries, got {pictures} of {list(space)}; "
                    "name one with frame_key"
                )
            key = pictures[0] if key is None else key
            if key not in space.spaces:
                raise FrameError(f"expected frame_key to be one of {list(space)}, got {key!r}")
            space = space[key]
        elif key is not None:
            raise FrameError(f"expected Dict observations for frame_key {key!r}, got {space}; leave frame_key out")
        axes = _axes_of(space)
        if axes is None or space.shape is None:
            raise FrameError(
                f"expected uint8 pictures [H, W, C] or [C, H, W] of 1 or 3 channels, got {space}; "
                "choose a level that shows pictures, and stack frames after this wrapper"
            )
        sizes = dict(zip(axes, space.shape, strict=True))
        return cls(key=key, shape=(sizes["H"], sizes["W"], sizes.get("C", 1)), axes=axes)

    def __call__(self, observation: Any) -> np.ndarray:
        """The frame as a view, uint8, shape `[..., H, W, C]`, of one observation or of a batch."""
        picture = np.asarray(observation if self.key is None else observation[self.key])
        if self.axes == "HW":
            return picture[..., None]
        return np.moveaxis(picture, -3, -1) if self.axes == "CHW" else picture


class ObserveFrames(gym.ObservationWrapper[np.ndarray, Any, Any], RecordConstructorArgs):
    """Observations become frames of one size: uint8, shape `[size, size, C]`, resized once by area averaging.

    The level's own observation stays at hand, uncopied, in `untouched`.

    Args:
        env: a level whose observations are uint8 pictures (channels first or last), or a Dict with one.
        size: height and width of the frames, in pixels.
        grey: one channel (ITU-R 601 luma) instead of three.
        frame_key: which entry of a Dict is the picture; may be left out where there is only one.

    Raises:
        FrameError: the level does not show such pictures.
    """

    untouched: Any
    """The observation as the level gave it last; None before the first reset."""

    def __init__(
        self, env: gym.Env[Any, Any], *, size: int = 64, grey: bool = False, frame_key: str | None = None
    ) -> None:
        if size < 1:
            raise ValueError(f"expected a size of at least 1 pixel, got {size}")
        RecordConstructorArgs.__init__(self, size=size, grey=grey, frame_key=frame_key)
        gym.ObservationWrapper.__init__(self, env)
        self._view = FrameView.of(env.observation_space, key=frame_key)
        self._size, self._grey = size, grey
        self.untouched = None
        self.observation_space = spaces.Box(0, 255, (size, size, 1 if grey else 3), np.uint8)

    def observation(self, observation: Any) -> np.ndarray:
        """The frame of an observation."""
        self.untouched = observation
        frame = self._view(observation)
        if self._grey and frame.shape[-1] == 3:
            frame = cv2.cvtColor(np.ascontiguousarray(frame), cv2.COLOR_RGB2GRAY)[..., None]
        if frame.shape[:2] != (self._size, self._size):
            resized = cv2.resize(np.ascontiguousarray(frame), (self._size, self._size), interpolation=cv2.INTER_AREA)
            frame = resized.reshape(self._size, self._size, -1)  # cv2 drops the axis of a single channel
        return frame if self._grey or frame.shape[-1] == 3 else np.repeat(frame, 3, axis=-1)


def _axes_of(space: spaces.Space[Any]) -> str | None:
    """How a space orders the axes of its pictures, None if it has none."""
    if not isinstance(space, spaces.Box) or space.dtype != np.uint8 or space.low.min() != 0 or space.high.max() != 255:
        return None
    if len(space.shape) == 2:
        return "HW"
    if len(space.shape) == 3 and space.shape[-1] in (1, 3):
        return "HWC"
    return "CHW" if len(space.shape) == 3 and space.shape[0] in (1, 3) else None
