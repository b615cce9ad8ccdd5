"""The article's cases as grounds: worlds in which one thing changes, and one in which it is hidden for a while."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from perma_agent.data.article_worlds import ARTICLE_WORLDS, HiddenObjectWorld, WalkingWorld, WalkPairs
from perma_agent.studies.permanence.test_frames import MOVED, PAIRS, TEST_SEED, TestFrames
from perma_agent.temporal import FrameSequences, Source
from perma_agent.types import FramePairs


@dataclass(frozen=True, kw_only=True)
class Article:
    """One of the article's worlds, in pairs of frames."""

    world: str
    """One of `ARTICLE_WORLDS`."""
    canvas: int = 32
    """Side of the frames in pixels."""
    offsets: tuple[int, ...] = (1,)
    """Steps between the frames of a pair."""
    rows: int = 4_000
    """N, frames that a code is measured on."""

    def source(self, seed: int, folder: Path) -> Source[FramePairs]:
        """Pairs to learn from."""
        del seed, folder  # drawn as they are needed
        return WalkPairs(self._world(), offsets=self.offsets)

    def test(self, seed: int, folder: Path) -> TestFrames:
        """Frames to measure on: factors uniform and independent."""
        del folder
        world, rng = self._world(), np.random.default_rng(TEST_SEED + seed)
        drawn = world.draw(self.rows, rng)
        return TestFrames(
            frames=drawn.frames,
            factors=drawn.factors,
            names=world.factor_names,
            continuous=world.continuous,
            pairs=WalkPairs(world, offsets=self.offsets).draw(PAIRS, rng=rng),
            moved=_moved(world, rng),
            groups=world.groups,
        )

    def _world(self) -> WalkingWorld:
        return ARTICLE_WORLDS[self.world](canvas=self.canvas)


@dataclass(frozen=True, kw_only=True)
class Hidden:
    """An object that is hidden for a while, in sequences: for hosts with memory, and for those without beside them."""

    canvas: int = 32
    """Side of the frames in pixels."""
    length: int = 20
    """T, frames in a sequence: the object is hidden for 4 to 10 of them on end."""
    sequences: int = 300
    """B, sequences that a code is measured on."""

    def source(self, seed: int, folder: Path) -> Source[FrameSequences]:
        """Sequences to learn from."""
        del seed, folder  # drawn as they are needed
        return _Sequences(HiddenObjectWorld(canvas=self.canvas), length=self.length)

    def test(self, seed: int, folder: Path) -> TestFrames:
        """Sequences to measure on; readers are tested on other sequences than they learn from."""
        del folder
        world, rng = HiddenObjectWorld(canvas=self.canvas), np.random.default_rng(TEST_SEED + seed)
        drawn = world.sequences(self.sequences, self.length, rng)
        held_out = np.arange(self.sequences) >= 2 * self.sequences // 3
        flat = drawn.frames.reshape(-1, *drawn.frames.shape[2:])
        later = np.arange(len(flat)).reshape(self.sequences, self.length)[:, 1:].ravel()
        return TestFrames(
            frames=drawn.frames,
            factors=drawn.factors.reshape(-1, drawn.factors.shape[2]),
            names=world.factor_names,
            continuous=world.continuous,
            pairs=FramePairs(flat[later], flat[later - 1], np.ones(len(later), np.int64)),
            held_out=np.repeat(held_out, self.length),
            groups=world.groups,
            visible=drawn.visible,
            identity=world.identity,
        )


class _Sequences:
    """Sequences of a world without their factors."""

    def __init__(self, world: HiddenObjectWorld, *, length: int) -> None:
        self._world, self._length = world, length

    def draw(self, batch_size: int, *, rng: np.random.Generator) -> FrameSequences:
        """Draw sequences; the same state of `rng` gives the same ones."""
        return FrameSequences(self._world.sequences(batch_size, self._length, rng).frames)


def _moved(world: WalkingWorld, rng: np.random.Generator) -> dict[str, FramePairs]:
    """Pairs between which one factor alone takes another value."""
    moved = {}
    for k, name in enumerate(world.factor_names):
        before, other = world.draw(MOVED, rng), world.draw(MOVED, rng).factors
        after = before.factors.copy()
        after[:, k] = other[:, k]
        moved[name] = FramePairs(world.render(after), before.frames, np.ones(MOVED, np.int64))
    return moved
