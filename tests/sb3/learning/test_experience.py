"""Frames out of SB3's buffers: the right ones, in order, never two episodes taken for one."""

from __future__ import annotations

import numpy as np
import pytest
from gymnasium import spaces
from hypothesis import given, settings
from hypothesis import strategies as st
from stable_baselines3.common.buffers import ReplayBuffer, RolloutBuffer

from perma_agent.sb3.learning.experience import Experience, Window, replay_experience, rollout_experience

ACTIONS = spaces.Discrete(2)


def numbered(steps: int, levels: int = 2, *, first: int = 0) -> np.ndarray:
    """Frames [T, N, 1, 4, 4] whose pixels say their step (the first half of the values) or 100 more on level 1."""
    numbers = first + np.arange(steps)[:, None] + 100 * np.arange(levels)[None, :]
    return np.broadcast_to(numbers[:, :, None, None, None], (steps, levels, 1, 4, 4)).astype(np.uint8).copy()


def filled_replay_buffer(steps: int, *, size: int, dones: set[int]) -> ReplayBuffer:
    space = spaces.Box(0, 255, (1, 4, 4), np.uint8)
    buffer = ReplayBuffer(2 * size, space, ACTIONS, device="cpu", n_envs=2)
    frames = numbered(steps + 1)
    for step in range(steps):
        ended = np.array([step in dones, False])
        buffer.add(frames[step], frames[step + 1], np.zeros((2, 1)), np.zeros(2), ended, [{}, {}])
    return buffer


def test_newest_of_a_replay_buffer_that_went_round():
    buffer = filled_replay_buffer(11, size=8, dones={7})  # steps 3 to 10 are left; 8 to 10 were written over 0 to 2
    found = replay_experience(buffer, rows=5)
    assert found.frames[:, :, 0, 0, 0].tolist() == [[step, 100 + step] for step in range(6, 11)]
    # The first row counts as a start; step 7 ended an episode on level 0, so 8 starts one.
    assert found.episode_starts.tolist() == [
        [True, True],
        [False, False],
        [True, False],
        [False, False],
        [False, False],
    ]
    everything = replay_experience(buffer, rows=1000)
    assert everything.frames[:, 0, 0, 0, 0].tolist() == list(range(3, 11))


def test_newest_of_a_replay_buffer_that_is_filling():
    found = replay_experience(filled_replay_buffer(3, size=8, dones=set()), rows=5)
    assert found.frames[:, 0, 0, 0, 0].tolist() == [0, 1, 2]


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_rollout_buffer(dtype: type):
    space = spaces.Box(0, 255 if dtype is np.uint8 else 1.0, (1, 4, 4), dtype)
    buffer = RolloutBuffer(3, space, ACTIONS, device="cpu", n_envs=2)
    buffer.observations = numbered(3) if dtype is np.uint8 else (numbered(3) / 255.0).astype(dtype)
    buffer.episode_starts = np.array([[0, 1], [0, 0], [1, 0]], dtype=np.float32)
    found = rollout_experience(buffer)
    assert found.frames.dtype == np.uint8 and np.array_equal(found.frames, numbered(3))
    assert found.episode_starts.tolist() == [[False, True], [False, False], [True, False]]
    assert len(found) == 6


def test_pixels_kept_as_floats_by_older_versions():
    buffer = RolloutBuffer(3, spaces.Box(0, 255, (1, 4, 4), np.uint8), ACTIONS, device="cpu", n_envs=2)
    buffer.observations = numbered(3).astype(np.float32)
    assert np.array_equal(rollout_experience(buffer).frames, numbered(3))


def test_longest_episode():
    starts = np.array([[0, 0], [0, 1], [1, 0], [0, 0]], dtype=bool)
    assert Experience(numbered(4), starts).longest_episode == 3  # level 0: 2 + 2, level 1: 1 + 3
    assert Experience(numbered(4), np.ones((4, 2), dtype=bool)).longest_episode == 1


def experience(first: int, steps: int) -> Experience:
    return Experience(numbered(steps, first=first), np.zeros((steps, 2), dtype=bool))


@settings(max_examples=50, deadline=None)
@given(limit=st.integers(0, 40), sizes=st.lists(st.integers(1, 12), min_size=1, max_size=6))
def test_window_is_bounded_and_keeps_the_newest(limit: int, sizes: list[int]):
    window, first = Window(frames=limit, offsets=(1, 2)), 0
    for size in sizes:
        window.add(experience(first, size))
        first += size
        assert len(window) <= limit
    if limit >= 4 and sizes[-1] > 1:
        drawn = window.draw(64, rng=np.random.default_rng(0)).frames[:, 0, 0, 0]
        assert drawn.max() % 100 <= first and len(window) > 0
    window.clear()
    assert len(window) == 0


def test_window_draws_every_frame_alike_and_pairs_within_parts(rng):
    window = Window(frames=100, offsets=(1,))
    window.add(experience(0, 10))
    window.add(experience(50, 30))
    pairs = window.draw(4000, rng=rng)
    steps = pairs.frames[:, 0, 0, 0].astype(int) % 100
    assert np.array_equal(pairs.earlier[:, 0, 0, 0].astype(int), pairs.frames[:, 0, 0, 0].astype(int) - 1)
    assert 0.21 < (steps < 50).mean() < 0.29  # 20 of 80 frames
    assert len(pairs) == 4000


def test_window_survives_what_happens_to_the_source():
    frames = numbered(5)
    window = Window(frames=100, offsets=(1,))
    window.add(Experience(frames, np.zeros((5, 2), dtype=bool)))
    frames[:] = 255  # a buffer that reuses its memory
    assert window.draw(50, rng=np.random.default_rng(0)).frames.max() < 110
