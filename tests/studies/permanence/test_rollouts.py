"""Rollouts in memory: the store's own frames made small, pairs within trajectories, splits between them."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from perma_agent.data import TrajectoryStore
from perma_agent.errors import FrameError
from perma_agent.evaluation.disentanglement import Settings, all_metrics
from perma_agent.studies.levels import LevelChoice
from perma_agent.studies.permanence.recording import STORE, RolloutConfig, record_rollouts
from perma_agent.studies.permanence.rollouts import RolloutData, read_rollouts

LENGTHS = (5, 3, 9, 4, 6, 5)


def made_up(lengths: tuple[int, ...] = LENGTHS, levels: tuple[int, ...] = (0, 1, 0, 1, 0, 1)) -> RolloutData:
    """Frames that say which row they are: pixel 0 of row n is n, and factor `row` is n."""
    rows = sum(lengths)
    frames = np.zeros((rows, 3, 2, 2), np.uint8)
    frames[:, 0, 0, 0] = np.arange(rows)
    return RolloutData(
        frames=frames,
        factors=np.stack([np.arange(rows), np.arange(rows) % 2], axis=1).astype(np.float32),
        factor_names=("row", "parity"),
        continuous=(True, False),
        dropped={"light": "constant"},
        trajectories=np.repeat(np.arange(len(lengths)), lengths),
        levels=np.repeat(levels, lengths),
        level_names=("in", "out"),
        policy="wanderer",
    )


@pytest.fixture(scope="module")
def folder(room: LevelChoice, tmp_path_factory: pytest.TempPathFactory) -> Path:
    config = RolloutConfig(levels=(room, LevelChoice(id="perma/OutdoorMaze-v0", arguments=room.arguments)), frames=240)
    return record_rollouts(tmp_path_factory.mktemp("rollouts") / "rooms", config)


def test_frames_are_the_stores_own_resized_by_area(folder: Path) -> None:
    data = read_rollouts(folder)
    with TrajectoryStore.open(folder / STORE) as store:
        assert len(data) == store.num_frames
        row = store.rows(3)[2]
        for size in (32, 24):  # at 32 a bilinear resize would be the same
            expected = cv2.resize(store.frames([row])[0], (size, size), interpolation=cv2.INTER_AREA)
            np.testing.assert_array_equal(read_rollouts(folder, size=size).frames[row].transpose(1, 2, 0), expected)
        truth = store.trajectory(3).factors
        mine = data.factors[data.trajectories == 3]
        np.testing.assert_array_equal(mine[:, data.factor_names.index("x")], truth["x"][:, 0])
        np.testing.assert_allclose(
            mine[:, data.factor_names.index("heading_sin")], np.sin(truth["heading"][:, 0]), atol=1e-6
        )
        assert read_rollouts(folder, size=64).frames[row].transpose(1, 2, 0).tobytes() == store.frames([row]).tobytes()
    assert data.frames.shape[1:] == (3, 32, 32)
    assert data.policy == "wanderer"
    assert data.level_names == ("perma/IndoorMaze-v0", "perma/OutdoorMaze-v0")
    assert np.isfinite(data.factors).all()


def test_light_and_camera_change_between_episodes_only(folder: Path) -> None:
    spreads = read_rollouts(folder).spreads
    assert all(spreads[name].within < 1e-9 for name in ("light", "camera_height", "camera_pitch", "camera_fov"))
    assert all(spreads[name].within > 0.05 for name in ("x", "z", "heading_cos", "heading_sin"))


def test_without_endings_each_trajectory_loses_its_last_frame(folder: Path) -> None:
    whole, cut = read_rollouts(folder), read_rollouts(folder, endings=False)
    last = np.append(np.diff(whole.trajectories) != 0, True)
    np.testing.assert_array_equal(cut.frames, whole.frames[~last])
    np.testing.assert_array_equal(cut.trajectories, whole.trajectories[~last])
    # Where the goal was touched it is gone in the last frame, and only there.
    assert "object_position[0,0]" in whole.dropped
    assert "object_position[0,0]" in cut.factor_names


def test_factors_as_their_own_code_are_disentangled(folder: Path) -> None:
    data = read_rollouts(folder).of_factors(["x", "z", "heading_cos", "heading_sin"])
    settings = Settings(boosted_dci=False, train_groups=100, test_groups=50)
    later, earlier = data.pair_rows(4)
    report = all_metrics(
        data.factors,
        data.factors,
        np.random.default_rng(0),
        changes=data.factors[later] - data.factors[earlier],
        continuous=data.continuous,
        settings=settings,
    )
    assert report.mcc_spearman.score == pytest.approx(1)
    np.testing.assert_array_equal(report.mcc_spearman.latents, range(4))
    assert report.dci_forest.disentanglement > 0.75  # x and z of a room are little tied, cosine and sine are


def test_pairs_lie_in_one_trajectory_at_their_offset(rng: np.random.Generator) -> None:
    data = made_up()
    drawn = data.pairs(offsets=(1, 4)).draw(2_000, rng=rng)
    later, earlier = (frames[:, 0, 0, 0].astype(int) for frames in (drawn.frames, drawn.earlier))
    np.testing.assert_array_equal(later - earlier, drawn.offsets)
    np.testing.assert_array_equal(data.trajectories[later], data.trajectories[earlier])
    assert set(drawn.offsets) == {1, 4}
    # (5-1)+(3-1)+(9-1)+(4-1)+(6-1)+(5-1) pairs one step apart and 1+0+5+0+2+1 four steps apart, and all of them come.
    assert len({(a, b) for a, b in zip(later, earlier, strict=True)}) == data.pairs(offsets=(1, 4)).num_pairs == 26 + 9


def test_an_offset_no_trajectory_is_long_enough_for_is_refused() -> None:
    with pytest.raises(ValueError, match=r"offsets of at most 8 steps, got \[9\]"):
        made_up().pairs(offsets=(1, 9))


def test_rows_of_pairs_are_all_there_are_or_as_many_as_asked(rng: np.random.Generator) -> None:
    data = made_up()
    later, earlier = data.pair_rows(4)
    assert len(later) == 9
    assert (later - earlier == 4).all()
    assert (data.trajectories[later] == data.trajectories[earlier]).all()
    few, _ = data.pair_rows(4, count=5, rng=rng)
    assert len(set(few)) == 5
    assert set(few) <= set(later)
    for options, sentence in (
        ({"offset": 9}, "trajectory of more than 9 steps, got none"),
        ({"offset": 0}, "offset of at least 1 step"),
        ({"offset": 4, "count": 10, "rng": rng}, "count from 1 to 9 pairs"),
        ({"offset": 4, "count": 2}, "expected rng"),
    ):
        with pytest.raises(ValueError, match=sentence):
            data.pair_rows(**options)


def test_a_split_goes_between_trajectories_of_each_level() -> None:
    data = made_up()
    train, test = data.split(test_share=1 / 3, seed=1)
    assert not set(train.trajectories) & set(test.trajectories)
    assert sorted([*train.factors[:, 0], *test.factors[:, 0]]) == list(range(sum(LENGTHS)))
    for level in ("in", "out"):
        assert len(set(test.of_level(level).trajectories)) == 1
    again = data.split(test_share=1 / 3, seed=1)[1]
    np.testing.assert_array_equal(test.frames, again.frames)
    others = {tuple(np.unique(data.split(test_share=1 / 3, seed=seed)[1].trajectories)) for seed in range(20)}
    assert len(others) > 3
    # Trajectories that are no longer neighbours are not taken for one.
    later, earlier = train.pair_rows(1)
    assert (train.factors[later, 0] - train.factors[earlier, 0] == 1).all()


def test_a_split_needs_two_trajectories_of_each_level() -> None:
    with pytest.raises(ValueError, match="at least two trajectories of out to split, got one"):
        made_up((4, 4, 4), (0, 1, 0)).split()
    with pytest.raises(ValueError, match=r"test_share in \(0, 1\), got 1"):
        made_up().split(test_share=1)


def test_factors_and_levels_are_chosen_by_name() -> None:
    data = made_up()
    turned = data.of_factors(["parity", "row"])
    np.testing.assert_array_equal(turned.factors, data.factors[:, ::-1])
    assert (turned.factor_names, turned.continuous) == (("parity", "row"), (False, True))
    assert data.of_level("out").factors[:, 0].tolist() == [*range(5, 8), *range(17, 21), *range(27, 32)]
    with pytest.raises(ValueError, match=r"factors among row, parity, got 'light' \(light is constant\)"):
        data.of_factors(["light"])
    with pytest.raises(ValueError, match="a level among in, out, got 'sea'"):
        data.of_level("sea")


def test_arrays_that_do_not_belong_together_are_refused() -> None:
    good = vars(made_up())
    for name, value, error, sentence in (
        ("frames", good["frames"][:, 0], FrameError, "with 4 axes"),
        ("factors", good["factors"][:3], ValueError, r"expected factors \[32, 2\]"),
        ("levels", good["levels"][:3], ValueError, "a trajectory and a level of each of 32 frames"),
    ):
        with pytest.raises(error, match=sentence):
            RolloutData(**{**good, name: value})


def test_a_size_must_be_positive(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="at least 1 pixel, got 0"):
        read_rollouts(tmp_path, size=0)
