"""What all levels share towards people: common arguments, and pictures larger than the agent's."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import gymnasium as gym
import numpy as np

from perma_agent.envs.plan import SPLITS, Split
from perma_agent.envs.tasks import check_choice, check_range
from perma_agent.errors import LevelError

if TYPE_CHECKING:
    from typing import Protocol

    class _Viewer(Protocol):
        def __call__(self, *, above: bool) -> np.ndarray: ...


@dataclass(frozen=True, kw_only=True)
class LevelConfig:
    """Arguments of every level of ours."""

    split: Split = "train"
    """`test` draws maps, textures and tints that `train` never shows."""
    size: int = 64
    """Pixels along each side of the frames, 16 to 512."""
    map_seed: int | None = None
    """Keep the walls of this map in every episode; None draws a new map each time."""
    randomise: bool = True
    """Whether textures, tints, light and camera change from episode to episode."""
    render_mode: Literal["human", "rgb_array"] | None = None
    """What `render()` does: open a window, or return a picture."""
    view: Literal["agent", "top"] = "agent"
    """What `render()` shows: the agent's view, or the map from above."""

    def __post_init__(self) -> None:
        check_choice("split", self.split, SPLITS)
        check_range("size", self.size, low=16, high=512, whole=True)
        if self.map_seed is not None:
            check_range("map_seed", self.map_seed, low=0, high=2**31 - 1, whole=True)
        check_choice("randomise", self.randomise, (True, False))
        if self.render_mode is not None:
            check_choice("render_mode", self.render_mode, ("human", "rgb_array"))
        check_choice("view", self.view, ("agent", "top"))


def render_level(level: Any, viewer: Callable[..., np.ndarray]) -> np.ndarray | None:
    """Do what `render()` promises.

    Args:
        level: with `config`, `render_mode` and `spec`.
        viewer: called with `above=True` or `above=False`, returns uint8 `[H, W, 3]`.

    Raises:
        LevelError: for `human` where there is no display.
    """
    if level.render_mode is None:
        gym.logger.warn("render() was called on a level made without render_mode; pass render_mode='rgb_array'")
        return None
    if level.render_mode == "rgb_array":
        return viewer(above=level.config.view == "top")
    show(
        np.concatenate([viewer(above=False), viewer(above=True)], axis=1),
        title=str(level.spec.id if level.spec else ""),
    )
    return None


def show(picture: np.ndarray, *, title: str) -> None:
    """Put a picture into a window and return at once.

    Raises:
        LevelError: where there is no display.
    """
    if sys.platform.startswith("linux") and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        raise LevelError("expected a display for render_mode 'human', got none; use render_mode='rgb_array' here")
    import cv2  # opens a window system; not needed without one

    cv2.imshow(title or "perma_agent", np.ascontiguousarray(picture[..., ::-1]))
    cv2.waitKey(1)
