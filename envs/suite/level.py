"""A task in a setting as a Gymnasium environment: the same rules, actions and factors indoors and outdoors."""

from __future__ import annotations

from dataclasses import fields
from functools import partial
from typing import Any

import gymnasium as gym
import numpy as np

from perma_agent.envs.actions import ACTIONS, BACK, FORWARD, TURN_LEFT, TURN_RIGHT
from perma_agent.envs.argument_checks import check_choice
from perma_agent.envs.display import LevelConfig, read_arguments, render_level
from perma_agent.envs.factors import Factors, FactorSpec, Sighting, ToldFactors, compute_factors, factor_specs
from perma_agent.envs.layout import Layout
from perma_agent.envs.sight import Eye
from perma_agent.envs.suite.deferred import Deferred
from perma_agent.envs.suite.episode import Episode
from perma_agent.envs.suite.forage import Forage
from perma_agent.envs.suite.looks import View, draw_look, draw_view
from perma_agent.envs.suite.maze import Maze
from perma_agent.envs.suite.plan import AGENT_RADIUS
from perma_agent.envs.suite.tasks import Task
from perma_agent.envs.suite.world import World
from perma_agent.envs.vocabulary import SETTINGS, Setting
from perma_agent.errors import LevelError

TASKS: dict[str, type[Maze] | type[Forage] | type[Deferred]] = {"maze": Maze, "forage": Forage, "deferred": Deferred}
"""Name of each task to its rules."""


class TaskLevel(gym.Env[np.ndarray, np.int64]):
    """One of our tasks, drawn by MiniWorld.

    Observation: uint8, shape `[size, size, 3]`. Actions: `ACTIONS`. `info` of every reset and step holds `factors` (see
    `factor_specs`) and `is_success` (whether the task has been solved; what it says at the end of the episode counts).
    An episode is set by the seed alone: map, objects, start, light and camera do not depend on the setting.
    """

    metadata = {"render_modes": ["human", "rgb_array"], "render_fps": 10}  # noqa: RUF012  Gymnasium's own way

    def __init__(self, *, task: str, setting: Setting, **arguments: Any) -> None:
        """Make the level.

        Args:
            task: one of `TASKS`.
            setting: `indoor` or `outdoor`.
            **arguments: fields of `LevelConfig` and of the task's rules.

        Raises:
            LevelError: when an argument is unknown or has an invalid value, or the engine cannot be started.
        """
        check_choice("task", task, tuple(TASKS))
        check_choice("setting", setting, SETTINGS)
        rules = {entry.name for entry in fields(TASKS[task])}
        self.config: LevelConfig = read_arguments(LevelConfig, arguments, others=rules)
        self.task: Task = TASKS[task](**{name: value for name, value in arguments.items() if name in rules})
        self.setting = setting
        self.render_mode = self.config.render_mode
        self.action_space = gym.spaces.Discrete(len(ACTIONS))
        self.observation_space = gym.spaces.Box(0, 255, (self.config.size, self.config.size, 3), dtype=np.uint8)
        self._world = World(size=self.config.size)
        self._episode: Episode | None = None

    @property
    def factor_specs(self) -> tuple[FactorSpec, ...]:
        """Names, shapes, units and ranges of `info["factors"]`."""
        x, z = self.task.half_extent
        return factor_specs(low=(-x, -z), high=(x, z))

    @property
    def episode(self) -> Episode:
        """The current map and how far the agent has come: what an oracle may look at.

        Raises:
            LevelError: before the first reset.
        """
        if self._episode is None:
            raise LevelError("expected a level that has been reset, got a new one; call reset() first")
        return self._episode

    @property
    def pose(self) -> tuple[float, float, float]:
        """Agent's x, z (metres) and heading (radians)."""
        agent = self._world.agent
        return float(agent.pos[0]), float(agent.pos[2]), float(agent.dir)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Begin an episode; without a seed, the next one of the sequence that the last seed began."""
        super().reset(seed=seed)
        number = int(self.np_random.integers(2**31))
        chosen = self.config.map_seed
        layout = self._stream(number if chosen is None else chosen, 0)
        plan = self.task.plan(layout=layout, placement=self._stream(number, 1))
        shown = number if self.config.randomise else 0
        view = draw_view(self._stream(number, 2)) if self.config.randomise else View()
        look = draw_look(self._stream(shown, 3), setting=self.setting, split=self.config.split)
        self._episode = Episode(plan, view)
        frame = self._world.build(plan, look, view)
        return frame, self._info()

    def step(self, action: Any) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        """Act once; the time limit is the wrapper's that `gymnasium.make` puts round the level."""
        number = int(action)
        if not 0 <= number < len(ACTIONS):
            raise ValueError(f"expected an action from 0 to {len(ACTIONS) - 1}, got {number}")
        if number in (TURN_LEFT, TURN_RIGHT):
            self._world.turn(1 if number == TURN_LEFT else -1)
        elif number in (FORWARD, BACK):
            self._world.move(1 if number == FORWARD else -1)
        reward, ended = self._touch()
        return self._world.render_obs(), reward, ended, False, self._info()

    def render(self) -> np.ndarray | None:
        """A larger picture for people, as `render_mode` and `view` ask."""
        return render_level(self, self._world.picture)

    def top_view(self) -> np.ndarray:
        """The whole map from above, uint8, shape `[512, 512, 3]`."""
        return self._world.picture(above=True)

    def close(self) -> None:
        """Free the level's OpenGL context and all it holds; the level cannot be used afterwards."""
        self._world.close()

    def factors(self) -> Factors:
        """Ground truth of the current frame."""
        return compute_factors(self._sighting())

    def _sighting(self) -> Sighting:
        episode, (x, z, heading) = self.episode, self.pose
        view = episode.view
        eye = Eye(
            position=np.array([x, z]),
            heading=heading,
            height=view.camera_height,
            pitch=view.camera_pitch,
            field_of_view=view.camera_fov,
        )
        return Sighting(eye=eye, light=view.light, surroundings=episode.surroundings)

    def layout(self) -> Layout:
        """Walls, and the objects that still stand."""
        episode = self.episode
        present = episode.progress.present
        touched = np.concatenate([episode.places.reshape(-1, 2), episode.reaches[:, None]], axis=1)[present]
        return Layout(walls=episode.surroundings.segments.copy(), radius=AGENT_RADIUS, touched=touched)

    def _touch(self) -> tuple[float, bool]:
        episode, (x, z, _) = self.episode, self.pose
        progress = episode.progress
        near = np.hypot(episode.places[:, 0] - x, episode.places[:, 1] - z) < episode.reaches
        touched = np.flatnonzero(near & progress.present).tolist()
        reward, ended = 0.0, False
        for slot in touched:
            progress.present[slot] = False
            progress.touched.append(slot)
            payment = self.task.touch(episode.plan, progress, slot)
            reward, ended = reward + payment.reward, ended or payment.ended
        if touched:
            self._world.change(present=progress.present, gates_closed=progress.gates_closed)
            episode.refresh()
        return reward, ended

    def _info(self) -> dict[str, Any]:
        return {
            "factors": ToldFactors(partial(compute_factors, self._sighting())),
            "is_success": self.episode.progress.succeeded,
        }

    def _stream(self, number: int, purpose: int) -> np.random.Generator:
        """Even numbers for the train split, odd ones for the test split: no map or look is drawn in both."""
        return np.random.default_rng([2 * number + (self.config.split == "test"), purpose])
