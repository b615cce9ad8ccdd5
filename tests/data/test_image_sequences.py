"""Image worlds put the right object at the place they name, on a canvas that is otherwise empty."""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from perma_agent.data import ImageSet, ImageWorld, blend, image_world
from perma_agent.data.image_sequences import WORLDS
from perma_agent.errors import DataError, FrameError


def objects(count: int = 5, side: int = 2) -> ImageSet:
    """Image n has pixels n·20 + 1, n·20 + 2 …, none of them 0, and class n."""
    pixels = 1 + np.arange(side * side, dtype=np.uint8).reshape(side, side)
    images = pixels + 20 * np.arange(count, dtype=np.uint8)[:, None, None]
    return ImageSet("objects", images, np.arange(count))


def world(**changes: Any) -> ImageWorld:
    arguments = {"name": "w", "images": objects(), "moving": True, "canvas": 7, "sprite": 2, **changes}
    return ImageWorld(**arguments)


def same(one: Any, other: Any) -> bool:
    return all(np.array_equal(getattr(one, name), getattr(other, name)) for name in vars(one))


@settings(max_examples=40, deadline=None)
@given(
    moving=st.booleans(),
    inverse=st.booleans(),
    side=st.integers(1, 4),
    room=st.integers(0, 5),
    batch=st.integers(1, 9),
    seed=st.integers(0, 2**32),
)
def test_a_frame_is_its_object_at_its_position(
    moving: bool, inverse: bool, side: int, room: int, batch: int, seed: int
) -> None:
    images = objects(side=side)
    w = ImageWorld("w", images, moving=moving, inverse=inverse, canvas=side + room, sprite=side)
    drawn = w.draw(batch, np.random.default_rng(seed))
    assert (drawn.frames.dtype, drawn.labels.dtype, drawn.positions.dtype) == (np.uint8, np.int64, np.float32)
    assert drawn.frames.shape == (batch, *w.frame_shape) == (batch, 1, side + room, side + room)
    assert len(drawn) == batch
    assert ((drawn.positions >= 0) & (drawn.positions <= 1)).all()
    for frame, label, position in zip(drawn.frames, drawn.labels, drawn.positions, strict=True):
        x, y = np.rint(position * room).astype(int) if moving else (room // 2, room // 2)
        expected = np.zeros((side + room, side + room), np.uint8)
        expected[y : y + side, x : x + side] = images.images[label]
        np.testing.assert_array_equal(frame[0], 255 - expected if inverse else expected)


def test_positions_by_hand() -> None:
    w = world(images=objects(count=1, side=1), canvas=3, sprite=1)  # the largest offset is 2
    drawn = w.draw(50, np.random.default_rng(0))
    _, _, rows, columns = np.nonzero(drawn.frames)
    np.testing.assert_array_equal(drawn.positions, np.stack([columns, rows], axis=1) / 2)


def test_at_rest_the_object_is_at_the_centre() -> None:
    drawn = world(moving=False).draw(3, np.random.default_rng(0))  # canvas 7, sprite 2: rows 2 and 3
    assert (drawn.frames[:, :, 2:4, 2:4] > 0).all()
    assert [np.count_nonzero(frame) for frame in drawn.frames] == [4, 4, 4]
    np.testing.assert_array_equal(drawn.positions, np.full((3, 2), 0.4, np.float32))


def test_objects_and_places_are_uniform() -> None:
    drawn = world(canvas=4).draw(9000, np.random.default_rng(0))
    cells = Counter(zip(drawn.labels.tolist(), *(2 * drawn.positions).T.tolist(), strict=True))
    assert len(cells) == 5 * 3 * 3
    assert stats.chisquare(list(cells.values())).pvalue > 1e-6


def test_pairs_show_one_object_at_two_independent_places() -> None:
    pairs = world(canvas=4).pairs(9000, np.random.default_rng(0))
    assert pairs.offsets.tolist() == [1] * 9000
    ways = Counter()
    for frame, earlier in zip(pairs.frames, pairs.earlier, strict=True):
        assert sorted(frame[frame > 0]) == sorted(earlier[earlier > 0])  # each object has pixels of its own
        ways[int(np.argmax(frame > 0)), int(np.argmax(earlier > 0))] += 1
    assert len(ways) == 9 * 9
    assert stats.chisquare(list(ways.values())).pvalue > 1e-6


def test_pairs_at_rest_are_the_same_frame_twice() -> None:
    pairs = world(moving=False).pairs(6, np.random.default_rng(0))
    np.testing.assert_array_equal(pairs.frames, pairs.earlier)
    assert len(np.unique(pairs.frames.max(axis=(1, 2, 3)))) > 1


def test_the_same_seed_draws_the_same_and_another_does_not() -> None:
    w = world()
    for draw in (w.draw, w.pairs):
        assert same(draw(16, np.random.default_rng(3)), draw(16, np.random.default_rng(3)))
        assert not same(draw(16, np.random.default_rng(3)), draw(16, np.random.default_rng(4)))


def test_inverse_frames_are_those_of_the_other_world_inverted() -> None:
    plain, inverse = world(), world(inverse=True)
    one, other = plain.draw(8, np.random.default_rng(0)), inverse.draw(8, np.random.default_rng(0))
    np.testing.assert_array_equal(other.frames, 255 - one.frames)
    np.testing.assert_array_equal(other.labels, one.labels)


def test_images_are_resized_to_the_sprite() -> None:
    images = ImageSet(
        "big", np.array([[[10, 30], [20, 40]]], np.uint8).repeat(2, 1).repeat(2, 2), np.zeros(1, np.int64)
    )
    frame = ImageWorld("w", images, moving=False, canvas=4, sprite=2).draw(1, np.random.default_rng(0)).frames[0, 0]
    np.testing.assert_array_equal(frame[1:3, 1:3], [[10, 30], [20, 40]])


@pytest.mark.parametrize("sprite", [0, 8])
def test_a_sprite_that_does_not_fit(sprite: int) -> None:
    with pytest.raises(ValueError) as caught:
        world(sprite=sprite)
    assert str(caught.value) == f"expected a sprite of 1 to 7 pixels on a canvas of 7, got {sprite}"


def test_an_empty_batch_is_refused() -> None:
    for draw in (world().draw, world().pairs):
        with pytest.raises(ValueError, match="expected a batch of at least 1 frame, got 0"):
            draw(0, np.random.default_rng(0))


@pytest.mark.parametrize(("canvas", "sprite"), [(64, 28), (32, 14)])
def test_worlds_of_digits_need_no_files(canvas: int, sprite: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PERMA_DATA", raising=False)
    for name in ("moving-digits", "digits", "inverse-digits"):
        w = image_world(name, canvas=canvas)
        assert (w.name, w.images.name, w.sprite, len(w.images)) == (name, "digits", sprite, 1442)
        assert (w.moving, w.inverse) == (name.startswith("moving"), name.startswith("inverse"))
        assert w.draw(4, np.random.default_rng(0)).frames.shape == (4, 1, canvas, canvas)
    assert len(image_world("digits", split="test").images) == 355


def test_the_papers_worlds_have_their_images() -> None:
    known = {name: (recipe.images, recipe.moving, recipe.inverse) for name, recipe in WORLDS.items()}
    assert known["moving-fashion"] == ("fashion-mnist", True, False)
    assert known["fashion"] == ("fashion-mnist", False, False)
    assert known["inverse-fashion"] == ("fashion-mnist", False, True)
    assert known["moving-mnist"] == ("mnist", True, False)
    assert known["mnist"] == ("mnist", False, False)


def test_an_unknown_world_and_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        image_world("moving-celeba")
    assert str(caught.value) == (
        "expected an image world among moving-fashion, fashion, inverse-fashion, moving-mnist, mnist, moving-digits, "
        "digits, inverse-digits, got 'moving-celeba'; choose one of them"
    )
    with pytest.raises(DataError, match=r"expected .*train-images-idx3-ubyte.gz, got no such file"):
        image_world("mnist", data=tmp_path)


def test_a_training_step_hardly_waits() -> None:
    w, rng = image_world("moving-digits"), np.random.default_rng(0)
    times = []
    for _ in range(20):
        start = time.perf_counter()
        w.draw(64, rng)
        times.append(time.perf_counter() - start)
    assert min(times) < 1e-3


FIRST = np.array([0, 100, 255, 10], np.uint8).reshape(1, 1, 2, 2)
SECOND = np.array([255, 200, 0, 11], np.uint8).reshape(1, 1, 2, 2)


@pytest.mark.parametrize(
    ("weight", "expected"),
    [(0.0, [0, 100, 255, 10]), (1.0, [255, 200, 0, 11]), (0.25, [64, 125, 191, 10]), (0.6, [153, 160, 102, 11])],
)
def test_blends_by_hand(weight: float, expected: list[int]) -> None:
    mixed = blend(FIRST, SECOND, weight)
    assert mixed.dtype == np.uint8
    assert mixed.ravel().tolist() == expected


def test_each_frame_may_have_a_weight_of_its_own() -> None:
    mixed = blend(FIRST.repeat(2, 0), SECOND.repeat(2, 0), np.array([1.0, 0.25]))
    assert mixed.reshape(2, 4).tolist() == [[255, 200, 0, 11], [64, 125, 191, 10]]


@settings(max_examples=30, deadline=None)
@given(weight=st.floats(0, 1), seed=st.integers(0, 2**32))
def test_blends_lie_between_and_mirror(weight: float, seed: int) -> None:
    one, other = np.random.default_rng(seed).integers(0, 256, size=(2, 3, 1, 4, 4), dtype=np.uint8)
    mixed = blend(one, other, weight)
    assert ((mixed >= np.minimum(one, other)) & (mixed <= np.maximum(one, other))).all()
    back = blend(other, one, 1 - weight)
    assert np.abs(mixed.astype(int) - back).max() <= 1  # halves may be rounded either way


def test_blends_that_make_no_sense() -> None:
    with pytest.raises(FrameError) as caught:
        blend(FIRST, SECOND[:, :, :1], 0.5)
    assert str(caught.value) == "expected frames of one shape, got (1, 1, 2, 2) and (1, 1, 1, 2)"
    with pytest.raises(FrameError, match="expected uint8 frames"):
        blend(FIRST / 255, SECOND, 0.5)
    for weight in (1.5, -0.1, float("nan"), np.array([0.5, 0.5])):
        with pytest.raises(ValueError) as refused:
            blend(FIRST, SECOND, weight)
        assert str(refused.value) == f"expected a weight from 0 to 1, or one for each of 1 frames, got {weight}"
