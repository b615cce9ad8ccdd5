"""Pairs lie in one episode, at their offset, and each is as likely as any other of its offset."""

from __future__ import annotations

import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from perma_agent.data import PairSampler, PairSource, RolloutFrames, TrajectoryStore
from perma_agent.errors import FrameError, StoreError
from perma_agent.types import FramePairs, Trajectory

Counting = Callable[..., Trajectory]
Pair = tuple[int, int, int]  # trajectory or level, step of the later frame, offset


def read(pairs: FramePairs) -> list[Pair]:
    """Which pairs were drawn, as the counting world's pixels tell; fails where a pair is of two trajectories."""
    number, t = pairs.frames[:, 0, 0, 0].astype(int), pairs.frames[:, 0, 0, -1].astype(int)
    number_before, t_before = pairs.earlier[:, 0, 0, 0].astype(int), pairs.earlier[:, 0, 0, -1].astype(int)
    np.testing.assert_array_equal(number, number_before)
    np.testing.assert_array_equal(t - t_before, pairs.offsets)
    return list(zip(number.tolist(), t.tolist(), pairs.offsets.tolist(), strict=True))


def check_uniform(source: PairSource, expected: dict[Pair, float], *, rng: np.random.Generator) -> None:
    """Every expected pair and no other is drawn, as often as expected (χ², one false alarm in 10⁶)."""
    draws = 60 * len(expected)
    found = Counter(read(source.draw(draws, rng=rng)))
    assert set(found) <= set(expected)
    chances = np.array(list(expected.values())) / sum(expected.values())
    if len(expected) > 1:
        assert stats.chisquare([found[pair] for pair in expected], draws * chances).pvalue > 1e-6


def valid_pairs(lengths: list[int], weights: dict[int, float]) -> dict[Pair, float]:
    """Every pair by counting, with its chance: that of its offset, shared among the pairs of that offset."""
    pairs: dict[Pair, float] = {}
    for offset, weight in weights.items():
        those = [(n, t, offset) for n, length in enumerate(lengths) for t in range(length) if t >= offset]
        pairs.update(dict.fromkeys(those, weight / max(len(those), 1)))
    return pairs


WEIGHTS = st.dictionaries(st.integers(1, 6), st.sampled_from([0.5, 1.0, 3.0]), min_size=1, max_size=3)


@settings(max_examples=20, deadline=None)
@given(steps=st.lists(st.integers(1, 12), min_size=1, max_size=6), weights=WEIGHTS, seed=st.integers(0, 2**32))
def test_store_pairs_are_uniform_over_all_valid_ones(
    counting: Counting, steps: list[int], weights: dict[int, float], seed: int
) -> None:
    weights = {offset: weight for offset, weight in weights.items() if offset <= max(steps)} or {1: 1.0}
    with tempfile.TemporaryDirectory() as folder, TrajectoryStore.create(folder) as store:
        store.add_many([counting(n, steps=count) for n, count in enumerate(steps)])
        sampler = PairSampler(store, offsets=list(weights), offset_weights=list(weights.values()))
        expected = valid_pairs([count + 1 for count in steps], weights)
        assert sampler.num_pairs == len(expected)
        check_uniform(sampler, expected, rng=np.random.default_rng(seed))


@settings(max_examples=60, deadline=None)
@given(
    starts=st.integers(1, 14).flatmap(
        lambda steps: st.lists(st.lists(st.booleans(), min_size=steps, max_size=steps), min_size=1, max_size=3)
    ),
    weights=WEIGHTS,
    seed=st.integers(0, 2**32),
)
def test_rollout_pairs_are_uniform_over_all_valid_ones(
    starts: list[list[bool]], weights: dict[int, float], seed: int
) -> None:
    episode_starts = np.array(starts).T  # [T, N]
    steps, levels = episode_starts.shape
    frames = np.zeros((steps, levels, 1, 2, 2), dtype=np.uint8)
    frames[..., 0] = np.arange(levels)[:, None, None]
    frames[..., 1] = np.arange(steps)[:, None, None, None]
    expected = {}
    for offset, weight in weights.items():  # by the definition: no frame after the earlier one begins an episode
        those = [
            (n, t, offset)
            for n in range(levels)
            for t in range(offset, steps)
            if not episode_starts[t - offset + 1 : t + 1, n].any()
        ]
        expected.update({pair: weight / len(those) for pair in those})
    if not expected:
        with pytest.raises(FrameError, match="choose smaller offsets"):
            RolloutFrames(frames, episode_starts, offsets=list(weights))
        return
    source = RolloutFrames(frames, episode_starts, offsets=list(weights), offset_weights=list(weights.values()))
    assert source.num_pairs == len(expected)
    check_uniform(source, expected, rng=np.random.default_rng(seed))


def test_the_same_generator_gives_the_same_pairs(store: TrajectoryStore, counting: Counting) -> None:
    store.add_many([counting(n, steps=9) for n in range(5)])
    sampler = PairSampler(store, offsets=(1, 3))
    first, again, other = (sampler.draw(32, rng=np.random.default_rng(seed)) for seed in (1, 1, 2))
    for name in ("frames", "earlier", "offsets"):
        np.testing.assert_array_equal(getattr(first, name), getattr(again, name))
    assert read(first) != read(other)
    assert first.frames.shape == (32, 3, 4, 6)
    assert first.frames.flags.c_contiguous


def test_only_the_chosen_levels_and_trajectories(store: TrajectoryStore, counting: Counting) -> None:
    store.add_many([counting(n, level=("in", "out", "held out")[n % 3]) for n in range(9)])
    rng = np.random.default_rng(0)

    def drawn(**choice: object) -> set[int]:
        return {number for number, _, _ in read(PairSampler(store, **choice).draw(200, rng=rng))}

    assert drawn() == set(range(9))
    assert drawn(levels=["in", "held out"]) == {0, 2, 3, 5, 6, 8}
    assert drawn(trajectories=[7, 2, 2]) == {2, 7}
    assert drawn(levels={"out"}, trajectories=range(4, 9)) == {4, 7}
    with pytest.raises(StoreError, match=r"trajectories of \['moon'\].*levels are \['in', 'out', 'held out'\]"):
        PairSampler(store, levels=["moon"])
    with pytest.raises(IndexError, match="from 0 to 8, got 3 to 9"):
        PairSampler(store, trajectories=[3, 9])


def test_new_trajectories_are_drawn_after_refresh(store: TrajectoryStore, counting: Counting) -> None:
    store.add(counting(0))
    sampler, rng = PairSampler(store), np.random.default_rng(0)
    TrajectoryStore.open(store.path).add(counting(1))
    assert {number for number, _, _ in read(sampler.draw(50, rng=rng))} == {0}
    sampler.refresh()
    assert {number for number, _, _ in read(sampler.draw(50, rng=rng))} == {0, 1}


def test_offsets_that_no_trajectory_is_long_enough_for(store: TrajectoryStore, counting: Counting) -> None:
    store.add_many([counting(0, steps=3), counting(1, steps=5)])
    assert PairSampler(store, offsets=(5,)).num_pairs == 1
    with pytest.raises(StoreError, match=r"more than 9 steps for the offsets \[6, 9\], got at most 5 steps"):
        PairSampler(store, offsets=(1, 6, 9))


def test_a_rollout_leaves_out_offsets_that_no_episode_is_long_enough_for() -> None:
    frames = np.zeros((6, 1, 3, 2, 2), dtype=np.uint8)
    starts = np.array([[0], [0], [1], [0], [0], [0]], dtype=np.float32)  # as SB3 has them
    source = RolloutFrames(frames, starts, offsets=(3, 4, 16))
    assert set(source.draw(40, rng=np.random.default_rng(0)).offsets) == {3}


@pytest.mark.parametrize(
    "arguments",
    [
        {"offsets": ()},
        {"offsets": (0,)},
        {"offsets": (1, -2)},
        {"offsets": (1.5,)},
        {"offsets": (1, 2), "offset_weights": (1,)},
        {"offset_weights": (0.0,)},
        {"offset_weights": (np.nan,)},
    ],
)
def test_offsets_and_weights_are_checked(store: TrajectoryStore, counting: Counting, arguments: dict) -> None:
    store.add(counting(0))
    with pytest.raises(ValueError, match="expected"):
        PairSampler(store, **arguments)


def test_batches_and_rollouts_are_checked(store: TrajectoryStore, counting: Counting) -> None:
    store.add(counting(0))
    with pytest.raises(ValueError, match="at least 1 pair, got 0"):
        PairSampler(store).draw(0, rng=np.random.default_rng(0))
    frames, starts = np.zeros((4, 2, 3, 5, 5), np.uint8), np.zeros((4, 2), bool)
    for wrong in (frames.astype(np.float32), frames[0], np.moveaxis(frames, 2, -1)):
        with pytest.raises(FrameError):
            RolloutFrames(wrong, starts)
    with pytest.raises(FrameError, match=r"got \(4, 2, 3, 5, 5\) and \(2, 4\)"):
        RolloutFrames(frames, starts.T)


def test_drawing_is_fast(tmp_path: Path) -> None:
    """Far below what an idle core does (some 10,000 pairs/s), so that only a change of kind fails it."""
    frames = np.random.default_rng(0).integers(0, 256, (101, 64, 64, 3), dtype=np.uint8)
    trajectory = Trajectory(frames, np.zeros(100, np.int64), np.zeros(100, np.float32), True, False)
    with TrajectoryStore.create(tmp_path / "s") as store:
        store.add_many([trajectory] * 20)
        sampler, rng = PairSampler(store, offsets=(1, 4, 16)), np.random.default_rng(0)
        sampler.draw(64, rng=rng)
        began = time.process_time()
        for _ in range(30):
            sampler.draw(64, rng=rng)
        assert 30 * 64 / (time.process_time() - began) > 1_000
