"""Experience: the frames an agent has just met, out of the buffers of Stable-Baselines3."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from stable_baselines3.common.buffers import ReplayBuffer, RolloutBuffer

from perma_agent.data.pairs import RolloutFrames
from perma_agent.sb3.seeing.frame_reading import FrameReading
from perma_agent.types import FramePairs

Stored = np.ndarray | Mapping[str, np.ndarray]
"""Observations as a buffer keeps them."""


@dataclass(frozen=True)
class Experience:
    """Consecutive frames of N parallel levels."""

    frames: np.ndarray
    """uint8, shape `[T, N, C, H, W]`, oldest first."""
    episode_starts: np.ndarray
    """Whether an episode begins with a frame, bool, shape `[T, N]`."""

    def __len__(self) -> int:
        return int(self.episode_starts.size)

    @property
    def longest_episode(self) -> int:
        """Frames of the longest part of one episode in it."""
        first = self.episode_starts.T.copy()
        first[:, 0] = True
        return int(np.diff(np.flatnonzero(first), append=first.size).max())

    def newest(self, count: int) -> Experience:
        """About `count` frames from the end, a row of N at least, as a copy."""
        rows = min(len(self.frames), max(count // self.frames.shape[1], 1))
        start = len(self.frames) - rows
        return Experience(self.frames[start:].copy(), self.episode_starts[start:].copy())

    @classmethod
    def concatenate(cls, parts: Sequence[Experience]) -> Experience:
        """Parts that follow upon each other."""
        return cls(
            np.concatenate([part.frames for part in parts]), np.concatenate([part.episode_starts for part in parts])
        )


def rollout_experience(buffer: RolloutBuffer, *, reading: FrameReading | None = None) -> Experience:
    """A complete rollout, before the algorithm has shuffled it; shares memory with the buffer where it can.

    Args:
        buffer: full.
        reading: where the frames are in an observation; the newest of a stack is taken. By default the observation is
            one frame.
    """
    return Experience(_pixels(buffer.observations, buffer, reading), buffer.episode_starts.astype(bool))


def replay_experience(buffer: ReplayBuffer, *, rows: int, reading: FrameReading | None = None) -> Experience:
    """The newest `rows` steps of every level, or as many as the buffer holds, as a copy.

    Args:
        buffer: may have gone round.
        rows: steps of each level.
        reading: see `rollout_experience`.
    """
    rows = min(rows, buffer.size())
    places = np.arange(buffer.pos - rows, buffer.pos) % buffer.buffer_size
    starts = np.ones((rows, buffer.n_envs), dtype=bool)  # what came before the first is not here
    starts[1:] = buffer.dones[places[:-1]] > 0
    if isinstance(buffer.observations, dict):
        newest: Stored = {name: part[places] for name, part in buffer.observations.items()}
    else:
        newest = buffer.observations[places]
    return Experience(_pixels(newest, buffer, reading), starts)


class Window:
    """Earlier experience of the present environment, so that batches are not all of one moment.

    Args:
        frames: how many are kept, at most; the oldest go first.
        offsets: frames between the two of a pair.
    """

    def __init__(self, *, frames: int, offsets: tuple[int, ...]) -> None:
        self._limit = frames
        self._offsets = offsets
        self._parts: deque[tuple[int, RolloutFrames]] = deque()

    def __len__(self) -> int:
        return sum(size for size, _ in self._parts)

    def add(self, experience: Experience) -> None:
        """Keep the newest frames of `experience`, unless there is no pair in them."""
        kept = experience.newest(self._limit)
        if kept.longest_episode <= min(self._offsets):
            return
        self._parts.append((len(kept), pairs_of(kept, offsets=self._offsets)))
        while len(self) > self._limit:
            self._parts.popleft()

    def clear(self) -> None:
        """Forget all: the environment changed."""
        self._parts.clear()

    @property
    def parts(self) -> list[Experience]:
        """What is kept, oldest first; `add` them to another window to make it equal."""
        return [Experience(pairs.frames, pairs.episode_starts) for _, pairs in self._parts]

    def draw(self, batch_size: int, *, rng: np.random.Generator) -> FramePairs:
        """`batch_size` pairs, every frame kept equally likely."""
        sizes = np.array([size for size, _ in self._parts])
        counts = rng.multinomial(batch_size, sizes / sizes.sum())
        drawn = [part.draw(int(count), rng=rng) for count, (_, part) in zip(counts, self._parts, strict=True) if count]
        return FramePairs(
            np.concatenate([pairs.frames for pairs in drawn]),
            np.concatenate([pairs.earlier for pairs in drawn]),
            np.concatenate([pairs.offsets for pairs in drawn]),
        )


def pairs_of(experience: Experience, *, offsets: tuple[int, ...]) -> RolloutFrames:
    """Pairs of frames of one episode each, ready to be drawn."""
    return RolloutFrames(experience.frames, experience.episode_starts, offsets=offsets)


def _pixels(observations: Stored, buffer: RolloutBuffer | ReplayBuffer, reading: FrameReading | None) -> np.ndarray:
    """uint8 pixels; some SB3 versions keep them as floats, and float levels show them in [0, 1]."""
    if reading is not None:
        return reading.newest_pixels(observations)
    assert isinstance(observations, np.ndarray)
    if observations.dtype == np.uint8:
        return observations
    scale = 1.0 if buffer.observation_space.dtype == np.uint8 else 255.0
    return np.rint(observations * scale).astype(np.uint8)
