"""Recording: the same for the same seed, kept if there, begun anew if cut off, refused if it is of other settings."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from perma_agent.data import TrajectoryStore
from perma_agent.errors import LevelError, StoreError
from perma_agent.studies.levels import LevelChoice
from perma_agent.studies.permanence.recording import (
    APART,
    HELD_OUT,
    SETTINGS,
    STORE,
    RolloutConfig,
    open_rollouts,
    record_rollouts,
)


@pytest.fixture
def config(room: LevelChoice) -> RolloutConfig:
    return RolloutConfig(levels=(room,), frames=40, copies=2, seed=3)


def frames_of(folder: Path) -> np.ndarray:
    with TrajectoryStore.open(folder / STORE) as store:
        return store.frames(range(store.num_frames))


def test_the_same_seed_records_the_same_and_held_out_ones_something_else(config: RolloutConfig, tmp_path: Path) -> None:
    counted: list[int] = []
    one = record_rollouts(tmp_path / "one", config, on_frames=counted.append)
    assert counted == [2] * 20
    np.testing.assert_array_equal(frames_of(one), frames_of(record_rollouts(tmp_path / "two", config)))
    held_out = record_rollouts(tmp_path / "held_out", replace(config, held_out=True))
    with TrajectoryStore.open(held_out / STORE) as store:
        first = {store.provenance(number).seed for number in range(2)}
        assert first == {1_000_003_000, 1_000_003_001}
    assert not np.array_equal(frames_of(one)[:5], frames_of(held_out)[:5])


def test_no_two_seeds_share_a_level_seed() -> None:
    configs = [
        RolloutConfig(seed=seed, copies=APART, held_out=held) for seed in (0, 1, 999_999) for held in (False, True)
    ]
    spans = sorted((config.first_seed, config.first_seed + config.copies) for config in configs)
    assert all(before[1] <= after[0] for before, after in itertools.pairwise(spans))
    assert spans[-1][1] <= 2**31


def test_what_is_recorded_already_is_kept(
    config: RolloutConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = record_rollouts(tmp_path / "rollouts", config)
    monkeypatch.setattr("perma_agent.studies.permanence.recording.make_level", lambda *_, **__: pytest.fail("engine"))
    before = (folder / SETTINGS).stat().st_mtime_ns, frames_of(folder)
    record_rollouts(folder, config, on_frames=lambda count: pytest.fail("recorded again"))
    assert (folder / SETTINGS).stat().st_mtime_ns == before[0]
    np.testing.assert_array_equal(frames_of(folder), before[1])


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"seed": 4}, "expected rollouts of seed 4 in .*, got 3; take another folder"),
        ({"frames": 42}, "expected rollouts of frames 42"),
        ({"policy": "random"}, "expected rollouts of policy random"),
        ({"levels": (LevelChoice(id="perma/OutdoorMaze-v0"),)}, "expected rollouts of levels .*Outdoor.* got .*Indoor"),
    ],
)
def test_rollouts_of_other_settings_are_refused(
    config: RolloutConfig, tmp_path: Path, change: dict[str, object], sentence: str
) -> None:
    folder = record_rollouts(tmp_path / "rollouts", config)
    with pytest.raises(StoreError, match=sentence):
        record_rollouts(folder, replace(config, **change))


def test_a_store_that_says_it_is_of_another_policy_is_refused(config: RolloutConfig, tmp_path: Path) -> None:
    folder = record_rollouts(tmp_path / "rollouts", config)
    other = record_rollouts(tmp_path / "other", replace(config, policy="random"))
    (folder / STORE).rename(tmp_path / "aside")
    (other / STORE).rename(folder / STORE)
    with pytest.raises(StoreError, match=r"expected the policy 'wanderer' in .*, got 'random'"):
        record_rollouts(folder, config)


def test_a_recording_that_was_cut_off_is_begun_anew(config: RolloutConfig, tmp_path: Path) -> None:
    folder = tmp_path / "rollouts"
    steps: list[int] = []

    def killed(count: int) -> None:
        steps.append(count)
        if len(steps) == 18:  # one episode of 15 steps is in the store by then
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        record_rollouts(folder, config, on_frames=killed)
    assert (folder / STORE).exists()
    with pytest.raises(StoreError, match=r"expected finished rollouts in .*, got a recording that was cut off"):
        open_rollouts(folder)
    record_rollouts(folder, config)
    np.testing.assert_array_equal(frames_of(folder), frames_of(record_rollouts(tmp_path / "whole", config)))


def test_a_folder_of_something_else_is_left_alone(config: RolloutConfig, tmp_path: Path) -> None:
    (tmp_path / STORE).mkdir()
    (tmp_path / STORE / "thesis.txt").write_text("precious")
    with pytest.raises(StoreError, match="got one with other files; take another"):
        record_rollouts(tmp_path, config)
    assert (tmp_path / STORE / "thesis.txt").read_text() == "precious"


def test_an_unknown_level_leaves_no_folder(config: RolloutConfig, tmp_path: Path) -> None:
    with pytest.raises(LevelError, match="did you mean"):
        record_rollouts(tmp_path / "new", replace(config, levels=(LevelChoice(id="perma/IndoorMazes-v0"),)))
    assert not (tmp_path / "new").exists()


def test_any_policy_may_act_under_its_name(config: RolloutConfig, tmp_path: Path) -> None:
    seen: list[tuple[int, ...]] = []

    def turn(observations: np.ndarray) -> np.ndarray:
        seen.append(observations.shape)
        return np.zeros(2, dtype=np.int64)

    with pytest.raises(ValueError, match="expected the policy 'wanderer' or 'random', got 'turner'; pass it as act"):
        record_rollouts(tmp_path / "rollouts", replace(config, policy="turner"))
    folder = record_rollouts(tmp_path / "rollouts", replace(config, policy="turner"), act=turn)
    assert seen[0] == (2, 64, 64, 3)
    with TrajectoryStore.open(folder / STORE) as store:
        assert store.provenance(0).policy == "turner"
        assert (store.trajectory(0).actions == 0).all()


def test_the_random_policy_draws_each_action_anew(config: RolloutConfig, tmp_path: Path) -> None:
    folder = record_rollouts(tmp_path / "rollouts", replace(config, policy="random", frames=200))
    with TrajectoryStore.open(folder / STORE) as store:
        actions = np.concatenate([store.trajectory(number).actions for number in range(len(store))])
    assert set(actions) == set(range(5))
    assert (actions[1:] == actions[:-1]).mean() < 0.35  # the wanderer repeats itself more than three times out of four


def test_settings_hold_what_the_factors_mean(config: RolloutConfig, tmp_path: Path) -> None:
    folder = record_rollouts(tmp_path / "rollouts", config)
    store, settings, specs = open_rollouts(folder)
    store.close()
    assert settings["levels"][0]["id"] == "perma/IndoorMaze-v0"
    assert {spec.name: spec.period for spec in specs}["heading"] == pytest.approx(2 * np.pi)
    assert {spec.name: spec.shape for spec in specs}["object_position"] == (8, 2)


@pytest.mark.parametrize(
    ("text", "sentence"), [("{", "expected JSON in"), (json.dumps({"seed": 1}), "got something else")]
)
def test_damaged_settings_are_told(config: RolloutConfig, tmp_path: Path, text: str, sentence: str) -> None:
    (tmp_path / SETTINGS).write_text(text)
    with pytest.raises(StoreError, match=sentence):
        record_rollouts(tmp_path, config)
    with pytest.raises(StoreError, match=sentence):
        open_rollouts(tmp_path)


def test_no_rollouts(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"got no rollouts\.json there; record them first"):
        open_rollouts(tmp_path)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"levels": ()}, "a copy or more of each level"),
        ({"copies": 0}, "a copy or more of each level, .* got 0 for 1"),
        ({"copies": APART + 1}, "at most 1000, got 1001"),
        ({"frames": 0}, "at least one frame"),
        ({"policy": ""}, "a policy's name"),
        ({"seed": -1}, "a seed from 0 to 999999"),
        ({"seed": HELD_OUT}, "a seed from 0 to 999999"),
    ],
)
def test_settings_out_of_range(fields: dict[str, object], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        RolloutConfig(**fields)
