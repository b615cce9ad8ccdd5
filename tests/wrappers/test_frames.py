"""Frames come out small, uniform and uint8, whatever form the level's pictures have."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.utils.env_checker import check_env
from hypothesis import given, settings
from hypothesis import strategies as st

from perma_agent.errors import FrameError
from perma_agent.wrappers import ObserveFrames
from perma_agent.wrappers.frames import FrameView

Level = Callable[..., gym.Env]


class Showing(gym.Env[Any, Any]):
    """A level that always shows one observation."""

    metadata: dict[str, Any] = {"render_modes": []}  # noqa: RUF012
    action_space = spaces.Discrete(2)

    def __init__(self, observation: Any, space: spaces.Space | None = None) -> None:
        self.shown = observation
        self.observation_space = space or spaces.Box(0, 255, observation.shape, np.uint8)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        return self.shown, {}

    def step(self, action: int) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        return self.shown, 0.0, False, False, {}


def test_area_averaging_by_hand() -> None:
    """Each pixel of the smaller frame is the mean of nine of the larger; no single one is passed over."""
    picture = np.zeros((6, 6, 3), dtype=np.uint8)
    picture[:3, :3, 0] = [[45, 0, 45], [0, 0, 0], [45, 45, 45]]  # 225 / 9
    picture[3:, 3:, 2] = [[0, 0, 0], [0, 225, 0], [0, 0, 225]]  # 450 / 9
    frame, _ = ObserveFrames(Showing(picture), size=2).reset()
    expected = np.zeros((2, 2, 3), dtype=np.uint8)
    expected[0, 0, 0], expected[1, 1, 2] = 25, 50
    np.testing.assert_array_equal(frame, expected)


def test_grey_is_luma() -> None:
    """0.299 R + 0.587 G + 0.114 B: pure red, green, blue and white."""
    picture = np.uint8([[[255, 0, 0], [0, 255, 0]], [[0, 0, 255], [255, 255, 255]]])
    frame, _ = ObserveFrames(Showing(picture), size=2, grey=True).reset()
    np.testing.assert_array_equal(frame[..., 0], [[76, 150], [29, 255]])


@settings(max_examples=60, deadline=None)
@given(
    sides=st.tuples(st.integers(4, 20), st.integers(4, 20)),
    channels=st.sampled_from([1, 3, None]),
    first=st.booleans(),
    size=st.integers(1, 24),
    grey=st.booleans(),
    key=st.sampled_from([None, "view"]),
    seed=st.integers(0, 1000),
)
def test_every_form_gives_the_same_frame(
    sides: tuple[int, int], channels: int | None, first: bool, size: int, grey: bool, key: str | None, seed: int
) -> None:
    picture = np.random.default_rng(seed).integers(0, 256, (*sides, channels or 1), dtype=np.uint8)
    plain, _ = ObserveFrames(Showing(picture), size=size, grey=grey).reset()
    form = picture[..., 0] if channels is None else np.moveaxis(picture, -1, 0) if first else picture
    observation: Any = form
    space: spaces.Space = spaces.Box(0, 255, form.shape, np.uint8)
    if key:
        observation = {"view": form, "speed": np.zeros(2, np.float32)}
        space = spaces.Dict({"view": space, "speed": spaces.Box(-1, 1, (2,), np.float32)})
    env = ObserveFrames(Showing(observation, space), size=size, grey=grey)
    frame, _ = env.reset()
    np.testing.assert_array_equal(frame, plain)
    assert frame in env.observation_space
    assert env.observation_space == spaces.Box(0, 255, (size, size, 1 if grey else 3), np.uint8)
    assert env.untouched is observation
    if sides == (size, size) and channels == (1 if grey else 3):
        np.testing.assert_array_equal(frame, picture)  # nothing to do: no pixel changes


def test_the_key_chooses_between_pictures(level: Level) -> None:
    box = spaces.Box(0, 255, (4, 4, 3), np.uint8)
    shown = {"view": np.full((4, 4, 3), 1, np.uint8), "map": np.full((4, 4, 3), 2, np.uint8)}
    env = Showing(shown, spaces.Dict({"view": box, "map": box}))
    assert (ObserveFrames(env, size=2, frame_key="map").reset()[0] == 2).all()
    with pytest.raises(FrameError, match=r"got \['map', 'view'\].*name one with frame_key"):
        ObserveFrames(env)
    with pytest.raises(FrameError, match="got 'sound'"):
        ObserveFrames(env, frame_key="sound")
    with pytest.raises(FrameError, match="leave frame_key out"):
        ObserveFrames(level(), frame_key="view")


@pytest.mark.parametrize(
    "space",
    [
        spaces.Box(0, 1, (8, 8, 3), np.float32),
        spaces.Box(0, 1, (8, 8, 3), np.uint8),
        spaces.Box(0, 255, (8, 8, 12), np.uint8),
        spaces.Box(0, 255, (8,), np.uint8),
        spaces.Discrete(5),
        spaces.Dict({"speed": spaces.Box(-1, 1, (2,), np.float32)}),
    ],
    ids=["floats", "flags", "a stack", "a vector", "a number", "a dict without"],
)
def test_what_is_not_a_picture_is_refused(space: spaces.Space) -> None:
    with pytest.raises(FrameError, match="expected"):
        ObserveFrames(Showing(np.zeros(1), space))


def test_size_is_checked(level: Level) -> None:
    with pytest.raises(ValueError, match="at least 1 pixel"):
        ObserveFrames(level(), size=0)


def test_rewards_ends_and_infos_pass_through(level: Level) -> None:
    env, bare = ObserveFrames(level(lengths=(2,)), size=3), level(lengths=(2,))
    assert env.untouched is None
    np.testing.assert_equal(env.reset(seed=1)[1], bare.reset(seed=1)[1])
    for action in (3, 5):
        np.testing.assert_equal(env.step(action)[1:], bare.step(action)[1:])


def test_gymnasium_finds_nothing_to_complain_about() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (60, 80, 3), dtype=np.uint8)
    check_env(ObserveFrames(Showing(picture)), skip_render_check=True)


def test_it_can_be_made_again_from_its_spec(level: Level) -> None:
    gym.register("Pictures-v0", entry_point=level)
    try:
        spec = ObserveFrames(gym.make("Pictures-v0"), size=8, grey=True).spec
        again = gym.make(spec)
        assert again.observation_space.shape == (8, 8, 1)
    finally:
        del gym.registry["Pictures-v0"]


def test_a_batch_is_viewed_at_once() -> None:
    view = FrameView.of(spaces.Box(0, 255, (3, 4, 5), np.uint8))
    batch = np.arange(2 * 60, dtype=np.uint8).reshape(2, 3, 4, 5)
    assert view.shape == (4, 5, 3)
    np.testing.assert_array_equal(view(batch), batch.transpose(0, 2, 3, 1))
    assert np.shares_memory(view(batch), batch)
