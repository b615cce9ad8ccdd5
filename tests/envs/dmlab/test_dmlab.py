"""The DMLab adapter against the double of its engine; each mistake known from other adapters is caught."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env as check_gymnasium
from stable_baselines3.common.env_checker import check_env as check_sb3

from perma_agent.envs import ACTIONS, factor_specs_of, make_level
from perma_agent.envs.dmlab.actions import ACTION_SETS
from perma_agent.envs.dmlab.level import DMLabLevel
from perma_agent.envs.factors import factor_specs, outside_range
from perma_agent.errors import LevelError

NATLAB = "natlab_varying_map_randomized"
ROOMS = "rooms_exploit_deferred_effects"
SHORT = {"episodeLengthSeconds": 1}  # 60 frames: 15 steps of 4
Make = Callable[..., Any]


def actions_mean_what_they_say(make: Make, engine: Any) -> None:
    expected = {
        "turn_left": {"LOOK_LEFT_RIGHT_PIXELS_PER_FRAME": -20},
        "turn_right": {"LOOK_LEFT_RIGHT_PIXELS_PER_FRAME": 20},
        "forward": {"MOVE_BACK_FORWARD": 1},
        "back": {"MOVE_BACK_FORWARD": -1},
        "use": {"FIRE": 1},
    }
    level = make(level=NATLAB)
    level.reset(seed=0)
    for number, action in enumerate(ACTIONS):
        level.step(number)
        assert {name: value for name, value in engine.lab.acted[-1].items() if value} == expected[action]


def actions_have_the_length_of_the_spec(make: Make, engine: Any) -> None:
    level = make(level=NATLAB, engine_arguments={"gadgetSelect": True})
    level.reset(seed=0)
    level.step(2)
    assert len(engine.lab.acted[-1]) == 8


def the_last_frame_is_kept(make: Make, engine: Any) -> None:
    level = make(level=NATLAB, engine_arguments=SHORT)
    frame, info = level.reset(seed=0)
    for step in range(15):
        before, pose = frame, info["factors"]
        frame, _, terminated, truncated, info = level.step(2)
        assert (terminated or truncated) == (step == 14) == info["frame_repeated"]
    assert np.array_equal(frame, before) and frame is not before
    assert all(np.array_equal(pose[name], values) for name, values in info["factors"].items())
    with pytest.raises(LevelError, match="call reset"):
        level.step(2)
    assert level.observation_space.contains(level.reset()[0])


def unseeded_episodes_differ_and_seeded_ones_do_not(make: Make, engine: Any) -> None:
    level = make(level=NATLAB)
    first = [level.reset(seed=5)[0], *(level.reset()[0] for _ in range(3))]
    again = [level.reset(seed=5)[0], *(level.reset()[0] for _ in range(3))]
    assert all(np.array_equal(one, other) for one, other in zip(first, again, strict=True))
    assert len({frame.tobytes() for frame in first}) == 4
    fresh = [make(level=NATLAB) for _ in range(2)]
    assert not np.array_equal(fresh[0].reset()[0], fresh[1].reset()[0])
    seeds = [seed for lab in engine.labs for seed in lab.seeds]
    assert len(set(seeds)) == 6 and all(0 <= seed < 2**31 for seed in seeds)
    assert max(seeds) > 2**24  # of 31 bits, not of 16


def an_unknown_level_is_an_error(make: Make, engine: Any) -> None:
    with pytest.raises(LevelError, match=f"'lt_chasm'; valid are .*{NATLAB}"):
        make(level="lt_chasm")
    with pytest.raises(LevelError, match="expected DeepMind Lab to open contributed/dmlab30/rooms_watermaze, got: Inv"):
        make(level="rooms_watermaze")  # a good name, but this engine lacks the file
    assert engine.labs == []


def actions_are_repeated_by_the_engine(make: Make, engine: Any) -> None:
    level = make(level=NATLAB)
    level.reset(seed=0)
    rewards = [level.step(2)[1] for _ in range(5)]
    assert engine.lab.repeats == [4] * 5 and engine.lab.num_steps() == 20
    assert rewards == [0, 0, 1, 0, 1]  # the 10th and the 20th frame pay
    level = make(level=NATLAB, action_repeat=20)
    level.reset(seed=0)
    assert level.step(2)[1] == 2


def settings_are_strings(make: Make, engine: Any) -> None:
    make(level=NATLAB, size=32, split="test", engine_arguments={"flag": True, "count": 3})
    assert engine.lab.settings == {
        "width": "32",
        "height": "32",
        "fps": "60",
        "mixerSeed": "1611489005",  # 0x600D5EED
        "allowHoldOutLevels": "true",
        "flag": "true",
        "count": "3",
    }


def the_clock_truncates_and_the_level_terminates(make: Make, engine: Any) -> None:
    for arguments, ends in [(SHORT, (False, True)), ({"endsAtFrame": 50}, (True, False))]:
        level = make(level=NATLAB, engine_arguments=arguments)
        level.reset(seed=0)
        flags = (False, False)
        while not any(flags):
            _, _, *flags, _ = level.step(0)
        assert tuple(flags) == ends


def splits_do_not_meet(make: Make, engine: Any) -> None:
    train, test = (make(level=NATLAB, split=split) for split in ("train", "test"))
    assert not np.array_equal(train.reset(seed=1)[0], test.reset(seed=1)[0])
    make(level=ROOMS)
    assert engine.lab.level == f"contributed/dmlab30/{ROOMS}_train"
    assert "allowHoldOutLevels" not in engine.lab.settings and engine.lab.settings["mixerSeed"] == "0"
    for name in (ROOMS, f"{ROOMS}_test", f"contributed/dmlab30/{ROOMS}_train"):
        make(level=name, split="test")
        assert engine.lab.level == f"contributed/dmlab30/{ROOMS}_test"


CONTRACT = (
    actions_mean_what_they_say,
    actions_have_the_length_of_the_spec,
    the_last_frame_is_kept,
    unseeded_episodes_differ_and_seeded_ones_do_not,
    an_unknown_level_is_an_error,
    actions_are_repeated_by_the_engine,
    settings_are_strings,
    the_clock_truncates_and_the_level_terminates,
    splits_do_not_meet,
)


@pytest.mark.parametrize("holds", CONTRACT)
def test_adapter_keeps_the_contract(holds: Callable[[Make, Any], None], engine: Any) -> None:
    holds(DMLabLevel, engine)


class SortedActions(DMLabLevel):
    """Shimmy's: values in the order of the sorted names."""

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**arguments)
        names = [part["name"] for part in self._lab.action_spec()]
        self._table = np.ascontiguousarray(self._table[:, [names.index(name) for name in sorted(names)]])


class WideActions(DMLabLevel):
    def __init__(self, **arguments: Any) -> None:
        super().__init__(**arguments)
        self._table = self._table.astype(np.int64)


class ListActions(DMLabLevel):
    def __init__(self, **arguments: Any) -> None:
        super().__init__(**arguments)
        self._table = self._table.tolist()


class SevenActions(DMLabLevel):
    def __init__(self, **arguments: Any) -> None:
        super().__init__(**arguments)
        self._table = np.ascontiguousarray(self._table[:, :7])


class LooksAfterTheEnd(DMLabLevel):
    """Shimmy's, and the engine's own dm_env module."""

    def step(self, action: Any) -> Any:
        _, *others = super().step(action)
        return (self._lab.observations()["RGB_INTERLEAVED"], *others)


class ConstantSeed(DMLabLevel):
    """dmlab-gym's."""

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        result = super().reset(seed=seed)
        if seed is None:
            self._lab.reset(episode=0, seed=1)
            self._look()
            return self._seen["RGB_INTERLEAVED"], self._info()
        return result


class EnginesSeed(DMLabLevel):
    """Leaves the seed to the engine, which draws one of its own."""

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        result = super().reset(seed=seed)
        self._lab.reset(seed=None)
        return result


class NumpySeed(DMLabLevel):
    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        super().reset(seed=seed)
        self._lab.reset(seed=self.np_random.integers(2**31))
        return self._seen["RGB_INTERLEAVED"], self._info()


class CountsEpisodes(DMLabLevel):
    """Seeds again, but lets the engine's count of episodes go on."""

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        result = super().reset(seed=seed)
        if seed is not None:
            self._lab.reset(episode=len(self._lab.episodes), seed=self._lab.seeds[-1])
            self._look()
            return self._seen["RGB_INTERLEAVED"], self._info()
        return result


class FallsBack(DMLabLevel):
    """Shimmy's: opens another level when one cannot be opened."""

    def __init__(self, *, level: str, **arguments: Any) -> None:
        try:
            super().__init__(level=level, **arguments)
        except LevelError:
            super().__init__(level=NATLAB, **arguments)


class RepeatsNothing(DMLabLevel):
    """Shimmy's and dmlab-gym's."""

    def step(self, action: Any) -> Any:
        whole, self._lab.step = self._lab.step, lambda values, num_steps: type(self._lab).step(self._lab, values)
        try:
            return super().step(action)
        finally:
            self._lab.step = whole


class NumbersAsSettings(DMLabLevel):
    def _settings(self) -> Any:
        return {"width": self.config.size, "height": self.config.size}


class PythonsBooleans(DMLabLevel):
    def _settings(self) -> Any:
        return {name: value.title() if value == "true" else value for name, value in super()._settings().items()}


class NeverTruncates(DMLabLevel):
    """Shimmy's."""

    def step(self, action: Any) -> Any:
        frame, reward, terminated, truncated, info = super().step(action)
        return frame, reward, terminated or truncated, False, info


class OneSplit(DMLabLevel):
    def _settings(self) -> Any:
        return {**super()._settings(), "mixerSeed": "0"}


@pytest.mark.parametrize(
    ("wrong", "caught_by", "how"),
    [
        (SortedActions, actions_mean_what_they_say, (AssertionError, LevelError)),
        (WideActions, actions_mean_what_they_say, LevelError),
        (ListActions, actions_mean_what_they_say, TypeError),
        (SevenActions, actions_have_the_length_of_the_spec, LevelError),
        (LooksAfterTheEnd, the_last_frame_is_kept, RuntimeError),
        (ConstantSeed, unseeded_episodes_differ_and_seeded_ones_do_not, AssertionError),
        (EnginesSeed, unseeded_episodes_differ_and_seeded_ones_do_not, (AssertionError, TypeError)),
        (NumpySeed, unseeded_episodes_differ_and_seeded_ones_do_not, ValueError),
        (CountsEpisodes, unseeded_episodes_differ_and_seeded_ones_do_not, AssertionError),
        (FallsBack, an_unknown_level_is_an_error, pytest.fail.Exception),
        (RepeatsNothing, actions_are_repeated_by_the_engine, AssertionError),
        (NumbersAsSettings, settings_are_strings, TypeError),
        (PythonsBooleans, splits_do_not_meet, LevelError),
        (NeverTruncates, the_clock_truncates_and_the_level_terminates, AssertionError),
        (OneSplit, splits_do_not_meet, AssertionError),
    ],
)
def test_every_known_mistake_is_caught(wrong: Make, caught_by: Any, how: Any, engine: Any) -> None:
    with pytest.raises(how):
        caught_by(wrong, engine)


def test_actions_follow_the_engines_order_whatever_it_is(engine: Any, rng: np.random.Generator) -> None:
    for _ in range(5):
        engine.spec = [engine.spec[place] for place in rng.permutation(len(engine.spec))]
        actions_mean_what_they_say(DMLabLevel, engine)


@pytest.mark.parametrize(("name", "count"), [("impala", 9), ("popart", 15)])
def test_action_sets_of_the_literature(name: str, count: int, engine: Any) -> None:
    level = DMLabLevel(level=NATLAB, actions=name)
    assert level.action_space == gym.spaces.Discrete(count)
    level.reset(seed=0)
    for number in range(count):
        level.step(number)
    acted = [{part: value for part, value in done.items() if value} for done in engine.lab.acted]
    assert acted == [dict(parts) for parts in ACTION_SETS[name]]
    assert len({str(parts) for parts in acted}) == count
    looks = {abs(parts.get("LOOK_LEFT_RIGHT_PIXELS_PER_FRAME", 0)) for parts in acted}
    assert looks == ({0, 20} if name == "impala" else {0, 10, 60})


def test_a_part_that_the_level_lacks(engine: Any) -> None:
    engine.spec = [part for part in engine.spec if part[0] != "FIRE"]
    with pytest.raises(LevelError, match="expected a level with the action FIRE, got one with LOOK_LEFT"):
        DMLabLevel(level=NATLAB)


def test_pose_has_our_names_and_conventions(engine: Any) -> None:
    level = DMLabLevel(level=NATLAB)
    level.reset(seed=0)
    lab = engine.lab
    lab.place[:], lab.angles[:] = (320.0, 64.0, 9.0), (0.0, 90.0, 0.0)  # looks along the engine's +y, our -z
    info = level.step(2)[4]  # 4 frames of 5 units
    assert {name: round(float(value[0]), 4) for name, value in info["factors"].items()} == {
        "x": 10.0,
        "z": -2.625,
        "heading": round(np.pi / 2, 4),
        "camera_pitch": 0.0,
    }
    lab.angles[:] = (30.0, -350.0, 0.0)  # looks down, a little left of +x
    info = level.step(4)[4]
    assert info["factors"]["camera_pitch"] == pytest.approx(-30)
    assert info["factors"]["heading"] == pytest.approx(np.radians(10))
    before = info["factors"]["heading"]
    after = level.step(ACTIONS.index("turn_left"))[4]["factors"]["heading"]
    assert after == pytest.approx(before + np.radians(20 * 4 * 6 / 57))  # anticlockwise is positive, as in ours
    ours = {spec.name: spec for spec in factor_specs(low=(0, 0), high=(1, 1))}
    for spec in factor_specs_of(level):
        assert (spec.unit, spec.shape, spec.meaning, spec.period) == (
            ours[spec.name].unit,
            ours[spec.name].shape,
            ours[spec.name].meaning,
            ours[spec.name].period,
        )
    assert outside_range(info["factors"], level.factor_specs) == []


def test_without_pose_nothing_is_asked_and_nothing_told(engine: Any) -> None:
    level = DMLabLevel(level=NATLAB, pose=False)
    assert level.reset(seed=0)[1]["factors"] == {} and level.factor_specs == ()
    assert engine.lab.observed == ["RGB_INTERLEAVED", "FRAMES_REMAINING_AT_60", "INSTR"]


@pytest.mark.parametrize("actions", sorted(ACTION_SETS))
@pytest.mark.filterwarnings("ignore:.*render_mode.*")
def test_checkers_of_gymnasium_and_sb3(actions: str, engine: Any) -> None:
    level = make_level("DMLab-natlab_varying_map_randomized-v0", render_mode="rgb_array", actions=actions)
    assert level.observation_space == gym.spaces.Box(0, 255, (64, 64, 3), np.uint8)
    check_gymnasium(level.unwrapped, skip_render_check=True)
    check_sb3(level, warn=True)
    level.close()
    assert engine.lab.closed
    level.close()


def test_success_is_half_way_to_a_human(engine: Any) -> None:
    level = DMLabLevel(level=NATLAB, engine_arguments={"pays": 12.5}, action_repeat=10)
    level.reset(seed=0)
    assert [level.step(2)[4]["is_success"] for _ in range(2)] == [False, True]  # of 24.848
    assert level.reset()[1]["is_success"] is False


def test_truncation_at_another_frame_rate(engine: Any) -> None:
    arguments = {"fps": 30, "episodeLengthSeconds": 1}  # 30 frames, of which each takes 2 off the clock
    level = DMLabLevel(level=NATLAB, engine_arguments=arguments, action_repeat=10)
    level.reset(seed=0)
    assert [level.step(0)[2:4] for _ in range(3)] == [(False, False), (False, False), (False, True)]


def test_catalogue_never_cuts_an_episode_before_the_engine(engine: Any) -> None:
    for repeat in (1, 4):
        level = make_level("lasertag_one_opponent_small", action_repeat=repeat, pose=False, size=16)
        level.reset(seed=0)
        steps, flags = 0, (False, False)
        while not any(flags):
            _, _, *flags, _ = level.step(0)
            steps += 1
        assert (steps * repeat, tuple(flags)) == (240 * 60, (False, True))


def test_names_of_dmlab30_are_levels(engine: Any) -> None:
    for name in (NATLAB, f"contributed/dmlab30/{NATLAB}", f"DMLab-{NATLAB}-v0"):
        make_level(name)
        assert engine.lab.level == f"contributed/dmlab30/{NATLAB}"
    make_level(f"{ROOMS}_test", split="test")
    assert engine.lab.level == f"contributed/dmlab30/{ROOMS}_test"


def test_level_cache(engine: Any, tmp_path: Path) -> None:
    for _ in range(2):
        level = DMLabLevel(level="explore_goal_locations_small", level_cache=tmp_path / "maps")
        level.reset(seed=3)
        level.reset()
    files = sorted((tmp_path / "maps").iterdir())
    assert len(files) == 2 and all(path.suffix == ".pk3" for path in files)
    files[0].write_bytes(b"half a m")
    level.reset(seed=4)  # another map
    with pytest.raises(LevelError, match=r"expected DeepMind Lab to start .*a damaged map"):
        for _ in range(2):
            level.reset(seed=3)
            level.reset()
    (tmp_path / "file").touch()
    with pytest.raises(LevelError, match="expected level_cache to be a folder that can be made"):
        DMLabLevel(level=NATLAB, level_cache=tmp_path / "file")


def test_pictures_for_people(engine: Any) -> None:
    plain = DMLabLevel(level=NATLAB, render_mode="rgb_array")
    with pytest.raises(LevelError, match="call reset"):
        plain.render()
    frame, _ = plain.reset(seed=0)
    assert "DEBUG.CAMERA.TOP_DOWN" not in engine.lab.observed
    assert np.array_equal(plain.render()[::8, ::8], frame)
    above = DMLabLevel(level=NATLAB, render_mode="rgb_array", view="top", temp_folder="/tmp", renderer="hardware")
    above.reset(seed=0)
    assert above.render().shape == (512, 512, 3)
    assert engine.lab.settings["maxAltCameraWidth"] == "512" and engine.lab.renderer == "hardware"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"split": "validation"}, "expected split to be one of train, test, got 'validation'"),
        ({"actions": "all"}, "expected actions to be one of common, impala, popart, got 'all'"),
        ({"size": 8}, "expected size to be a whole number from 16 to 512, got 8"),
        ({"action_repeat": 0}, "expected action_repeat to be a whole number from 1 to 60, got 0"),
        ({"renderer": "gpu"}, "expected renderer to be one of software, hardware, got 'gpu'"),
        ({"wdith": 8}, "expected arguments among action_repeat, .*split.*, got wdith"),
        ({"level": "rooms"}, "expected level to be a DMLab-30 name, got 'rooms'; valid are .*natlab_fixed_large_map"),
        ({"level": f"{ROOMS}_test"}, "expected split 'test' for the held-out level"),
        ({"engine_arguments": {"width": 3}}, "without width, height, mixerSeed, allowHoldOutLevels"),
        ({"engine_arguments": {"fps": "fast"}}, "expected DeepMind Lab to open .*, got: Failed to apply setting"),
    ],
)
def test_bad_arguments(arguments: dict[str, Any], words: str, engine: Any) -> None:
    with pytest.raises(LevelError, match=words) as caught:
        DMLabLevel(**{"level": NATLAB, **arguments})
    assert "\n" not in str(caught.value)


def test_bad_calls(engine: Any) -> None:
    level = DMLabLevel(level=NATLAB)
    with pytest.raises(LevelError, match="call reset"):
        level.step(0)
    level.reset(seed=0)
    with pytest.raises(ValueError, match="expected an action from 0 to 4, got 5"):
        level.step(5)
    level.close()
    with pytest.raises(LevelError, match=r"expected DeepMind Lab to start .*, got: closed"):
        level.reset()


def test_missing_engine_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "deepmind_lab", None)
    with pytest.raises(
        LevelError, match=r"expected DeepMind Lab, built with Bazel .*docs/dmlab.md.*, got none"
    ) as error:
        make_level(NATLAB)
    assert "\n" not in str(error.value)
