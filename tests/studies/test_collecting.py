"""Collecting: the wanderer walks as it says, and each recording is its own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from perma_agent.data import TrajectoryStore
from perma_agent.envs import ACTIONS
from perma_agent.errors import LevelError, StoreError
from perma_agent.studies.collecting import KEPT, PREFERENCE, Wanderer, collect
from perma_agent.studies.levels import LevelChoice, make_copies


def test_the_wanderer_keeps_its_action_and_prefers_forward(rng: np.random.Generator) -> None:
    act = Wanderer(500, rng=rng)
    steps = np.stack([act().copy() for _ in range(200)])
    shares = np.array([PREFERENCE[name] for name in ACTIONS])
    shares /= shares.sum()
    found = np.bincount(steps.ravel(), minlength=len(ACTIONS)) / steps.size
    np.testing.assert_allclose(found, shares, atol=0.02)
    # The same action follows if it is kept, or drawn again by chance.
    expected = KEPT + (1 - KEPT) * (shares**2).sum()
    assert (steps[1:] == steps[:-1]).mean() == pytest.approx(expected, abs=0.01)


def test_the_wanderer_follows_its_generator() -> None:
    one, again = (Wanderer(4, rng=np.random.default_rng(3)) for _ in range(2))
    np.testing.assert_array_equal([one() for _ in range(20)], [again() for _ in range(20)])


def test_frames_are_counted_and_episodes_whole(room: LevelChoice, tmp_path: Path) -> None:
    counted: list[int] = []
    with collect([room], tmp_path / "store", frames=61, copies=2, on_frames=counted.append) as store:
        assert counted == [2] * 31
        trajectories = len(store)
        assert store.num_frames == 62 + trajectories  # each has one frame more than steps
        assert {store.provenance(number).policy for number in range(trajectories)} == {"wanderer"}


def test_the_same_seed_records_the_same_into_a_new_store_and_others_into_an_old_one(
    room: LevelChoice, tmp_path: Path
) -> None:
    options = {"frames": 40, "copies": 2, "seed": 4}
    with collect([room], tmp_path / "one", **options) as one, collect([room], tmp_path / "two", **options) as two:
        assert len(one) == len(two)
        np.testing.assert_array_equal(one.frames(range(one.num_frames)), two.frames(range(two.num_frames)))
        count, rows = len(one), one.num_frames
    with collect([room], tmp_path / "one", **options) as more:
        assert [more.provenance(number).seed for number in (0, 1)] == [4, 5]
        seeds = [more.provenance(number).seed for number in range(count, len(more))]
        assert {4 + count, 5 + count} <= set(seeds)
        assert not np.array_equal(more.frames([0]), more.frames([rows]))


def test_it_ends_when_asked_to(room: LevelChoice, tmp_path: Path) -> None:
    with collect([room], tmp_path / "store", frames=9999, copies=1, on_frames=lambda count: False) as store:
        assert store.num_frames == 2


def test_an_unknown_level_leaves_no_store(tmp_path: Path) -> None:
    with pytest.raises(LevelError, match="did you mean"):
        collect([LevelChoice(id="perma/IndoorMazes-v0")], tmp_path / "store", frames=10)
    assert not (tmp_path / "store").exists()


def test_levels_are_closed_when_the_store_cannot_be_opened(
    room: LevelChoice, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed: list[bool] = []
    venv = make_copies([room], copies=1)
    monkeypatch.setattr(venv, "close", lambda: closed.append(True))
    monkeypatch.setattr("perma_agent.studies.collecting.make_copies", lambda choices, copies: venv)
    (tmp_path / "thesis.txt").write_text("precious")
    with pytest.raises(StoreError, match=r"without store\.json"):
        collect([room], tmp_path, frames=10)
    assert closed == [True]


def test_copies_take_the_choices_in_turn(room: LevelChoice) -> None:
    other = LevelChoice(id="perma/OutdoorMaze-v0", arguments=room.arguments)
    venv = make_copies([room, other], copies=3)
    ids = [spec.id for spec in venv.get_attr("spec")]
    venv.close()
    assert ids == ["perma/IndoorMaze-v0", "perma/OutdoorMaze-v0", "perma/IndoorMaze-v0"]
    assert (room.setting, other.setting) == ("indoor", "outdoor")


@pytest.mark.parametrize(("choices", "copies"), [([], 1), ([LevelChoice(id="perma/IndoorMaze-v0")], 0)])
def test_nothing_to_copy(choices: list[LevelChoice], copies: int) -> None:
    with pytest.raises(ValueError, match="at least one level and one copy"):
        make_copies(choices, copies=copies)


def test_the_store_it_gives_is_open_and_up_to_date(room: LevelChoice, tmp_path: Path) -> None:
    store = collect([room], tmp_path / "store", frames=20, copies=1)
    with TrajectoryStore.open(tmp_path / "store") as reopened:
        assert len(store) == len(reopened) > 0
    store.close()
