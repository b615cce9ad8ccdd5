"""DeepMind Lab's levels as Gymnasium environments, by the contract of its own Python module."""

from __future__ import annotations

import dataclasses
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import cv2
import gymnasium as gym
import numpy as np

from perma_agent.envs.argument_checks import check_choice, check_range
from perma_agent.envs.display import check_picture, read_arguments, render_level
from perma_agent.envs.dmlab.actions import ACTION_SETS, action_table
from perma_agent.envs.dmlab.cache import LevelCache
from perma_agent.envs.dmlab.levels import HELD_OUT_SEEDS, HOW_TO_GET_IT, dmlab_task
from perma_agent.envs.factors import Factors, FactorSpec, ToldFactors, factor_specs
from perma_agent.envs.vocabulary import SPLITS, Split
from perma_agent.errors import LevelError

FRAME, REMAINING, INSTRUCTION = "RGB_INTERLEAVED", "FRAMES_REMAINING_AT_60", "INSTR"
PLACE, ROTATION, TOP_DOWN = "DEBUG.POS.TRANS", "DEBUG.POS.ROT", "DEBUG.CAMERA.TOP_DOWN"
UNITS_PER_METRE = 32.0
"""Our convention, under which the player, 56 units tall, measures 1.75 m; the engine knows no metre."""
WORLD = 65536.0 / UNITS_PER_METRE
"""No map of the engine reaches further from the origin, metres."""
PICTURE = 512
"""Pixels along each side of a picture for people."""


@dataclass(frozen=True, kw_only=True)
class DMLabConfig:
    """Arguments of every DMLab level."""

    split: Split = "train"
    """`test` opens the task's `_test` level where it has one, and draws from seeds that `train` never sees."""
    size: int = 64
    """Pixels along each side of the frames, 16 to 512."""
    actions: str = "common"
    """One of `ACTION_SETS`: ours, which the indoor and outdoor levels share, IMPALA's 9 or PopArt's 15."""
    action_repeat: int = 4
    """Frames of the engine, 60 a second, through which one action is held, 1 to 60; 4 is the usual number."""
    pose: bool = True
    """Whether `info["factors"]` holds the agent's pose; without it, it is empty."""
    level_cache: str | os.PathLike[str] | None = None
    """Folder that keeps compiled maps between episodes and runs; None compiles each anew."""
    temp_folder: str = ""
    """Where the engine puts its own files; empty for the system's."""
    renderer: Literal["software", "hardware"] = "software"
    """Of the engine's own two; `hardware` needs EGL."""
    render_mode: Literal["human", "rgb_array"] | None = None
    """What `render()` does: open a window, or return a picture."""
    view: Literal["agent", "top"] = "agent"
    """What `render()` shows: the agent's view, or the map from above."""
    engine_arguments: Mapping[str, Any] = field(default_factory=dict)
    """Further settings of the engine or the level, e.g. `{"datasetPath": "…"}`; written out as its strings."""

    def __post_init__(self) -> None:
        check_picture(self.size, self.render_mode, self.view)
        check_choice("split", self.split, SPLITS)
        check_choice("actions", self.actions, tuple(ACTION_SETS))
        check_choice("renderer", self.renderer, ("software", "hardware"))
        check_choice("pose", self.pose, (True, False))
        check_range("action_repeat", self.action_repeat, low=1, high=60, whole=True)
        ours = ("width", "height", "mixerSeed", "allowHoldOutLevels")
        if not isinstance(self.engine_arguments, Mapping) or set(self.engine_arguments) & set(ours):
            raise LevelError(
                f"expected engine_arguments to be a mapping of names without {', '.join(ours)} (size and split set "
                f"them), got {self.engine_arguments!r}"
            )


class DMLabLevel(gym.Env[np.ndarray, np.int64]):
    """A level of DMLab-30.

    Observation: uint8, shape `[size, size, 3]`. `info` of every reset and step holds `factors` (the pose: see
    `factor_specs`), `is_success` (the episode's return has come half way from random's to a human's, as published),
    `instruction` (what the level says to the agent, often empty) and `frame_repeated`: the engine has no observation
    once an episode has ended, so the last frame and its factors are those before the last action. An episode that ends
    when its clock runs out is truncated, one that the level ends is terminated.
    """

    metadata = {"render_modes": ["human", "rgb_array"], "render_fps": 15}  # noqa: RUF012  Gymnasium's own way

    def __init__(self, *, level: str, **arguments: Any) -> None:
        """Open the level.

        Args:
            level: a DMLab-30 name, e.g. `natlab_varying_map_randomized`, bare or as `contributed/dmlab30/NAME`.
            **arguments: fields of `DMLabConfig`.

        Raises:
            LevelError: when an argument is unknown or has an invalid value, the engine is missing or cannot open it.
        """
        self.config: DMLabConfig = read_arguments(DMLabConfig, arguments, others=("level",))
        self.task = dmlab_task(level, split=self.config.split)
        self.level = self.task.level(self.config.split)
        self.render_mode = self.config.render_mode
        self._lab = self._open()
        self._check_frames()
        self._table = action_table(ACTION_SETS[self.config.actions], spec=self._lab.action_spec())
        self.action_space = gym.spaces.Discrete(len(self._table))
        self.observation_space = gym.spaces.Box(0, 255, (self.config.size, self.config.size, 3), dtype=np.uint8)
        self._seen: dict[str, Any] = {}
        self._running = False
        self._return = 0.0

    @property
    def factor_specs(self) -> tuple[FactorSpec, ...]:
        """Of `info["factors"]`: x, z, heading and camera_pitch, as in all other levels; z is the engine's -y."""
        if not self.config.pose:
            return ()
        ours = {spec.name: spec for spec in factor_specs(low=(-WORLD, -WORLD), high=(WORLD, WORLD))}
        pitch = dataclasses.replace(ours["camera_pitch"], low=-90.0, high=90.0)
        return (ours["x"], ours["z"], ours["heading"], pitch)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Begin an episode; without a seed, the next one of the sequence that the last seed began.

        Raises:
            LevelError: when the engine cannot start it.
        """
        super().reset(seed=seed)
        number = int(self.np_random.integers(2**31))
        try:
            if seed is None:
                self._lab.reset(seed=number)
            else:  # the engine counts episodes and levels may heed the count: begin it anew
                self._lab.reset(episode=0, seed=number)
        except RuntimeError as error:
            raise LevelError(f"expected DeepMind Lab to start {self.level}, got: {_line(error)}") from error
        self._running, self._return = True, 0.0
        self._look()
        return self._seen[FRAME], self._info()

    def step(self, action: Any) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        """Hold one action for `action_repeat` frames; the reward is what they pay together.

        Raises:
            LevelError: after the end of an episode, or when the engine fails.
        """
        number = int(action)
        if not 0 <= number < len(self._table):
            raise ValueError(f"expected an action from 0 to {len(self._table) - 1}, got {number}")
        if not self._running:
            raise LevelError("expected an episode that goes on, got one that has ended or never begun; call reset()")
        try:
            reward = float(self._lab.step(self._table[number], num_steps=self.config.action_repeat))
        except (RuntimeError, ValueError) as error:
            raise LevelError(f"expected DeepMind Lab to go on in {self.level}, got: {_line(error)}") from error
        self._return += reward
        self._running = bool(self._lab.is_running())
        if self._running:
            self._look()
            return self._seen[FRAME], reward, False, False, self._info()
        out_of_time = self._out_of_time()
        return self._seen[FRAME].copy(), reward, not out_of_time, out_of_time, self._info()

    def render(self) -> np.ndarray | None:
        """A larger picture for people, as `render_mode` and `view` ask."""
        return render_level(self, self._picture)

    def close(self) -> None:
        """Release the engine; the level cannot be used afterwards."""
        self._running = False
        self._lab.close()

    def factors(self) -> Factors:
        """Pose at the current frame, empty without `pose`."""
        if not self.config.pose:
            return {}
        (x, y, _), (pitch, yaw, _) = self._seen[PLACE], self._seen[ROTATION]
        heading = (math.radians(yaw) + math.pi) % (2 * math.pi) - math.pi
        values = {
            "x": x / UNITS_PER_METRE,
            "z": -y / UNITS_PER_METRE,  # the engine's y points left of its x, our z right of it
            "heading": heading,
            "camera_pitch": -((pitch + 180.0) % 360.0 - 180.0),  # the engine counts down as positive
        }
        return {name: np.array([value], dtype=np.float32) for name, value in values.items()}

    def _open(self) -> Any:
        try:
            import deepmind_lab
        except ImportError as error:
            raise LevelError(f"expected {HOW_TO_GET_IT}, got none; install it or choose another level") from error
        cache = None if self.config.level_cache is None else LevelCache(self.config.level_cache)
        folder = {"temp_folder": self.config.temp_folder} if self.config.temp_folder else {}
        try:
            return deepmind_lab.Lab(
                self.level,
                self._observations(),
                config=self._settings(),
                renderer=self.config.renderer,
                level_cache=cache,
                **folder,
            )
        except (RuntimeError, ValueError) as error:
            raise LevelError(f"expected DeepMind Lab to open {self.level}, got: {_line(error)}") from error

    def _observations(self) -> list[str]:
        pose = [PLACE, ROTATION] if self.config.pose else []
        return [FRAME, REMAINING, INSTRUCTION, *pose, *([TOP_DOWN] if self._shows_map() else [])]

    def _settings(self) -> dict[str, str]:
        """All of the engine's settings, which are strings without exception."""
        settings: dict[str, Any] = {"width": self.config.size, "height": self.config.size}
        if self._shows_map():
            settings |= {"maxAltCameraWidth": PICTURE, "maxAltCameraHeight": PICTURE}
        if self.config.split == "test":
            settings |= {"allowHoldOutLevels": True, "mixerSeed": HELD_OUT_SEEDS}
        settings |= self.config.engine_arguments
        return {
            str(name): str(value).lower() if isinstance(value, bool) else str(value) for name, value in settings.items()
        }

    def _shows_map(self) -> bool:
        return self.render_mode == "human" or (self.render_mode == "rgb_array" and self.config.view == "top")

    def _check_frames(self) -> None:
        frame = next(spec for spec in self._lab.observation_spec() if spec["name"] == FRAME)
        wanted = (self.config.size, self.config.size, 3)
        if tuple(frame["shape"]) != wanted or np.dtype(frame["dtype"]) != np.uint8:
            self._lab.close()
            raise LevelError(f"expected uint8 frames of {wanted}, got {frame['dtype']} of {tuple(frame['shape'])}")

    def _look(self) -> None:
        """Keep what the engine shows: it shows nothing any more once the episode has ended."""
        self._seen = self._lab.observations()

    def _out_of_time(self) -> bool:
        """Whether the level's clock had no more frames left than the last action took (and one, for rounding)."""
        per_frame = 60.0 / float(self.config.engine_arguments.get("fps", 60))
        return float(self._seen[REMAINING][0]) <= per_frame * (self.config.action_repeat + 1)

    def _info(self) -> dict[str, Any]:
        return {
            "factors": ToldFactors(self.factors()),
            "is_success": self._return >= self.task.success_return,
            "instruction": self._seen[INSTRUCTION],
            "frame_repeated": not self._running,
        }

    def _picture(self, *, above: bool) -> np.ndarray:
        if not self._seen:
            raise LevelError("expected a level that has been reset, got a new one; call reset() first")
        source = np.moveaxis(self._seen[TOP_DOWN], 0, -1) if above else self._seen[FRAME]
        picture = cv2.resize(np.ascontiguousarray(source), (PICTURE, PICTURE), interpolation=cv2.INTER_NEAREST)
        return np.asarray(picture, dtype=np.uint8)


def _line(error: Exception) -> str:
    return " ".join(str(error).split())
