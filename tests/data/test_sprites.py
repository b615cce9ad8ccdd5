"""Sprites look as their factors say, no two combinations look the same, and few factors change between a pair."""

from __future__ import annotations

import time
from collections import Counter
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from perma_agent.data import SpriteWorld
from perma_agent.data import sprite_rendering as rendering
from perma_agent.data.sprites import FACTORS, SIZES
from perma_agent.data.transitions import laplace_transition, uniform_transition


@pytest.fixture(scope="module")
def small() -> SpriteWorld:
    """The default factors on a canvas of 32."""
    return SpriteWorld(canvas=32)


def centres(frames: np.ndarray) -> np.ndarray:
    """Centre of brightness (x, y) of each frame in pixels from the canvas's corner, `[B, 2]`."""
    mass = frames.sum(axis=1, dtype=float)
    at = np.arange(frames.shape[-1]) + 0.5
    total = mass.sum(axis=(1, 2))
    return np.stack([mass.sum(axis=1) @ at / total, mass.sum(axis=2) @ at / total], axis=1)


def test_shapes_have_their_areas_and_stay_in_their_circle() -> None:
    at = (np.arange(1000) + 0.5) / 500 - 1
    u, v = np.meshgrid(1.2 * at, 1.2 * at)
    for (name, shape), area in zip(rendering.SHAPES, (2.0, 2.0, 2.01), strict=True):
        inside = shape(u, v)
        assert inside.mean() * 2.4**2 == pytest.approx(area, abs=0.01), name
        assert np.hypot(u, v)[inside].max() <= 1.001, name


@pytest.mark.parametrize("canvas", [32, 64])
def test_a_sprites_brightness_is_its_area(canvas: int) -> None:
    w = SpriteWorld(open_factors=("shape", "scale"), sizes={"scale": 3}, canvas=canvas)
    for shape, scale in product(range(3), range(3)):
        radius = 0.2 * canvas * (0.5, 0.75, 1.0)[scale]
        pixels = w.render(np.array([[shape, scale]])).sum() / 255
        assert pixels == pytest.approx(2 * radius**2, rel=0.02)


def test_a_square_by_hand() -> None:
    w = SpriteWorld(open_factors=("scale",), fixed={"x": 0, "y": 0}, canvas=40)  # radius 8, side 8·√2 = 11.31
    frame = w.render(np.array([[5]]))[0, 0]
    middle = frame[8]
    assert middle.max() == 255
    assert middle.sum() / 255 == pytest.approx(11.31, abs=0.13)  # an eighth of a pixel is the sampling's step
    np.testing.assert_array_equal(frame, frame.T)


def test_x_goes_right_y_goes_down_evenly(small: SpriteWorld) -> None:
    factors = np.zeros((32, 5), np.int64)
    factors[:, 1] = 5
    for column, axis in ((3, 0), (4, 1)):
        moving = factors.copy()
        moving[:, column] = np.arange(32)
        found = centres(small.render(moving))
        np.testing.assert_allclose(np.diff(found[:, axis]), 0.5, atol=0.02)
        assert np.ptp(found[:, 1 - axis]) < 1e-6
        np.testing.assert_allclose(found[[0, -1], axis].mean(), 16, atol=0.15)  # symmetrical about the middle


def test_rotation_is_counter_clockwise() -> None:
    w = SpriteWorld(open_factors=("rotation",), sizes={"rotation": 9}, fixed={"shape": 1}, canvas=64)
    frames = w.render(np.arange(9)[:, None])
    for turned, frame in enumerate(frames):
        y, x = np.nonzero(frame[0] > 127)
        (covariance,) = np.cov(x, -y)[0, 1:]
        spread = np.var(x) - np.var(y)
        assert np.degrees(np.arctan2(2 * covariance, spread)) / 2 == pytest.approx(10 * turned, abs=2)


def test_a_heart_points_down_and_is_symmetrical() -> None:
    frame = SpriteWorld(open_factors=("y",), fixed={"shape": 2}, canvas=64).render(np.array([[16]]))[0, 0]
    width = np.trim_zeros((frame > 127).sum(axis=1))
    assert np.argmax(width) < len(width) / 2
    assert width[-1] < 4 < width[0]
    columns = frame[:, frame.any(axis=0)]
    np.testing.assert_array_equal(columns, columns[:, ::-1])


def test_no_two_combinations_look_the_same(small: SpriteWorld) -> None:
    grid = np.array(list(product(range(3), range(6), range(10), (0, 1, 31), (0, 17))))
    frames = small.render(grid)
    assert len({frame.tobytes() for frame in frames}) == len(grid)


def test_every_sprite_is_whole(small: SpriteWorld) -> None:
    for x, y in product((0, 31), (0, 31)):
        factors = np.array([[shape, 5, turned, x, y] for shape in range(3) for turned in range(10)])
        frames = small.render(factors)
        areas = frames.sum(axis=(1, 2, 3)) / 255
        np.testing.assert_allclose(areas, 2 * 6.4**2, rtol=0.02)


def test_hues_go_around_the_circle_from_red() -> None:
    assert rendering.colours(6).tolist() == [
        [255, 0, 0], [255, 255, 0], [0, 255, 0], [0, 255, 255], [0, 0, 255], [255, 0, 255],
    ]  # fmt: skip
    assert rendering.colours(12)[1].tolist() == [255, 128, 0]
    w = SpriteWorld(open_factors=("hue",), sizes={"hue": 3}, channels=3, canvas=32)
    frames = w.render(np.arange(3)[:, None])
    assert frames.shape == (3, 3, 32, 32)
    assert [frame.max(axis=(1, 2)).tolist() for frame in frames] == [[255, 0, 0], [0, 255, 0], [0, 0, 255]]
    grey = SpriteWorld(open_factors=("shape",), canvas=32).render(np.array([[0]]))
    np.testing.assert_array_equal(frames[1, 1], grey[0, 0])


def test_names_sizes_and_shapes() -> None:
    w = SpriteWorld(open_factors=("hue", "x", "shape"), sizes={"x": 5, "y": 7}, channels=3, canvas=32)
    assert w.factor_names == ("shape", "x", "hue")
    assert w.factor_sizes == (3, 5, SIZES["hue"])
    assert w.frame_shape == (3, 32, 32)
    drawn = w.draw(7, np.random.default_rng(0))
    assert (drawn.frames.dtype, drawn.factors.dtype) == (np.uint8, np.int64)
    assert (drawn.frames.shape, drawn.factors.shape, len(drawn)) == ((7, 3, 32, 32), (7, 3), 7)
    np.testing.assert_array_equal(drawn.frames, w.render(drawn.factors))


def test_a_fixed_factor_is_the_open_one_at_that_value(small: SpriteWorld) -> None:
    fixed = {"shape": 2, "scale": 1, "rotation": 3, "y": 30}
    w = SpriteWorld(open_factors=("x",), fixed=fixed, canvas=32)
    places = np.arange(32)
    full = np.array([[2, 1, 3, x, 30] for x in places])
    np.testing.assert_array_equal(w.render(places[:, None]), small.render(full))


def test_factors_are_drawn_uniformly_and_alike_from_one_seed() -> None:
    w = SpriteWorld(open_factors=("shape", "scale", "x"), sizes={"x": 4}, canvas=32)
    drawn = w.draw(7200, np.random.default_rng(5))
    cells = Counter(map(tuple, drawn.factors.tolist()))
    assert len(cells) == 72
    assert stats.chisquare(list(cells.values())).pvalue > 1e-6
    again = w.draw(7200, np.random.default_rng(5))
    np.testing.assert_array_equal(again.frames, drawn.frames)
    assert not np.array_equal(w.draw(7200, np.random.default_rng(6)).factors, drawn.factors)


@settings(max_examples=20, deadline=None)
@given(transition=st.sampled_from(["laplace", "uniform"]), batch=st.integers(1, 40), seed=st.integers(0, 2**32))
def test_pairs_show_their_factors(small: SpriteWorld, transition: Any, batch: int, seed: int) -> None:
    pairs, factors, earlier = small.pairs(batch, np.random.default_rng(seed), transition=transition)
    np.testing.assert_array_equal(pairs.frames, small.render(factors))
    np.testing.assert_array_equal(pairs.earlier, small.render(earlier))
    assert pairs.offsets.tolist() == [1] * batch
    assert factors.dtype == earlier.dtype == np.int64
    changed = (factors != earlier).sum(axis=1)
    assert ((changed >= 1) & (changed <= 4)).all()  # of five; shape stays in one, and K − 1 is the most in the other
    if transition == "laplace":
        np.testing.assert_array_equal(factors[:, 0], earlier[:, 0])


@pytest.mark.parametrize("changes", [1, 2, 5])
def test_exactly_k_factors_change_and_each_as_often(small: SpriteWorld, changes: int) -> None:
    _, factors, earlier = small.pairs(4000, np.random.default_rng(0), transition="uniform", changes=changes)
    changed = factors != earlier
    assert (changed.sum(axis=1) == changes).all()
    np.testing.assert_allclose(changed.mean(axis=0), changes / 5, atol=0.04)


def test_uniform_changes_reach_all_other_values_alike() -> None:
    before = np.full((6000, 2), 1)
    after = uniform_transition(before, (4, 2), changes=2, rng=np.random.default_rng(0))
    assert (after[:, 1] == 0).all()
    counts = np.bincount(after[:, 0], minlength=4)
    assert counts[1] == 0
    assert stats.chisquare(counts[[0, 2, 3]]).pvalue > 1e-6


def test_how_many_change_is_uniform_below_all() -> None:
    before = np.zeros((6000, 4), np.int64)
    after = uniform_transition(before, (3, 3, 3, 3), changes=None, rng=np.random.default_rng(0))
    counts = np.bincount((after != before).sum(axis=1), minlength=5)
    assert counts[0] == counts[4] == 0
    assert stats.chisquare(counts[1:4]).pvalue > 1e-6
    alone = uniform_transition(before[:, :1], (3,), changes=None, rng=np.random.default_rng(0))
    assert (alone != 0).all()


def laplace_chances(size: int, start: int, rate: float) -> np.ndarray:
    """SlowVAE's law as its own text has it: a Laplace density of scale ln(n)/rate at the values, normalised."""
    density = stats.laplace.pdf(np.arange(size), loc=start, scale=np.log(size) / rate)
    chances: np.ndarray = density / density.sum()
    return chances


@pytest.mark.parametrize(("size", "start", "rate"), [(6, 0, 1.0), (6, 3, 1.0), (10, 9, 3.0)])
def test_laplace_moves_follow_their_law(size: int, start: int, rate: float) -> None:
    before = np.full((20_000, 1), start)
    after = laplace_transition(before, (size,), frozen=(False,), rate=rate, rng=np.random.default_rng(0))[:, 0]
    chances = laplace_chances(size, start, rate)
    chances[start] = 0  # with one factor alone, it must move
    counts = np.bincount(after, minlength=size)
    assert counts[start] == 0
    there = chances > 0
    expected = 20_000 * chances[there] / chances.sum()
    assert stats.chisquare(counts[there], expected).pvalue > 1e-6


def test_laplace_factors_stay_as_often_as_their_laws_say() -> None:
    """Of two factors with chances p and q to stay, both staying (pq) is made up by moving either, half each."""
    before = np.tile([2, 5], (40_000, 1))
    after = laplace_transition(before, (6, 32), frozen=(False, False), rate=1.0, rng=np.random.default_rng(0))
    p, q = laplace_chances(6, 2, 1.0)[2], laplace_chances(32, 5, 1.0)[5]
    stayed = (after == before).mean(axis=0)
    np.testing.assert_allclose(stayed, [p - p * q / 2, q - p * q / 2], atol=0.01)
    assert (after != before).any(axis=1).all()


def test_a_higher_rate_moves_less(small: SpriteWorld) -> None:
    def moved(rate: float) -> float:
        _, factors, earlier = small.pairs(500, np.random.default_rng(0), rate=rate)
        return float(np.abs(factors - earlier).mean())

    assert moved(5.0) < moved(1.0) / 2


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"open_factors": ()}, "expected open factors among shape, scale, rotation, x, y, hue, got none"),
        (
            {"open_factors": ("x", "size")},
            "expected open factors among shape, scale, rotation, x, y, hue, got ['size']",
        ),
        ({"open_factors": ("x", "hue")}, "expected 1 channel, or 3 (which hue needs), got 1"),
        ({"channels": 2}, "expected 1 channel, or 3 (which hue needs), got 2"),
        ({"canvas": 8}, "expected a canvas of at least 16 pixels, got 8"),
        ({"fixed": {"x": 3}}, "expected each factor open or fixed, got both for x"),
        ({"fixed": {"hue": 12}}, "expected hue fixed at 0 to 11, got 12"),
        ({"sizes": {"x": 1}}, "expected at least 2 values of x (at most 3 shapes), got 1"),
        ({"sizes": {"shape": 4}}, "expected at least 2 values of shape (at most 3 shapes), got 4"),
        ({"sizes": {"x": 500}, "canvas": 32}, "expected at most 72 positions on a canvas of 32 pixels, got 500"),
    ],
)
def test_worlds_that_make_no_sense(arguments: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError) as caught:
        SpriteWorld(**arguments)
    assert str(caught.value) == words


def test_the_most_positions_that_are_allowed_work() -> None:
    w = SpriteWorld(open_factors=("x",), sizes={"x": 72}, canvas=32)
    np.testing.assert_allclose(np.diff(centres(w.render(np.arange(72)[:, None]))[:, 0]), 0.25, atol=0.02)


def test_factors_and_transitions_that_make_no_sense(small: SpriteWorld) -> None:
    rng = np.random.default_rng(0)
    names = "('shape', 'scale', 'rotation', 'x', 'y')"
    for factors, words in (
        (np.zeros((2, 4), int), f"expected whole numbers [B, 5] for {names}, got int64 of shape (2, 4)"),
        (np.zeros((2, 5)), f"expected whole numbers [B, 5] for {names}, got float64 of shape (2, 5)"),
        (
            np.array([[0, 0, 0, 0, 32]]),
            f"expected values of {names} from 0 and below (3, 6, 10, 32, 32), got others",
        ),
        (
            np.array([[0, -1, 0, 0, 0]]),
            f"expected values of {names} from 0 and below (3, 6, 10, 32, 32), got others",
        ),
    ):
        with pytest.raises(ValueError) as caught:
            small.render(factors)
        assert str(caught.value) == words
    for arguments, words in (
        ({"transition": "slow"}, "expected a transition among laplace, uniform, got 'slow'"),
        ({"transition": "uniform", "changes": 6}, "expected from 1 to 5 changing factors, got 6"),
        (
            {"rate": 0.0},
            "expected a positive rate and a factor that can move, got rate 0.0 and 4 such factors; "
            "open an ordinal factor, or take uniform transitions",
        ),
    ):
        with pytest.raises(ValueError) as caught:
            small.pairs(3, rng, **arguments)  # type: ignore[arg-type]
        assert str(caught.value) == words
    with pytest.raises(ValueError, match=r"got rate 1\.0 and 0 such factors"):
        SpriteWorld(open_factors=("shape",), canvas=32).pairs(3, rng)
    with pytest.raises(ValueError, match="expected a batch of at least 1 frame, got 0"):
        small.draw(0, rng)


def test_a_training_step_hardly_waits() -> None:
    w, rng = SpriteWorld(open_factors=FACTORS, sizes={"rotation": 3}, channels=3), np.random.default_rng(0)
    times = []
    for _ in range(20):
        start = time.perf_counter()
        w.draw(64, rng)
        times.append(time.perf_counter() - start)
    assert min(times) < 3e-3
