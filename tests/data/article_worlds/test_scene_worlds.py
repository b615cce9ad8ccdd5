"""Gaze, tilt and light do to the scene what they say, and their pixels alone tell them."""

from __future__ import annotations

import numpy as np
import pytest

from perma_agent.data.article_worlds import BrightnessWorld, GazeWorld, TiltWorld
from perma_agent.data.article_worlds.scene import CONTENT, SKY

MIDDLE = [0.12, 0.10, 0.40, 0.60]
"""Content: disc size, square size, gap, ground."""


def disc_at(frame: np.ndarray) -> np.ndarray:
    """Centre (x, y) in view sides from the middle of a disc that is the brightest thing, of an image `[S, S]`."""
    y, x = np.nonzero(frame >= 0.95 * frame.max())
    return (np.array([x.mean(), y.mean()]) + 0.5) / len(frame) - 0.5


def scene(*changing: float, content: list[float] = MIDDLE) -> np.ndarray:
    return np.array([[*changing, *content]])


def test_the_scene_by_hand() -> None:
    frame = GazeWorld(canvas=100).render(scene(0.0, 0.0))[0, 0]
    assert frame[0, 0] == round(SKY * 255)
    assert frame[-1, 0] == round(0.60 * 255)
    assert frame[53, 0] < frame[55, 0]  # the horizon: 0.04 view sides below the middle
    assert (frame[:54, :5] == frame[0, 0]).all()
    assert (frame > 172).sum() == pytest.approx(np.pi * 12**2, rel=0.03)  # the disc
    assert (frame < 60).sum() == pytest.approx(20**2, rel=0.05)  # the square
    np.testing.assert_allclose(disc_at(frame), [-0.20, -0.12], atol=0.005)


@pytest.mark.parametrize(("x", "y"), [(0.0, 0.0), (0.15, 0.0), (0.0, -0.1), (-0.12, 0.18)])
def test_looking_to_a_side_moves_everything_to_the_other(x: float, y: float) -> None:
    found = disc_at(GazeWorld(canvas=64).render(scene(x, y))[0, 0])
    np.testing.assert_allclose(found, [-0.20 - x, -0.12 - y], atol=0.01)


def test_a_view_is_the_same_scene_shifted_by_whole_pixels() -> None:
    w = GazeWorld(canvas=40)
    still, moved = w.render(np.concatenate([scene(0.0, 0.0), scene(3 / 40, -2 / 40)]))[:, 0]
    np.testing.assert_array_equal(moved[2:, :-3], still[:-2, 3:])


def test_the_scene_is_larger_than_the_view() -> None:
    w = GazeWorld()
    ends = w.render(scene(0.2, 0.2, content=[0.16, 0.14, 0.52, 0.8]))[0, 0]
    whole = w.render(scene(0.0, 0.0, content=[0.16, 0.14, 0.52, 0.8]))[0, 0]
    assert 0.2 < (ends == 255).sum() / (whole == 255).sum() < 0.8  # a part of the disc is out of view, not all


@pytest.mark.parametrize("tilt", [-60.0, -20.0, 0.0, 45.0, 60.0])
def test_a_head_that_leans_to_the_left_sees_all_turned_clockwise(tilt: float) -> None:
    found = disc_at(TiltWorld(canvas=64).render(scene(tilt))[0, 0])
    cos, sin = np.cos(np.radians(tilt)), np.sin(np.radians(tilt))
    x, y = -0.20, -0.12
    np.testing.assert_allclose(found, [cos * x - sin * y, sin * x + cos * y], atol=0.01)  # y is down: clockwise


def test_a_quarter_turn_is_exact() -> None:
    upright, turned = TiltWorld(full_circle=True).render(np.concatenate([scene(1.0, 0.0), scene(0.0, 1.0)]))[:, 0]
    differs = np.abs(np.rot90(upright, -1).astype(int) - turned)  # numpy's negative turns are clockwise
    assert differs.max() <= 1


def test_both_descriptions_of_a_tilt_look_the_same() -> None:
    angle = np.radians(37.0)
    circle = TiltWorld(full_circle=True).render(scene(np.cos(angle), np.sin(angle)))
    np.testing.assert_array_equal(circle, TiltWorld().render(scene(37.0)))


def test_light_multiplies_every_pixel() -> None:
    w = BrightnessWorld()
    bright, dim = w.render(np.concatenate([scene(1.0), scene(0.5)]))[:, 0].astype(float)
    assert np.abs(dim - 0.5 * bright).max() <= 0.75  # rounding of both
    assert bright.max() == 255


def test_the_ground_alone_does_not_tell_the_light() -> None:
    drawn = BrightnessWorld().draw(2_000, np.random.default_rng(0))
    ground = drawn.frames[:, 0, -1, 0].astype(float)
    sky = drawn.frames[:, 0, 0, 0].astype(float)
    light = drawn.factors[:, 0]
    assert np.corrcoef(ground, light)[0, 1] ** 2 < 0.9
    np.testing.assert_allclose(sky / (255 * SKY), light, atol=0.01)
    np.testing.assert_allclose(ground / sky * SKY, drawn.factors[:, 4], atol=0.05)


@pytest.mark.parametrize("world", [GazeWorld(), TiltWorld(), BrightnessWorld()], ids=["gaze", "tilt", "brightness"])
def test_what_the_scene_consists_of_stays(world: GazeWorld | TiltWorld | BrightnessWorld) -> None:
    assert tuple(world.factors[k] for k in world.staying) == CONTENT
    assert not any(factor.changing for factor in CONTENT)
    assert (world.draw(3, np.random.default_rng(0)).visible == 1).all()
