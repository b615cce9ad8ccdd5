"""What all levels share towards people: arguments checked in one way, and pictures larger than the agent's."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal

import gymnasium as gym
import numpy as np

from perma_agent.envs.argument_checks import check_choice, check_range
from perma_agent.envs.vocabulary import SPLITS, Split
from perma_agent.errors import LevelError


@dataclass(frozen=True, kw_only=True)
class LevelConfig:
    """Arguments of every level of ours."""

    split: Split = "train"
    """`test` draws textures, tints and seeds of maps that `train` never draws. Light and camera vary alike in both,
    objects are painted alike, and a maze of few cells has few maps: those come up in both."""
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
        check_picture(self.size, self.render_mode, self.view)
        check_choice("split", self.split, SPLITS)
        if self.map_seed is not None:
            check_range("map_seed", self.map_seed, low=0, high=2**31 - 1, whole=True)
        check_choice("randomise", self.randomise, (True, False))


@dataclass(frozen=True, kw_only=True)
class EngineLevelConfig:
    """Arguments of every level that comes with an engine."""

    size: int = 64
    """Pixels along each side of the frames, 16 to 512."""
    render_mode: Literal["human", "rgb_array"] | None = None
    """What `render()` does: open a window, or return a picture."""
    view: Literal["agent", "top"] = "agent"
    """What `render()` shows: the agent's view, or the map from above."""
    engine_arguments: Mapping[str, Any] = field(default_factory=dict)
    """Passed on to the engine's own level, e.g. `{"domain_rand": True}`."""

    def __post_init__(self) -> None:
        check_picture(self.size, self.render_mode, self.view)
        if not isinstance(self.engine_arguments, Mapping):
            raise LevelError(f"expected engine_arguments to be a mapping of names, got {self.engine_arguments!r}")


def check_picture(size: object, render_mode: object, view: object) -> None:
    """Refuse frames and pictures that cannot be made.

    Raises:
        LevelError: naming the argument, the value and the valid ones.
    """
    check_range("size", size, low=16, high=512, whole=True)
    check_choice("render_mode", render_mode, (None, "human", "rgb_array"))
    check_choice("view", view, ("agent", "top"))


def read_arguments(config: type[Any], arguments: Mapping[str, Any], *, others: Iterable[str] = ()) -> Any:
    """A config of those arguments that are fields of it.

    Args:
        config: a dataclass.
        arguments: by name.
        others: names that are valid beside the config's fields.

    Raises:
        LevelError: for a name that is neither, with all that are valid.
    """
    names = {entry.name for entry in fields(config)}
    valid = sorted(names | set(others))
    if unknown := sorted(set(arguments) - set(valid)):
        raise LevelError(f"expected arguments among {', '.join(valid)}, got {', '.join(unknown)}")
    return config(**{name: value for name, value in arguments.items() if name in names})


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
    both = np.concatenate([viewer(above=False), viewer(above=True)], axis=1)
    show(both, title=level.spec.id if level.spec else "perma_agent")
    return None


def show(picture: np.ndarray, *, title: str) -> None:
    """Put a picture into a window and return at once.

    Raises:
        LevelError: where there is no display.
    """
    if sys.platform.startswith("linux") and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        raise LevelError("expected a display for render_mode 'human', got none; use render_mode='rgb_array' here")
    import cv2  # opens a window system; not needed without one

    cv2.imshow(title, np.ascontiguousarray(picture[..., ::-1]))
    cv2.waitKey(1)
