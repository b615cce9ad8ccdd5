"""The dm_env adapter with a small world that plays by the interface's rules and breaks none in silence."""

from __future__ import annotations

from typing import Any

import dm_env
import gymnasium as gym
import numpy as np
import pytest
from dm_env import specs
from gymnasium.utils.env_checker import check_env as check_gymnasium
from hypothesis import given
from hypothesis import strategies as st
from stable_baselines3.common.env_checker import check_env as check_sb3

from perma_agent.envs import ACTIONS
from perma_agent.envs.dm_env.adapter import DMEnvLevel
from perma_agent.envs.dm_env.spaces import native_action, space_of
from perma_agent.envs.factors import FactorSpec
from perma_agent.errors import LevelError


class Line(dm_env.Environment):
    """An agent on a line: right end pays 1 and ends it (discount 0), left end pays 0 and ends it, as does time (1)."""

    def __init__(self, seed: int, *, size: int = 64, limit: int = 12, more: dict[str, Any] | None = None) -> None:
        self.seed, self.size, self.limit, self.more = seed, size, limit, more or {}
        self.random = np.random.default_rng(seed)
        self.canvas = np.zeros((size, size, 3), dtype=np.uint8)  # one memory for all frames, as in some engines
        self.running = self.closed = False
        self.done: list[int] = []

    def reset(self) -> dm_env.TimeStep:
        self.at, self.time, self.running = int(self.random.integers(-2, 3)), 0, True
        self.ground = int(self.random.integers(256))
        return dm_env.restart(self._observe())

    def step(self, action: Any) -> dm_env.TimeStep:
        if not self.running:
            return self.reset()
        self.action_spec().validate(action)
        self.done.append(int(action))
        self.at += (-1, 0, 1)[int(action)]
        self.time += 1
        self.running = abs(self.at) < 4 and self.time < self.limit
        if abs(self.at) == 4:
            return dm_env.termination(reward=float(self.at > 0), observation=self._observe())
        if not self.running:
            return dm_env.truncation(reward=0.25, observation=self._observe())
        return dm_env.transition(reward=0.25 * (action == 1), observation=self._observe(), discount=0.9)

    def action_spec(self) -> Any:
        return specs.DiscreteArray(3, dtype=np.int32)

    def observation_spec(self) -> Any:
        pictures = {"eye": specs.BoundedArray((self.size, self.size, 3), np.uint8, 0, 255)}
        return pictures | {"at": specs.Array((), np.float64)} | {name: spec for name, (spec, _) in self.more.items()}

    def close(self) -> None:
        self.closed = True

    def _observe(self) -> dict[str, Any]:
        self.canvas[:] = self.ground
        self.canvas[:, 8 * (self.at + 4) : 8 * (self.at + 4) + 2] = 255 - self.ground
        return {"eye": self.canvas, "at": np.float64(self.at)} | {name: value for name, (_, value) in self.more.items()}


TABLE = (0, 2, 2, 0, 1)  # for turn_left, turn_right, forward, back, use
PICTURE = (specs.BoundedArray((8, 8, 3), np.uint8, 0, 255), np.full((8, 8, 3), 7, dtype=np.uint8))


def test_ends_are_told_apart() -> None:
    level = DMEnvLevel(make=Line)
    for action, ends, success in [(2, (True, False), True), (0, (True, False), False), (1, (False, True), False)]:
        level.reset(seed=3)
        flags, info = (False, False), {}
        while not any(flags):
            assert not info.get("is_success", False)
            _, reward, *flags, info = level.step(action)
        assert (tuple(flags), info["is_success"]) == (ends, success)
        assert info["discount"] == float(ends[1])
        assert reward == {2: 1.0, 0: 0.0, 1: 0.25}[action]
        with pytest.raises(LevelError, match="call reset"):
            level.step(action)
    assert level.environment.done == [1] * 12  # nothing was lost in a reset that nobody asked for


def test_frames_are_the_episodes_own_to_the_last() -> None:
    level = DMEnvLevel(make=Line)
    frame, info = level.reset(seed=3)
    frames = [frame]
    while True:
        frame, _, terminated, truncated, _ = level.step(2)
        frames.append(frame)
        if terminated or truncated:
            break
    marks = [int(np.flatnonzero(frame[0, :, 0] != frame[0, 0, 0])[0]) for frame in frames[:-1]]
    assert np.diff(marks).tolist() == [8] * (len(marks) - 1)  # each its own memory
    assert not np.array_equal(frames[-1], frames[-2])  # dm_env has an observation at the end
    assert info["factors"] == {} and level.factor_specs == ()


def test_seeded_resets_repeat_and_others_go_on() -> None:
    level = DMEnvLevel(make=Line)
    first = [level.reset(seed=9)[0], *(level.reset()[0] for _ in range(4))]
    old = level.environment
    again = [level.reset(seed=9)[0], *(level.reset()[0] for _ in range(4))]
    assert old.closed and level.environment is not old and old.seed == level.environment.seed
    assert all(np.array_equal(one, other) for one, other in zip(first, again, strict=True))
    assert len({frame.tobytes() for frame in first}) == 5
    assert len({DMEnvLevel(make=Line).environment.seed for _ in range(4)}) == 4
    assert 0 <= old.seed < 2**31


class Careless(Line):
    """Draws from numpy's global generator, as dm_control's mazes do."""

    def reset(self) -> dm_env.TimeStep:
        super().reset()
        self.ground = int(np.random.randint(256))  # noqa: NPY002
        return dm_env.restart(self._observe())


def test_draws_from_numpys_global_generator_follow_the_seed_and_leave_it_alone() -> None:
    np.random.seed(1)  # noqa: NPY002
    expected = np.random.random(3)  # noqa: NPY002
    np.random.seed(1)  # noqa: NPY002
    level, other = DMEnvLevel(make=Careless), DMEnvLevel(make=Careless)
    alone = [level.reset(seed=9)[0], *(level.reset()[0] for _ in range(3))]
    assert len({int(frame[0, 0, 0]) for frame in alone}) == 4  # the ground, which is what it draws there
    together = []
    for seed in (9, None, None, None):
        together.append(level.reset(seed=seed)[0])
        other.reset()
        other.step(1)
    assert all(np.array_equal(one, another) for one, another in zip(alone, together, strict=True))
    assert np.array_equal(np.random.random(3), expected)  # noqa: NPY002


def test_repeats_stop_at_the_end_and_pay_together() -> None:
    level = DMEnvLevel(make=Line, action_repeat=5)
    level.reset(seed=0)
    assert [level.step(1)[1:4] for _ in range(3)] == [
        (1.25, False, False),
        (1.25, False, False),
        (0.5, False, True),
    ]
    assert len(level.environment.done) == 12


def test_a_table_gives_the_common_actions() -> None:
    level = DMEnvLevel(make=Line, actions=TABLE)
    assert level.action_space == gym.spaces.Discrete(len(ACTIONS))
    level.reset(seed=0)
    for number in (0, 1, 4):
        level.step(number)
    assert level.environment.done == [0, 2, 1]
    with pytest.raises(ValueError, match="expected an action from 0 to 4, got 5"):
        level.step(5)


def test_factors_success_and_drawn_frames() -> None:
    spec = FactorSpec(name="x", shape=(1,), low=-4, high=4, unit="m", meaning="Along the line.")
    level = DMEnvLevel(
        make=lambda seed: Line(seed, size=20),
        frame=lambda line: np.full((30, 40, 3), 10 * (line.at + 4), dtype=np.uint8),
        factors=lambda line: {"x": line.at},
        factor_specs=(spec,),
        success=lambda step: step.observation["at"] == 3,
    )
    frame, info = level.reset(seed=3)
    assert frame.shape == (64, 64, 3) and level.factor_specs == (spec,)
    while info["factors"]["x"] < 3:
        assert not info["is_success"]
        frame, *_, info = level.step(2)
        assert (frame == 10 * (info["factors"]["x"] + 4)).all()
    assert info["factors"]["x"].dtype == np.float32 and info["factors"]["x"].shape == (1,)
    assert info["is_success"]
    assert level.step(0)[4]["is_success"]  # once solved, solved


@pytest.mark.parametrize("arguments", [{}, {"actions": TABLE}, {"size": 32}])
@pytest.mark.filterwarnings("ignore:.*render_mode.*", "ignore:.*minimal resolution.*")
def test_checkers_of_gymnasium_and_sb3(arguments: dict[str, Any]) -> None:
    level = DMEnvLevel(make=Line, render_mode="rgb_array", **arguments)
    check_gymnasium(level, skip_render_check=True)
    check_sb3(level, warn=True)
    level.reset(seed=0)
    assert level.render().shape == (512, 512, 3)
    level.close()
    assert level.environment.closed


def test_picture_is_found_or_named() -> None:
    two = {"map": PICTURE}
    with pytest.raises(LevelError, match=r"one of the observations eye, map, or a function .*, got None"):
        DMEnvLevel(make=lambda seed: Line(seed, more=two))
    with pytest.raises(LevelError, match="got 'at'"):
        DMEnvLevel(make=Line, frame="at")
    level = DMEnvLevel(make=lambda seed: Line(seed, more=two), frame="map", size=16)
    assert (level.reset(seed=0)[0] == 7).all()
    buffered = {"map": (specs.Array((1, 8, 8, 3), np.uint8), PICTURE[1][None])}
    level = DMEnvLevel(make=lambda seed: Line(seed, more=buffered), frame="map", size=16)
    assert (level.reset(seed=0)[0] == 7).all()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"size": 8}, "expected size to be a whole number from 16 to 512, got 8"),
        ({"action_repeat": 0}, "expected action_repeat to be a whole number from 1 to 60, got 0"),
        ({"split": "test"}, "expected arguments among action_repeat, actions, .*make.*, got split"),
        ({"actions": ()}, "expected actions to be a table of one action or more"),
        ({"actions": (0, 3)}, "expected actions that fit DiscreteArray.*, got 3"),
        ({"make": lambda seed: gym.make("CartPole-v1")}, r"expected make\(seed\) to return a dm_env.Environment"),
    ],
)
def test_bad_arguments(arguments: dict[str, Any], words: str) -> None:
    with pytest.raises(LevelError, match=words) as caught:
        DMEnvLevel(**{"make": Line, **arguments})
    assert "\n" not in str(caught.value)


def test_frames_that_are_none() -> None:
    level = DMEnvLevel(make=Line, frame=lambda line: np.zeros((3, 8, 8)))
    with pytest.raises(LevelError, match=r"expected frames of uint8 in \[height, width, 3\], got float64 \(3, 8, 8\)"):
        level.reset()


SPECS: list[tuple[Any, gym.Space[Any]]] = [
    (specs.DiscreteArray(4), gym.spaces.Discrete(4)),
    (specs.BoundedArray((), np.int32, -2, 3), gym.spaces.Discrete(6, start=-2)),
    (specs.BoundedArray((2,), np.int64, [0, -1], [1, 1]), gym.spaces.MultiDiscrete([2, 3], start=[0, -1])),
    (
        specs.BoundedArray((2,), np.float64, -0.1, [0.1, 3]),
        gym.spaces.Box(np.float32([-0.1] * 2), np.float32([0.1, 3])),
    ),
    (specs.Array((3,), np.float32), gym.spaces.Box(-np.inf, np.inf, (3,))),
    (
        {"turn": specs.BoundedArray((1,), np.float64, -1, 1), "act": specs.DiscreteArray(2)},
        gym.spaces.Dict({"turn": gym.spaces.Box(-1, 1, (1,)), "act": gym.spaces.Discrete(2)}),
    ),
    (
        (specs.DiscreteArray(2), specs.DiscreteArray(3)),
        gym.spaces.Tuple([gym.spaces.Discrete(2), gym.spaces.Discrete(3)]),
    ),
]


@pytest.mark.parametrize(("spec", "space"), SPECS)
def test_spaces_of_specs(spec: Any, space: gym.Space[Any]) -> None:
    assert space_of(spec) == space


def leaves(spec: Any, action: Any) -> list[tuple[Any, Any]]:
    if isinstance(spec, dict):
        return [pair for name, part in spec.items() for pair in leaves(part, action[name])]
    if isinstance(spec, tuple):
        return [pair for part, value in zip(spec, action, strict=True) for pair in leaves(part, value)]
    return [(spec, action)]


@given(which=st.integers(0, len(SPECS) - 1), seed=st.integers(0, 2**31 - 1))
def test_every_action_of_the_space_is_one_of_the_spec(which: int, seed: int) -> None:
    spec, _ = SPECS[which]
    space = space_of(spec)
    space.seed(seed)
    for part, action in leaves(spec, native_action(spec, space.sample())):
        assert part.validate(action).dtype == part.dtype
    if isinstance(space, gym.spaces.Box) and space.is_bounded():
        spec.validate(native_action(spec, space.high))  # float32(0.1) lies past 0.1
        spec.validate(native_action(spec, space.low))


@pytest.mark.parametrize("spec", [specs.StringArray(()), specs.Array((2,), np.int32), 3])
def test_specs_without_a_space(spec: Any) -> None:
    with pytest.raises(LevelError, match="expected actions that are numbers"):
        space_of(spec)
