"""Where objects stand, on frames whose objects were put there."""

import numpy as np
import pytest

from perma_agent.data.image_sequences import image_world
from perma_agent.errors import FrameError
from perma_agent.evaluation.object_position import backgrounds, object_positions, shift_frames


def squares(places, *, size=16, object_side=3, background=0, brightness=255, channels=1):
    frames = np.full((len(places), channels, size, size), background, np.uint8)
    for frame, (x, y) in zip(frames, places, strict=True):
        frame[:, y : y + object_side, x : x + object_side] = brightness
    return frames


@pytest.mark.parametrize(("background", "brightness", "channels"), [(0, 255, 1), (255, 40, 3), (100, 180, 1)])
def test_the_middle_of_a_square_on_any_plain_background(background, brightness, channels):
    places = [(0, 0), (4, 9), (13, 13), (7, 0)]
    frames = squares(places, background=background, brightness=brightness, channels=channels)
    np.testing.assert_allclose(object_positions(frames), np.array(places) + 1.0, atol=1e-9)
    np.testing.assert_array_equal(backgrounds(frames), np.full((4, channels), background))


def test_a_haze_and_a_stray_pixel_decide_nothing(rng):
    frames = squares([(2, 8)], object_side=5, brightness=220)
    hazy = np.maximum(frames, rng.integers(0, 60, frames.shape).astype(np.uint8))
    np.testing.assert_allclose(object_positions(hazy), [[4.0, 10.0]], atol=1e-9)
    hazy[0, 0, 1, 15] = 220  # one of 26 pixels, less than the tail that is left out
    np.testing.assert_allclose(object_positions(hazy), [[4.0, 10.0]], atol=0.2)


def test_where_nothing_stands_there_is_no_place():
    blank = np.full((2, 1, 8, 8), 200, np.uint8)
    blank[1, 0, 3, 3] = 220  # fainter than a tenth of the range
    assert np.isnan(object_positions(blank)).all()
    with pytest.raises(FrameError, match="expected uint8 frames"):
        object_positions(blank.astype(float))


@pytest.mark.parametrize("name", ["moving-digits", "inverse-digits"])
def test_digits_are_placed_within_a_pixel(name, rng):
    world = image_world(name, canvas=32)
    batch = world.draw(300, rng)
    truth = batch.positions * (world.canvas - world.sprite) + (world.sprite - 1) / 2
    errors = np.linalg.norm(object_positions(batch.frames) - truth, axis=1)
    assert errors.mean() < 0.8


def test_frames_are_shifted_and_filled():
    frames = squares([(2, 3)], size=8, background=9)
    np.testing.assert_array_equal(
        shift_frames(frames, np.array([[2.4, -3.0]])), squares([(4, 0)], size=8, background=9)
    )
    np.testing.assert_array_equal(shift_frames(frames, np.array([[-1, 1]])), squares([(1, 4)], size=8, background=9))
    assert (shift_frames(frames, np.array([[99, 0]])) == 9).all()
