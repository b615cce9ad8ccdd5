"""Objects stand where their factors say, move by themselves, and are hidden when they are behind the bar."""

from __future__ import annotations

import numpy as np
import pytest

from perma_agent.data.article_worlds import HiddenObjectWorld, MovingObjectsWorld
from perma_agent.data.article_worlds.hidden_object import OCCLUDER


def centre(mask: np.ndarray) -> np.ndarray:
    """Centre (x, y) of a mask `[S, S]`, in view sides from the left and the top."""
    y, x = np.nonzero(mask)
    return (np.array([x.mean(), y.mean()]) + 0.5) / len(mask)


def test_objects_are_where_their_factors_say() -> None:
    frame = MovingObjectsWorld(objects=3, canvas=100).render(
        np.array([[0.25, 0.30, 0.70, 0.20, 0.50, 0.80, 0.12, 0.15, 0.10]])
    )[0, 0]
    looks = {
        "square": (round(0.45 * 255), 24**2),
        "disc": (255, np.pi * 15**2),
        "diamond": (round(0.7 * 255), 2 * 14**2),
    }
    places = {"square": [0.25, 0.30], "disc": [0.70, 0.20], "diamond": [0.50, 0.80]}
    for name, (brightness, area) in looks.items():
        mask = np.abs(frame.astype(int) - brightness) <= 1
        np.testing.assert_allclose(centre(mask), places[name], atol=0.006, err_msg=name)
        assert mask.sum() == pytest.approx(area, rel=0.12), name
    assert frame[0, 0] == 0


def test_the_disc_is_in_front_of_the_square() -> None:
    frame = MovingObjectsWorld(canvas=64).render(np.array([[0.5, 0.5, 0.5, 0.5, 0.16, 0.10]]))[0, 0]
    assert frame[32, 32] == 255
    assert frame[32, 23] == round(0.45 * 255)


@pytest.mark.parametrize("objects", [2, 3])
def test_in_most_steps_one_object_moves_and_the_others_do_not(objects: int) -> None:
    w = MovingObjectsWorld(objects=objects)
    drawn = w.pairs(3_000, np.random.default_rng(0))
    moved = drawn.factors != drawn.earlier_factors
    by_object = np.stack([moved[:, list(group.factors)].all(axis=1) for group in w.groups], axis=1)
    assert (moved[:, : 2 * objects] == np.repeat(by_object, 2, axis=1)).all()  # x and y together
    assert (by_object.sum(axis=1) == 1).mean() == pytest.approx(0.9, abs=0.02)
    assert (by_object.sum(axis=1) == objects).mean() == pytest.approx(0.1, abs=0.02)
    assert [group.name for group in w.groups] == ["square", "disc", "diamond"][:objects]


def test_objects_move_independently_of_each_other() -> None:
    drawn = MovingObjectsWorld(together=1.0).pairs(4_000, np.random.default_rng(1))
    moves = (drawn.factors - drawn.earlier_factors)[:, :4]
    assert np.abs(np.corrcoef(moves.T) - np.eye(4)).max() < 0.06


def test_moving_objects_are_always_whole() -> None:
    w = MovingObjectsWorld(canvas=64)
    corners = np.array([[x, y, 0.5, 0.84, 0.16, 0.10] for x in (0.16, 0.84) for y in (0.16, 0.5)])
    areas = (w.render(corners)[:, 0] == round(0.45 * 255)).sum(axis=(1, 2))
    assert np.ptp(areas) <= 0.06 * areas.max()


def test_a_hidden_object_by_hand() -> None:
    w = HiddenObjectWorld(canvas=64)
    factors = np.array([[0.14, 0.5, 1, 0, 0.12], [0.5, 0.5, 1, 0, 0.12], [0.5 - OCCLUDER, 0.5, 1, 0, 0.12]])
    beside, behind, half = w.render(factors)
    assert beside[:, 32, 9].tolist() == [255, 0, 0]  # red
    assert beside[:, 32, 32].tolist() == behind[:, 32, 32].tolist() == [128, 128, 128]
    bar_alone = behind.copy()
    assert (bar_alone[0] == bar_alone[1]).all()  # nothing red is left
    assert (bar_alone[0] == 128).mean() == pytest.approx(2 * OCCLUDER, abs=0.02)
    red = half[0].astype(int) - half[1] > 127
    assert red.sum() == pytest.approx(0.5 * (2 * 0.85 * 0.12 * 64) ** 2, rel=0.15)
    np.testing.assert_allclose(w.visible(factors), [1.0, 0.0, 0.5], atol=0.03)


def test_frames_of_a_hidden_object_do_not_tell_what_it_is() -> None:
    w = HiddenObjectWorld()
    every = np.array([[0.5, y, shape, hue, 0.1] for y in (0.3, 0.6) for shape in range(3) for hue in range(6)])
    assert (w.visible(every) == 0).all()
    assert len({frame.tobytes() for frame in w.render(every)}) == 1


def test_frames_of_an_object_in_view_tell_all_of_it() -> None:
    w = HiddenObjectWorld()
    every = np.array([[0.13, y, s, h, r] for y in (0.3, 0.6) for s in range(3) for h in range(6) for r in (0.09, 0.12)])
    assert (w.visible(every) > 0.99).all()
    assert len({frame.tobytes() for frame in w.render(every)}) == len(every)


@pytest.mark.parametrize("canvas", [32, 64])
def test_sequences_start_in_full_view_and_hide_the_object_for_several_frames(canvas: int) -> None:
    drawn = HiddenObjectWorld(canvas=canvas).sequences(200, 40, np.random.default_rng(2))
    np.testing.assert_array_equal(drawn.visible[:, 0], 1)
    hidden = drawn.visible == 0
    assert hidden.any(axis=1).mean() > 0.98
    assert (hidden[:, :-1] & ~hidden[:, 1:]).any(axis=1).mean() > 0.95  # it comes out again
    entries = hidden.sum(axis=1) / np.maximum((~hidden[:, :-1] & hidden[:, 1:]).sum(axis=1), 1)
    assert 4 <= np.median(entries) <= 9
    assert 0.15 < hidden.mean() < 0.5
    assert (drawn.factors[:, 0, 0] < 0.5).mean() == pytest.approx(0.5, abs=0.12)  # from either side


def test_an_object_keeps_its_speed_and_turns_around_at_the_ends() -> None:
    w = HiddenObjectWorld(speeds=(0.03, 0.03))
    x = w.sequences(50, 60, np.random.default_rng(3)).factors[:, :, 0]
    ways = np.abs(np.diff(x, axis=1))
    assert np.median(ways) == pytest.approx(0.03)
    assert ways.max() <= 0.03 + 1e-9
    assert (ways < 0.0299).mean() == pytest.approx(0.04, abs=0.02)  # only where it turns: once in 25 steps
    assert x.min() >= 0.125
    assert x.max() <= 0.875


def test_the_identity_is_what_the_object_is_and_not_where() -> None:
    w = HiddenObjectWorld()
    assert [w.factor_names[k] for k in w.identity] == ["shape", "hue", "size"]
    assert set(w.identity) < set(w.staying)
    assert w.frame_shape == (3, 32, 32)
