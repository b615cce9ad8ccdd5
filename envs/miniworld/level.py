"""Any of MiniWorld's own levels with our frames, actions, factors and success."""

from __future__ import annotations

import copy
from functools import partial
from typing import Any

import gymnasium as gym
import numpy as np

from perma_agent.envs.actions import ACTIONS, USE
from perma_agent.envs.display import EngineLevelConfig, read_arguments, render_level
from perma_agent.envs.factors import SLOTS, Factors, FactorSpec, Sighting, ToldFactors, compute_factors, factor_specs
from perma_agent.envs.layout import Layout
from perma_agent.envs.miniworld.engine import eye_of, objects_of, open_level, surroundings_of

PICK_UP, DROP, WAIT = 4, 5, 7
"""MiniWorld's numbers for them; its first four are ours too, and its `done` changes nothing."""
SIGN_END = 3
"""In Sign, 3 ends the episode (and steps back): there it is what `use` does."""
FULL_LIGHT = 1.35
"""Brightest ambient plus diffuse light that MiniWorld draws."""


class MiniWorldLevel(gym.Env[np.ndarray, np.int64]):
    """A level of MiniWorld's.

    Observation: uint8, shape `[size, size, 3]`; of Sign's dictionary, its picture (the goal is in `info["goal"]`).
    Actions: `ACTIONS`; `use` picks up, or drops what is carried; what the level does not know makes the agent wait.
    Steps are MiniWorld's own: 0.15 m and 15° in most levels. `info` of every reset and step holds `factors` and
    `is_success`: the level ended with a reward (CollectHealth: the agent was alive at the time limit).
    """

    metadata = {"render_modes": ["human", "rgb_array"], "render_fps": 10}  # noqa: RUF012  Gymnasium's own way

    def __init__(self, *, name: str, **arguments: Any) -> None:
        """Make the level.

        Args:
            name: its class in `miniworld.envs`.
            **arguments: fields of `EngineLevelConfig`.

        Raises:
            LevelError: when an argument is unknown or has an invalid value, or the engine cannot be started.
        """
        self.config: EngineLevelConfig = read_arguments(EngineLevelConfig, arguments)
        self.name = name
        self.render_mode = self.config.render_mode
        self._world = open_level(name, size=self.config.size, arguments=self.config.engine_arguments)
        self._native_actions = int(self._world.action_space.n)
        self.action_space = gym.spaces.Discrete(len(ACTIONS))
        self.observation_space = gym.spaces.Box(0, 255, (self.config.size, self.config.size, 3), dtype=np.uint8)
        self._slots: dict[Any, int] = {}
        self._succeeded = False

    @property
    def factor_specs(self) -> tuple[FactorSpec, ...]:
        """Names, shapes, units and ranges of `info["factors"]`."""
        world = self._world
        return factor_specs(low=(world.min_x, world.min_z), high=(world.max_x, world.max_z), beyond=60.0)

    @property
    def np_random(self) -> np.random.Generator:
        """What the level draws from: MiniWorld's own generator."""
        generator: np.random.Generator = self._world.np_random
        return generator

    @np_random.setter
    def np_random(self, generator: np.random.Generator) -> None:
        self._world.np_random = generator

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Begin an episode."""
        super().reset(seed=seed)
        observation, info = self._world.reset(seed=seed, options=options)
        self._slots = {entity: slot for slot, entity in enumerate(objects_of(self._world))}
        self._succeeded = False
        return self._complete(observation, info)

    def step(self, action: Any) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        """Act once."""
        number = int(action)
        if not 0 <= number < len(ACTIONS):
            raise ValueError(f"expected an action from 0 to {len(ACTIONS) - 1}, got {number}")
        observation, reward, terminated, truncated, info = self._world.step(self._native(number))
        if self.name == "CollectHealth":
            self._succeeded = truncated and not terminated
        else:
            self._succeeded = self._succeeded or (terminated and reward > 0)
        frame, info = self._complete(observation, info)
        return frame, float(reward), bool(terminated), bool(truncated), info

    def render(self) -> np.ndarray | None:
        """A larger picture for people, as `render_mode` and `view` ask."""
        return render_level(self, self._world.picture)

    def top_view(self) -> np.ndarray:
        """The whole map from above, uint8, shape `[512, 512, 3]`."""
        picture: np.ndarray = self._world.picture(above=True)
        return picture

    def close(self) -> None:
        """Free the level's OpenGL context and all it holds; the level cannot be used afterwards."""
        self._world.close()

    def factors(self) -> Factors:
        """Ground truth of the current frame; of more than eight objects, the eight nearest in the order of distance."""
        return compute_factors(self._sighting())

    def _sighting(self) -> Sighting:
        eye, slots = eye_of(self._world), self._slots
        if len(slots) > SLOTS:
            away = [np.hypot(e.pos[0] - eye.position[0], e.pos[2] - eye.position[1]) for e in objects_of(self._world)]
            nearest = np.argsort(away, kind="stable")[:SLOTS]
            slots = {objects_of(self._world)[index]: slot for slot, index in enumerate(nearest)}
        light = float(np.mean(self._world.light_ambient + self._world.light_color)) / FULL_LIGHT
        around = surroundings_of(self._world, slots)
        return Sighting(eye=eye, light=min(light, 1.0), surroundings=around)

    def layout(self) -> Layout:
        """Walls, and all objects with the distance below which MiniWorld calls the agent near to them."""
        agent = self._world.agent
        reach = agent.radius + 1.1 * self._world.max_forward_step
        touched = [(e.pos[0], e.pos[2], e.radius + reach) for e in objects_of(self._world)]
        return Layout(
            walls=np.asarray(self._world.wall_segs, dtype=np.float64)[:, :, [0, 2]],
            radius=float(agent.radius),
            touched=np.array(touched, dtype=np.float64).reshape(-1, 3),
        )

    def _native(self, number: int) -> int:
        if number == USE:
            if self.name == "Sign":
                return SIGN_END
            number = DROP if self._world.agent.carrying else PICK_UP
        return number if number < self._native_actions else WAIT

    def _complete(self, observation: Any, info: dict[str, Any]) -> tuple[np.ndarray, dict[str, Any]]:
        if isinstance(observation, dict):
            info = {**info, "goal": observation["goal"]}
            observation = observation["obs"]
        info = copy.deepcopy(info)  # MiniWorld hands out its own arrays
        factors = ToldFactors(partial(compute_factors, self._sighting()))
        return observation, {**info, "factors": factors, "is_success": bool(self._succeeded)}
