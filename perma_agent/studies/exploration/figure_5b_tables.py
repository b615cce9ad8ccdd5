"""Figure 5B's tables: what is seen on them, and how the agent sees it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from gymnasium import spaces
from gymnasium.wrappers import TimeLimit
from stable_baselines3.common.vec_env import DummyVecEnv, VecEnv, VecEnvWrapper
from stable_baselines3.common.vec_env.base_vec_env import VecEnvStepReturn

from perma_agent.data.image_sets import ImageSet, Split, load_image_set, resize_images
from perma_agent.envs.table.level import SpriteTable
from perma_agent.imagination.reward import ImaginationBonus
from perma_agent.wrappers import BonusReward
from perma_agent.wrappers.shown_goal import GOAL, OBSERVATION


@dataclass(frozen=True)
class Sights:
    """Frames of tables with what is known of them."""

    frames: np.ndarray
    """uint8, shape `[B, 1, S, S]`."""
    classes: np.ndarray
    """Class of each frame's picture, int64 `[B]`."""
    places: np.ndarray
    """(x, y) of the picture, each in [0, 1], float32 `[B, 2]`."""

    def __len__(self) -> int:
        """Frames."""
        return len(self.frames)

    def __getitem__(self, which: np.ndarray) -> Sights:
        """Some of them."""
        return Sights(self.frames[which], self.classes[which], self.places[which])

    @classmethod
    def joined(cls, parts: Sequence[Sights]) -> Sights:
        """One after the other."""
        return cls(*(np.concatenate([getattr(part, name) for part in parts]) for name in cls.__annotations__))


@dataclass(frozen=True, kw_only=True)
class Box:
    """A set of pictures that are laid on tables of one size."""

    images: ImageSet
    """As large as they lie on the table."""
    size: int
    """Side of the table in pixels."""

    @classmethod
    def of(cls, name: str, *, size: int, split: Split, data: Path | None) -> Box:
        """Of an image set; resized once for all tables.

        Raises:
            DataError: the set is unknown, or its files cannot be had.
        """
        images = load_image_set(name, split=split, data=data)
        return cls(images=ImageSet(name, resize_images(images.images, size * 28 // 64), images.labels), size=size)

    def table(self, **arguments: Any) -> SpriteTable:
        """One table."""
        return SpriteTable(
            images=self.images.images, labels=self.images.labels, size=self.size, channels=1, **arguments
        )

    def tables(self, copies: int, *, episode: int, seed: int, **arguments: Any) -> SeenTables:
        """Tables side by side, each with a new picture after `episode` steps."""
        tables = SeenTables(DummyVecEnv([partial(self._limited, episode, arguments)] * copies))
        tables.seed(seed)
        return tables

    def jumps(self, *, seed: int) -> Jumps:
        """Pictures that lie somewhere else, and are others, at every step."""
        return Jumps(self.table(moves="by itself", every=1), seed=seed)

    def _limited(self, episode: int, arguments: dict[str, Any]) -> TimeLimit[Any, Any]:
        return TimeLimit(self.table(**arguments), max_episode_steps=episode)


class Jumps:
    """One table on which nothing lies twice at the same place.

    Args:
        table: that moves by itself, with a new picture at every step.
        seed: of pictures and places.
    """

    def __init__(self, table: SpriteTable, *, seed: int) -> None:
        self._table = table
        table.reset(seed=seed)

    def see(self, count: int) -> Sights:
        """Look at it for so many steps."""
        seen = [self._table.step(0) for _ in range(count)]
        return _sights(np.stack([step[0] for step in seen]), [step[4] for step in seen])


class SeenTables(VecEnvWrapper):
    """Keeps what tables show, until it is taken."""

    def __init__(self, venv: VecEnv) -> None:
        super().__init__(venv)
        self._seen: list[Sights] = []

    def reset(self) -> Any:
        """Reset all tables; first frames are not kept, there is no step that led to them."""
        return self.venv.reset()

    def step_wait(self) -> VecEnvStepReturn:
        """What the tables answer; where an episode ended, its last frame is kept."""
        observations, rewards, dones, infos = self.venv.step_wait()
        assert isinstance(observations, np.ndarray)
        shown = observations.copy()
        for index in np.flatnonzero(dones):
            shown[index] = infos[index]["terminal_observation"]
        self._seen.append(_sights(shown, infos))
        return observations, rewards, dones, infos

    def take(self) -> Sights:
        """What was seen since the last call, in the order of the steps."""
        seen, self._seen = self._seen, []
        return Sights.joined(seen)


class CodeAndGap(VecEnvWrapper):
    """Observations become the code z and what it lacks of the goal, float32 `[N, 2D]`.

    The code is *unmasked*: what an environment masks is exactly what is to be tried out in it.

    Args:
        rewarded: tables with an `ImaginationBonus` that shows its goals.
    """

    def __init__(self, rewarded: BonusReward) -> None:
        assert isinstance(rewarded.bonus, ImaginationBonus)
        self._bonus = rewarded.bonus
        size = rewarded.bonus.goal_space.shape[0]
        super().__init__(rewarded, observation_space=spaces.Box(-np.inf, np.inf, (2 * size,), np.float32))

    def reset(self) -> np.ndarray:
        """Of the first frames."""
        return self._look(self.venv.reset())

    def step_wait(self) -> VecEnvStepReturn:
        """Of the next frames, and of an episode's last one."""
        observations, rewards, dones, infos = self.venv.step_wait()
        for index in np.flatnonzero(dones):
            last = {name: part[None] for name, part in infos[index]["terminal_observation"].items()}
            infos[index]["terminal_observation"] = self._look(last)[0]
        return self._look(observations), rewards, dones, infos

    def _look(self, observations: Any) -> np.ndarray:
        worldview = self._bonus.imaginer.worldview
        assert worldview is not None
        codes = worldview.encode(_frames(observations[OBSERVATION]))[0]
        return np.concatenate([codes, observations[GOAL]], axis=1)


def _frames(shown: np.ndarray) -> np.ndarray:
    """Channels first, `[B, C, S, S]`."""
    return np.ascontiguousarray(np.moveaxis(shown, -1, 1))


def _sights(shown: np.ndarray, infos: Sequence[dict[str, Any]]) -> Sights:
    factors = [info["factors"] for info in infos]
    classes = np.array([part["class"].item() for part in factors], dtype=np.int64)
    places = np.array([(part["x"].item(), part["y"].item()) for part in factors], dtype=np.float32)
    return Sights(_frames(shown), classes, places)
