"""Any of ViZDoom's levels with our frames, actions, factors and success."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import gymnasium as gym
import numpy as np

from perma_agent.envs.actions import ACTIONS
from perma_agent.envs.argument_checks import check_choice, check_range
from perma_agent.envs.display import check_picture, read_arguments, render_level
from perma_agent.envs.factors import Factors, FactorSpec, ToldFactors
from perma_agent.envs.layout import Layout
from perma_agent.envs.vizdoom.engine import BUTTONS, PICTURE, Doom, Scene, resize
from perma_agent.envs.vizdoom.factors import UNITS_PER_METRE, UNSEEN, Slots, pose, vizdoom_factor_specs, vizdoom_factors
from perma_agent.envs.vizdoom.levels import ACTION_REPEAT, DOOM_LEVELS, SQUARE
from perma_agent.errors import LevelError

PLAYER, PICKED_UP = 16.0, 36.0
"""Half the side of Doom's player, and the distance along x or y at which it picks things up; map units."""
HEADINGS = 16
"""Headings an episode of the pair may begin with."""
_HOLD = {
    "forward": "MOVE_FORWARD",
    "back": "MOVE_BACKWARD",
    "step_left": "MOVE_LEFT",
    "step_right": "MOVE_RIGHT",
    "attack": "ATTACK",
    "use": "USE",
}


@dataclass(frozen=True, kw_only=True)
class VizdoomConfig:
    """Arguments of every ViZDoom level."""

    size: int = 64
    """Pixels along each side of the frames, 16 to 512."""
    render_mode: Literal["human", "rgb_array"] | None = None
    """What `render()` does: open a window, or return a picture."""
    view: Literal["agent", "top"] = "agent"
    """What `render()` shows: the agent's view, or the map from above."""
    action_repeat: int = ACTION_REPEAT
    """Tics (1/35 s) that one action lasts, 1 to 35; the rewards of `LevelInfo` are for 4."""
    turn_step: float | None = None
    """Degrees turned by `turn_left` and `turn_right`, 1 to 90; None for the level's own."""
    skill: int | None = None
    """Doom's difficulty, 1 to 5; None for the scenario's own."""

    def __post_init__(self) -> None:
        check_picture(self.size, self.render_mode, self.view)
        check_range("action_repeat", self.action_repeat, low=1, high=35, whole=True)
        if self.turn_step is not None:
            check_range("turn_step", self.turn_step, low=1, high=90)
        if self.skill is not None:
            check_range("skill", self.skill, low=1, high=5, whole=True)


class VizdoomLevel(gym.Env[np.ndarray, np.int64]):
    """A scenario or map of ViZDoom's.

    Observation: uint8, shape `[size, size, 3]`, the undistorted middle of the engine's picture. Actions: `ACTIONS`;
    what each does is `DOOM_LEVELS[name].controls`, and what is not among them makes the agent wait. Turns are exact,
    steps have Doom's momentum. `info` of every reset and step holds `factors` and `is_success` (what it says at the end
    of the episode counts). The engine shows nothing once an episode has ended by itself: the last frame and factors are
    then those of the step before.
    """

    metadata = {"render_modes": ["human", "rgb_array"], "render_fps": 9}  # noqa: RUF012  Gymnasium's own way

    def __init__(self, *, name: str, **arguments: Any) -> None:
        """Make the level; the engine starts with the first reset.

        Args:
            name: one of `DOOM_LEVELS`.
            **arguments: fields of `VizdoomConfig`.

        Raises:
            LevelError: when an argument is unknown or has an invalid value, or ViZDoom is not installed.
        """
        check_choice("name", name, tuple(DOOM_LEVELS))
        self.config: VizdoomConfig = read_arguments(VizdoomConfig, arguments)
        self.level = DOOM_LEVELS[name]
        self.render_mode = self.config.render_mode
        self.action_space = gym.spaces.Discrete(len(ACTIONS))
        self.observation_space = gym.spaces.Box(0, 255, (self.config.size, self.config.size, 3), dtype=np.uint8)
        self._with_map = self.render_mode is not None
        self._doom = Doom(self.level, size=self.config.size, with_map=self._with_map, skill=self.config.skill)
        self._buttons = [self._held(action) for action in ACTIONS]
        self._scene: Scene | None = None
        self._slots = Slots()
        self._squares: set[tuple[int, int]] = set()
        self._succeeded = False

    @property
    def factor_specs(self) -> tuple[FactorSpec, ...]:
        """Names, shapes, units and ranges of `info["factors"]`."""
        return vizdoom_factor_specs()

    @property
    def scene(self) -> Scene:
        """What the engine told last.

        Raises:
            LevelError: before the first reset.
        """
        if self._scene is None:
            raise LevelError("expected a level that has been reset, got a new one; call reset() first")
        return self._scene

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Begin an episode; without a seed, the next one of the sequence that the last seed began."""
        super().reset(seed=seed)
        self._scene = self._doom.begin(int(self.np_random.integers(2**31)))
        if self.level.rule == "squares":  # these maps always begin alike
            turned = (360.0 / HEADINGS * int(self.np_random.integers(HEADINGS)), *(0.0 for _ in BUTTONS[1:]))
            self._scene = self._doom.act(turned, tics=1)[1] or self._scene
        self._slots = Slots()
        self._squares = {self._square()}
        self._succeeded = self.level.rule == "alive"
        return self._frame(), self._info()

    def step(self, action: Any) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        """Act once; the time limit is the wrapper's that `gymnasium.make` puts round the level."""
        number = int(action)
        if not 0 <= number < len(ACTIONS):
            raise ValueError(f"expected an action from 0 to {len(ACTIONS) - 1}, got {number}")
        before = self.scene
        reward, scene = self._doom.act(self._buttons[number], tics=self.config.action_repeat)
        self._scene = scene or before
        ended = scene is None
        if self.level.rule == "squares":
            reward = float(self._square() not in self._squares)
            self._squares.add(self._square())
        self._succeeded = self._judge(reward, ended=ended)
        return self._frame(), reward, ended, False, self._info()

    def render(self) -> np.ndarray | None:
        """A larger picture for people, as `render_mode` and `view` ask."""
        return render_level(self, self._picture)

    def top_view(self) -> np.ndarray:
        """The map from above with all its objects, uint8, shape `[480, 480, 3]`.

        Raises:
            LevelError: when the level was made without `render_mode`.
        """
        return self._picture(above=True)

    def close(self) -> None:
        """End the engine; the level cannot be used afterwards."""
        self._doom.close()

    def factors(self) -> Factors:
        """Ground truth of the current frame."""
        return vizdoom_factors(self.scene, self._slots)

    def layout(self) -> Layout:
        """Walls, and all objects as things to be picked up; Doom's player is a square, here the circle within it.

        Doors and steps of a height are no walls to the engine's account. It is asked in an engine of its own, started
        for this, since telling walls would slow every step.

        Raises:
            LevelError: before the first reset, or when the engine does not run.
        """
        things = [thing for thing in self.scene.things if thing.category not in UNSEEN and thing.category != "Player"]
        places = np.array([(*thing.place, PICKED_UP) for thing in things], dtype=np.float64).reshape(-1, 3)
        doom = Doom(self.level, size=self.config.size, with_map=False, skill=self.config.skill, with_walls=True)
        try:
            doom.begin(0)
            walls = doom.walls()
        finally:
            doom.close()
        return Layout(
            walls=walls * (1 / UNITS_PER_METRE, -1 / UNITS_PER_METRE),
            radius=PLAYER / UNITS_PER_METRE,
            touched=places * (1 / UNITS_PER_METRE, -1 / UNITS_PER_METRE, 1 / UNITS_PER_METRE),
        )

    def _judge(self, reward: float, *, ended: bool) -> bool:
        if self.level.rule == "alive":
            return not (ended and self._doom.player_is_dead)
        if self.level.rule == "kills":
            return self.scene.variables["KILLCOUNT"] >= self.level.enough
        if self.level.rule == "squares":
            return len(self._squares) > self.level.enough
        return self._succeeded or (ended and reward > 0)

    def _square(self) -> tuple[int, int]:
        x, z, _ = pose(self.scene)
        return math.floor(x / SQUARE), math.floor(z / SQUARE)

    def _held(self, action: str) -> tuple[float, ...]:
        """Values of `BUTTONS` while the action lasts."""
        control = self.level.controls.get(action)
        held = dict.fromkeys(BUTTONS, 0.0)
        if control in ("turn_left", "turn_right"):
            step = (self.config.turn_step or self.level.turn_step) / self.config.action_repeat
            held[BUTTONS[0]] = step if control == "turn_right" else -step
        elif control is not None:
            held[_HOLD[control]] = 1.0
        return tuple(held.values())

    def _frame(self) -> np.ndarray:
        return resize(self.scene.picture, size=self.config.size)

    def _picture(self, *, above: bool) -> np.ndarray:
        picture = self.scene.automap if above else self.scene.picture
        if picture is None:
            raise LevelError("expected a level with a map, got one without; make it with render_mode='rgb_array'")
        return resize(picture, size=PICTURE)

    def _info(self) -> dict[str, Any]:
        return {"factors": ToldFactors(self.factors()), "is_success": bool(self._succeeded)}
