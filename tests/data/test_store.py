"""What goes into a store comes out: every number, in any order, after any number of merges."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from perma_agent.data import LevelSummary, TrajectoryStore
from perma_agent.data.table import COMMITS_BETWEEN_MERGES
from perma_agent.errors import StoreError
from perma_agent.types import Provenance, Trajectory

Counting = Callable[..., Trajectory]
Same = Callable[[Trajectory, Trajectory], None]

JSON = st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=3) | st.lists(st.integers(), max_size=2)
ACTION_TYPES = st.sampled_from(["<i8", "<i4", "<f4", "<f8", "|u1", "|b1", ">i2"])


@st.composite
def trajectories(draw: st.DrawFn) -> Trajectory:
    steps, channels = draw(st.integers(1, 6)), draw(st.sampled_from([1, 3]))
    factors = draw(
        st.dictionaries(st.text(max_size=4), hnp.array_shapes(min_dims=0, max_dims=2, max_side=3), max_size=3)
    )
    numbers = st.floats(width=32, allow_nan=True)
    shape = draw(st.sampled_from([(steps,), (steps, 2), (steps, 2, 3)]))
    return Trajectory(
        frames=draw(hnp.arrays(np.uint8, (steps + 1, 3, 2, channels))),
        actions=draw(hnp.arrays(draw(ACTION_TYPES), shape)),
        rewards=draw(hnp.arrays(np.float32, steps, elements=numbers)),
        terminated=draw(st.booleans()),
        truncated=draw(st.booleans()),
        factors={
            name: draw(hnp.arrays(np.float32, (steps + 1, *sides), elements=numbers)) for name, sides in factors.items()
        },
        provenance=Provenance(
            level=draw(st.text(max_size=5)),
            level_arguments=draw(st.dictionaries(st.text(max_size=3), JSON, max_size=2)),
            seed=draw(st.none() | st.integers(0, 2**40)),
            wrappers=tuple(draw(st.lists(st.text(max_size=3), max_size=2))),
            versions=draw(st.dictionaries(st.text(max_size=3), st.text(max_size=3), max_size=2)),
            policy=draw(st.text(max_size=5)),
        ),
    )


@settings(max_examples=40, deadline=None)
@given(trajectory=trajectories(), compression=st.sampled_from(["none", "zstd"]))
def test_any_trajectory_comes_back_as_it_was(trajectory: Trajectory, compression: str) -> None:
    with tempfile.TemporaryDirectory() as folder, TrajectoryStore.create(folder, compression=compression) as store:
        assert store.add(trajectory) == 0
        again = TrajectoryStore.open(folder).trajectory(0)
    assert again.frames.tobytes() == trajectory.frames.tobytes()
    assert again.frames.flags.writeable  # torch.from_numpy wants to own what it reads
    assert again.actions.dtype == trajectory.actions.dtype
    assert again.actions.shape == trajectory.actions.shape
    assert again.actions.tobytes() == trajectory.actions.tobytes()
    np.testing.assert_array_equal(again.rewards, trajectory.rewards)
    assert list(again.factors) == list(trajectory.factors)
    for name, values in trajectory.factors.items():
        np.testing.assert_array_equal(again.factors[name], values)
    assert (again.terminated, again.truncated) == (trajectory.terminated, trajectory.truncated)
    assert again.provenance == trajectory.provenance


@pytest.mark.parametrize("compression", ["none", "zstd"])
def test_numbers_hold_over_merges_and_reopening(
    tmp_path: Path, counting: Counting, same: Same, compression: str
) -> None:
    written = [counting(n, steps=1 + n % 7, level=f"level{n % 3}") for n in range(2 * COMMITS_BETWEEN_MERGES + 5)]
    with TrajectoryStore.create(tmp_path / "s", compression=compression) as store:
        for n, trajectory in enumerate(written[:-4]):  # enough commits that the store merges by itself twice
            assert store.add(trajectory) == n
        assert store.add_many(written[-4:]) == range(len(written) - 4, len(written))
        for n, trajectory in enumerate(written):
            same(store.trajectory(n), trajectory)
    files = list((tmp_path / "s").rglob("*.lance/data/*"))
    assert len(files) == 1  # closing merged the rest
    with TrajectoryStore.open(tmp_path / "s") as store:
        assert len(store) == len(written)
        for n, trajectory in enumerate(written):
            same(store.trajectory(n), trajectory)
            assert store.provenance(n) == trajectory.provenance
            assert len(store.rows(n)) == len(trajectory.frames)


def test_frames_and_factors_of_any_rows_in_any_order(store: TrajectoryStore, counting: Counting) -> None:
    written = [counting(n, steps=3 + n) for n in range(4)]
    store.add_many(written)
    every_frame = np.concatenate([trajectory.frames for trajectory in written])
    every_t = np.concatenate([trajectory.factors["t"] for trajectory in written])
    assert store.num_frames == len(every_frame) == 22
    rows = np.array([21, 0, 5, 5, 21, 3, 4])
    np.testing.assert_array_equal(store.frames(rows), every_frame[rows])
    np.testing.assert_array_equal(store.factors(rows)["t"], every_t[rows])
    np.testing.assert_array_equal(store.frames(range(22)), every_frame)
    np.testing.assert_array_equal(store.frames([7]), every_frame[[7]])
    assert store.frames([]).shape == (0, 4, 6, 3)
    assert store.rows(2) == range(9, 15)
    for rows_outside in ([22], [-1], [0, 99]):
        with pytest.raises(IndexError, match="from 0 to 21"):
            store.frames(rows_outside)
    for number in (4, -1):
        with pytest.raises(IndexError, match="from 0 to 3"):
            store.trajectory(number)


def test_factors_that_differ_between_levels_are_filled_up_with_nan(store: TrajectoryStore, counting: Counting) -> None:
    def with_factors(**factors: np.ndarray) -> Trajectory:
        plain = counting(0, steps=1)
        return Trajectory(plain.frames, plain.actions, plain.rewards, True, False, factors, plain.provenance)

    store.add(with_factors(light=np.float32([1, 2]), place=np.float32([[1, 2], [3, 4]])))
    store.add(with_factors(place=np.float32([[5, 6, 7], [8, 9, 10]])))
    store.add(with_factors())
    nan = np.nan
    found = store.factors([4, 2, 0, 1])
    np.testing.assert_array_equal(found["light"], np.float32([nan, nan, 1, 2]))
    np.testing.assert_array_equal(found["place"], np.float32([[nan] * 3, [5, 6, 7], [1, 2, nan], [3, 4, nan]]))
    assert store.factors([4, 5]) == {}


def test_summary_counts_levels_and_bytes(store: TrajectoryStore, counting: Counting) -> None:
    assert store.summary().levels == {}
    store.add_many([counting(0, 3, level="indoor"), counting(1, 4, level="outdoor"), counting(2, 5, level="indoor")])
    summary = store.summary()
    assert (summary.trajectories, summary.frames, summary.frame_shape) == (3, 15, (4, 6, 3))
    assert summary.levels == {
        "indoor": LevelSummary(trajectories=2, frames=10),
        "outdoor": LevelSummary(trajectories=1, frames=5),
    }
    assert summary.bytes == sum(file.stat().st_size for file in store.path.rglob("*") if file.is_file())
    assert summary.bytes > 15 * 4 * 6 * 3


def test_zstd_takes_less_room(tmp_path: Path) -> None:
    smooth = np.broadcast_to(np.arange(64, dtype=np.uint8)[:, None, None], (21, 64, 64, 3)).copy()
    smooth[..., 0] += np.arange(21, dtype=np.uint8)[:, None, None]  # no two frames alike
    trajectory = Trajectory(smooth, np.zeros(20, np.int64), np.zeros(20, np.float32), True, False)
    sizes = {}
    for compression in ("none", "zstd"):
        with TrajectoryStore.create(tmp_path / compression, compression=compression) as store:
            store.add(trajectory)
            np.testing.assert_array_equal(store.trajectory(0).frames, smooth)
            sizes[compression] = store.summary().bytes
    assert sizes["none"] > smooth.nbytes
    assert sizes["zstd"] < smooth.nbytes / 4


def test_add_many_is_all_or_nothing(store: TrajectoryStore, counting: Counting, same: Same) -> None:
    store.add(counting(0))
    with pytest.raises(StoreError, match=r"frames of one shape \(4, 6, 3\).*got \[\(4, 6, 3\), \(8, 8, 1\)\]"):
        store.add_many([counting(1), counting(2, size=(8, 8), channels=1)])
    unwritable = counting(3)
    object.__setattr__(unwritable.provenance, "level_arguments", {"function": print})
    with pytest.raises(ValueError, match="JSON"):
        store.add_many([counting(4), unwritable])
    with pytest.raises(ValueError, match="actions that are numbers"):
        store.add(Trajectory(unwritable.frames, np.array(list("abcde")), unwritable.rewards, True, False))
    with pytest.raises(ValueError, match="at least one"):
        store.add_many([])
    assert len(store) == 1
    assert store.add(counting(5)) == 1
    same(store.trajectory(1), counting(5))


def test_a_reader_sees_new_trajectories_when_it_asks(store: TrajectoryStore, counting: Counting, same: Same) -> None:
    reader = TrajectoryStore.open(store.path)  # opened while still empty
    store.add(counting(0))
    assert len(reader) == 0
    reader.refresh()
    same(reader.trajectory(0), counting(0))
    store.add(counting(1))
    assert reader.add(counting(2)) == 2  # adding looks first
    store.refresh()
    same(store.trajectory(2), counting(2))


def test_a_reader_outlives_a_merge_of_its_files(store: TrajectoryStore, counting: Counting, same: Same) -> None:
    for n in range(5):
        store.add(counting(n))
    reader = TrajectoryStore.open(store.path)
    store.add(counting(5))
    store.compact()  # removes every file the reader knows of
    same(reader.trajectory(4), counting(4))
    np.testing.assert_array_equal(reader.frames([0]), counting(0).frames[:1])


def test_open_or_create_opens_what_is_there(tmp_path: Path, counting: Counting) -> None:
    folder = tmp_path / "a" / "b"
    with TrajectoryStore.open_or_create(folder, compression="zstd") as store:
        store.add(counting(0))
    with TrajectoryStore.open_or_create(folder) as store:
        assert (len(store), store.summary().compression) == (1, "zstd")
    with pytest.raises(StoreError, match="new or empty folder"):
        TrajectoryStore.create(folder)
    assert len(TrajectoryStore(folder)) == 1


def test_a_closed_store_says_so(tmp_path: Path, counting: Counting) -> None:
    store = TrajectoryStore.create(tmp_path / "s")
    store.close()
    store.close()
    for use in (lambda: len(store), lambda: store.add(counting(0)), store.refresh, lambda: store.frames([0])):
        with pytest.raises(StoreError, match=r"after close\(\); open it again"):
            use()
