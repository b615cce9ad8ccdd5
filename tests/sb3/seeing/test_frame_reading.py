"""Every kind of image observation becomes the frames that the model looks at, by one rule."""

from __future__ import annotations

import copy
from typing import Any

import gymnasium
import numpy as np
import pytest
import torch
from gymnasium import spaces
from stable_baselines3.common.preprocessing import preprocess_obs
from stable_baselines3.common.utils import obs_as_tensor
from stable_baselines3.common.vec_env import VecTransposeImage

from perma_agent.errors import FrameError
from perma_agent.models import VASEConfig
from perma_agent.sb3.seeing.frame_reading import FrameReading
from perma_agent.wrappers import ObserveFrames

COLOUR = VASEConfig(image_size=40, filters=(4, 4))
GREY = VASEConfig(channels=1, image_size=40, filters=(4, 4))
ROUNDING = 0.75 / 255
"""OpenCV rounds to whole pixel values (by up to .72 where it enlarges, in fixed point); the reading does not."""


def read(reading: FrameReading, space: spaces.Space, observations: Any, **options: Any) -> torch.Tensor:
    tensors = obs_as_tensor(observations, torch.device("cpu"))
    return reading.frames(preprocess_obs(tensors, space, **options))


@pytest.mark.parametrize("normalize_images", [True, False])
@pytest.mark.parametrize("transposed", [True, False])
def test_frames_and_rest_as_by_hand(pictures, kind, by_hand, transposed, normalize_images):
    venv = pictures(kind)
    image = kind.others or kind.axes in ("HWC", "CHW")
    if transposed and kind.axes == "HWC" and kind.pixels is np.uint8 and image:
        venv = VecTransposeImage(venv)  # as SB3 does to levels, but not to those inside EncodedObservation
    elif transposed:
        return
    space = venv.observation_space
    channels = kind.asks.get("frame_channels")
    reading = FrameReading.of(space, model=COLOUR, frame_channels=channels, normalize_images=normalize_images)
    venv.reset()
    observations, *_ = venv.step(np.array([1, 2]))
    frames_by_hand, rest_by_hand = by_hand
    expected = frames_by_hand(kind, observations, transposed=transposed)
    found = read(reading, space, observations, normalize_images=normalize_images)
    assert found.shape == (2, kind.stack, 3, 40, 40) and 0 <= found.min() < found.max() <= 1
    assert np.abs(found.numpy() - expected / 255.0).max() < ROUNDING
    rest = reading.rest(preprocess_obs(obs_as_tensor(observations, torch.device("cpu")), space))
    if kind.others:
        assert np.allclose(rest.numpy(), rest_by_hand(kind, observations)) and rest.shape[1] == reading.num_others
    else:
        assert rest is None and reading.num_others == 0


def test_newest_pixels_are_what_a_learner_is_shown(pictures, kind, by_hand):
    venv = pictures(kind)
    reading = FrameReading.of(venv.observation_space, model=COLOUR, frame_channels=kind.asks.get("frame_channels"))
    venv.reset()
    rows = [copy.deepcopy(venv.step(np.array([1, step % 3]))[0]) for step in range(3)]
    buffered = {name: np.stack([row[name] for row in rows]) for name in rows[0]} if kind.others else np.stack(rows)
    found = reading.newest_pixels(buffered)
    assert found.shape == (3, 2, 3, 40, 40) and found.dtype == np.uint8
    for row, pixels in zip(rows, found, strict=True):
        expected = by_hand[0](kind, row, transposed=False)[:, -1]
        assert np.abs(pixels.astype(int) - expected.astype(int)).max() <= 1


def test_pixels_of_the_right_shape_are_not_copied():
    space = spaces.Box(0, 255, (9, 40, 40), np.uint8)
    observations = np.zeros((5, 2, 9, 40, 40), dtype=np.uint8)
    found = FrameReading.of(space, model=COLOUR).newest_pixels(observations)
    assert found.shape == (5, 2, 3, 40, 40) and np.shares_memory(found, observations)


def test_many_pixels_are_turned_in_parts(monkeypatch):
    space = spaces.Box(0, 255, (8, 8, 3), np.uint8)
    reading = FrameReading.of(space, model=COLOUR)
    observations = np.random.default_rng(0).integers(0, 256, (7, 1, 8, 8, 3), dtype=np.uint8)
    whole = reading.newest_pixels(observations)
    monkeypatch.setattr("perma_agent.sb3.seeing.frame_reading.AT_ONCE", 3)
    assert np.array_equal(reading.newest_pixels(observations), whole)


class Static(gymnasium.Env):
    """Always the same picture."""

    def __init__(self, picture: np.ndarray) -> None:
        self.observation_space = spaces.Box(0, 255, picture.shape, np.uint8)
        self.action_space = spaces.Discrete(2)
        self.picture = picture

    def reset(self, *, seed=None, options=None):
        return self.picture, {}


@pytest.mark.parametrize("model", [COLOUR, GREY])
@pytest.mark.parametrize("shape", [(60, 80, 3), (60, 80, 1), (60, 80), (3, 40, 40), (97, 93, 3)])
def test_as_observe_frames_shows_them(model, shape):
    # Frames recorded through the wrapper and frames read off a bare level are the same pictures.
    picture = np.random.default_rng(1).integers(0, 256, shape, dtype=np.uint8)
    wrapped, _ = ObserveFrames(Static(picture), size=40, grey=model.channels == 1).reset()
    space = spaces.Box(0, 255, shape, np.uint8)
    found = read(FrameReading.of(space, model=model), space, picture[None])[0, 0]
    rounding = 2 * ROUNDING if model.channels == 1 else ROUNDING  # the wrapper rounds grey once more
    assert np.abs(found.permute(1, 2, 0).numpy() - wrapped / 255.0).max() < rounding


@pytest.mark.parametrize(
    ("shape", "model", "asked", "stack", "channels"),
    [
        ((3, 40, 40), COLOUR, None, 1, 3),
        ((3, 40, 40), COLOUR, 1, 3, 1),
        ((3, 40, 40), GREY, None, 1, 3),
        ((12, 40, 40), COLOUR, None, 4, 3),
        ((12, 40, 40), GREY, None, 12, 1),
        ((12, 40, 40), GREY, 3, 4, 3),
        ((4, 40, 40), GREY, None, 4, 1),
        ((40, 40, 6), COLOUR, None, 2, 3),
        ((5, 40, 40, 3), COLOUR, None, 5, 3),
        ((5, 3, 40, 40), COLOUR, None, 5, 3),
        ((5, 40, 40, 1), COLOUR, None, 5, 1),
    ],
)
def test_how_a_stack_is_told_from_its_channels(shape, model, asked, stack, channels):
    space = spaces.Box(0, 255, shape, np.uint8)
    reading = FrameReading.of(space, model=model, frame_channels=asked)
    assert (reading.stack, reading.channels) == (stack, channels)


def test_the_oldest_frame_comes_first():
    space = spaces.Box(0, 255, (9, 40, 40), np.uint8)
    observation = np.repeat([10, 20, 30], 3).astype(np.uint8)[None, :, None, None] * np.ones((1, 1, 40, 40), np.uint8)
    frames = read(FrameReading.of(space, model=COLOUR), space, observation)
    assert (frames[0, :, 0, 0, 0] * 255).tolist() == pytest.approx([10, 20, 30])


def test_luma_by_hand():
    space = spaces.Box(0, 255, (3, 40, 40), np.uint8)
    observation = np.broadcast_to(np.array([200, 100, 50], dtype=np.uint8)[:, None, None], (3, 40, 40))[None].copy()
    frames = read(FrameReading.of(space, model=GREY), space, observation)
    assert frames.shape == (1, 1, 1, 40, 40)
    assert float(frames.mean()) * 255 == pytest.approx(0.299 * 200 + 0.587 * 100 + 0.114 * 50, abs=1e-3)


def test_one_of_several_pictures_is_named_and_the_other_stays_beside():
    frame, sketch = spaces.Box(0, 255, (3, 40, 40), np.uint8), spaces.Box(0, 255, (1, 2, 2), np.uint8)
    space = spaces.Dict({"camera": frame, "map": sketch})
    reading = FrameReading.of(space, model=COLOUR, key="camera")
    assert (reading.key, reading.others, reading.num_others) == ("camera", ("map",), 4)
    observations = {"camera": np.zeros((1, 3, 40, 40), np.uint8), "map": np.full((1, 1, 2, 2), 51, np.uint8)}
    rest = reading.rest(preprocess_obs(obs_as_tensor(observations, torch.device("cpu")), space))
    assert torch.allclose(rest, torch.full((1, 4), 0.2))


def test_dark_floats_up_to_255_are_not_taken_for_divided_ones():
    space = spaces.Box(0, 255, (3, 40, 40), np.float32)
    frames = read(FrameReading.of(space, model=COLOUR), space, np.full((1, 3, 40, 40), 0.5, dtype=np.float32))
    assert float(frames.max()) == pytest.approx(0.5 / 255)


@pytest.mark.parametrize("high", [2.0, 254.0, 1000.0, np.inf])
def test_pixels_of_an_unknown_scale_are_refused(high):
    with pytest.raises(FrameError, match=r"expected pixels in \[0, 255\] or \[0, 1\], got float32 in \[0, "):
        FrameReading.of(spaces.Box(0.0, high, (3, 40, 40), np.float32), model=COLOUR)
