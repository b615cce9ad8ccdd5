"""Grounds: where a code is learnt and what it is measured on, the same for every arm."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from perma_agent.data.sprites import SpriteWorld, Transition
from perma_agent.studies.levels import LevelChoice
from perma_agent.studies.permanence.article_grounds import Article, Hidden
from perma_agent.studies.permanence.recording import RolloutConfig, record_rollouts
from perma_agent.studies.permanence.rollouts import RolloutData, read_rollouts
from perma_agent.studies.permanence.test_frames import MOVED, PAIRS, TEST_SEED, TestFrames
from perma_agent.temporal import Source
from perma_agent.types import FramePairs


@dataclass(frozen=True, kw_only=True)
class Sprites:
    """Sprites of five factors, between two frames of which few change."""

    canvas: int = 32
    """Side of the frames in pixels."""
    transition: Transition = "laplace"
    """How factors change, see `SpriteWorld.pairs`."""
    rate: float = 1.0
    """Of the Laplace law."""
    changes: int | None = None
    """Of the uniform transition: how many factors change; None draws it."""
    rows: int = 10_000
    """N, frames that a code is measured on."""

    def source(self, seed: int, folder: Path) -> Source[FramePairs]:
        """Pairs to learn from."""
        del seed, folder  # drawn as they are needed
        return _SpritePairs(self, SpriteWorld(canvas=self.canvas))

    def test(self, seed: int, folder: Path) -> TestFrames:
        """Frames to measure on: factors uniform and independent."""
        del folder
        world, rng = SpriteWorld(canvas=self.canvas), np.random.default_rng(TEST_SEED + seed)
        batch = world.draw(self.rows, rng)
        moved = {}
        for k, name in enumerate(world.factor_names):
            before = world.draw(MOVED, rng).factors
            after = before.copy()
            after[:, k] = (before[:, k] + rng.integers(1, world.factor_sizes[k], MOVED)) % world.factor_sizes[k]
            moved[name] = FramePairs(world.render(after), world.render(before), np.ones(MOVED, np.int64))
        pairs = _SpritePairs(self, world).draw(PAIRS, rng=rng)
        kinds = (False,) * len(world.factor_names)
        return TestFrames(
            frames=batch.frames,
            factors=batch.factors,
            names=world.factor_names,
            continuous=kinds,
            pairs=pairs,
            moved=moved,
        )


@dataclass(frozen=True, kw_only=True)
class Rollouts:
    """Rollouts of 3D levels; the readers are tested on trajectories that they did not see."""

    levels: tuple[LevelChoice, ...]
    """Levels, each with its arguments."""
    factors: tuple[str, ...]
    """Factors that a code is measured by: those that a frame shows."""
    frames: int = 20_000
    """Frames recorded for each seed."""
    size: int = 32
    """Side of the frames in pixels."""
    offsets: tuple[int, ...] = (1, 4, 16)
    """Steps between the frames of a pair."""
    rows: int = 10_000
    """Most frames that a code is measured on."""
    recorded_by: int = 0
    """Seed of the recordings, the same for all cells, as a data set is: one is learnt from, another measured on."""

    def source(self, seed: int, folder: Path) -> Source[FramePairs]:
        """Pairs to learn from."""
        del seed
        return self._data(folder, held_out=False).pairs(offsets=self.offsets)

    def test(self, seed: int, folder: Path) -> TestFrames:
        """Frames of other episodes than were learnt from."""
        data, rng = self._data(folder, held_out=True), np.random.default_rng(TEST_SEED + seed)
        readers, judges = data.split(test_share=1 / 3, seed=seed)
        share = min(1.0, self.rows / len(data))
        drawn = [_rows(len(part), share, rng) for part in (readers, judges)]
        held_out = np.repeat([False, True], [len(rows) for rows in drawn])
        return TestFrames(
            frames=np.concatenate([readers.frames[drawn[0]], judges.frames[drawn[1]]]),
            factors=np.concatenate([readers.factors[drawn[0]], judges.factors[drawn[1]]]),
            names=data.factor_names,
            continuous=data.continuous,
            pairs=data.pairs(offsets=self.offsets[:1]).draw(PAIRS, rng=rng),
            held_out=held_out,
        )

    def record(self, folder: Path) -> None:
        """Record what is missing; processes that learn side by side then only read."""
        for held_out in (False, True):
            record_rollouts(self._folder(folder, held_out=held_out), self._recording(held_out=held_out))

    def _data(self, folder: Path, *, held_out: bool) -> RolloutData:
        where = record_rollouts(self._folder(folder, held_out=held_out), self._recording(held_out=held_out))
        return read_rollouts(where, size=self.size).of_factors(self.factors)

    def _folder(self, folder: Path, *, held_out: bool) -> Path:
        return folder / ("held-out" if held_out else "learnt-from")

    def _recording(self, *, held_out: bool) -> RolloutConfig:
        return RolloutConfig(levels=self.levels, frames=self.frames, seed=self.recorded_by, held_out=held_out)


Ground = Sprites | Rollouts | Article | Hidden
"""Any of them."""


class _SpritePairs:
    """Pairs of sprites without their factors: all that an arm is shown."""

    def __init__(self, ground: Sprites, world: SpriteWorld) -> None:
        self._ground, self._world = ground, world

    def draw(self, batch_size: int, *, rng: np.random.Generator) -> FramePairs:
        """Draw pairs; the same state of `rng` gives the same pairs."""
        ground = self._ground
        drawn = self._world.pairs(
            batch_size, rng, transition=ground.transition, rate=ground.rate, changes=ground.changes
        )
        return drawn.pairs


def _rows(count: int, share: float, rng: np.random.Generator) -> np.ndarray:
    """A share of so many rows, drawn without replacement, ascending."""
    return np.sort(rng.choice(count, size=max(2, int(share * count)), replace=False))
