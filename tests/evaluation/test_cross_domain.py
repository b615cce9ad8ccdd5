"""What is kept across worlds, on drawings of which it is known."""

import numpy as np
import pytest

from perma_agent.data.image_sequences import image_world
from perma_agent.errors import FrameError
from perma_agent.evaluation.cross_domain import class_kept, pixels, position_error_pixels, train_pixel_classifier


def squares(places, *, side=3):
    frames = np.zeros((len(places), 1, 32, 32), np.uint8)
    for frame, (x, y) in zip(frames, places, strict=True):
        frame[0, y : y + side, x : x + side] = 255
    return frames


def test_position_errors_by_hand():
    # Off by (3, 4) and by nothing: 5 and 0. Between different frames: from (0, 0) to (20, 0), from (20, 0) to (3, 4).
    found = position_error_pixels(squares([(0, 0), (20, 0)]), squares([(3, 4), (20, 0)]))
    assert found.mean == pytest.approx(2.5)
    assert found.median == pytest.approx(2.5)
    assert found.chance == pytest.approx((20 + np.hypot(17, 4)) / 2)
    assert found.centred == pytest.approx(10)
    assert found.found == 1


def test_the_place_alone_counts_and_not_the_size(rng):
    places = rng.integers(2, 26, (40, 2))
    found = position_error_pixels(squares(places), squares(places - 1, side=5))
    assert found.mean == pytest.approx(0, abs=1e-9)
    assert found.chance > 8


def test_drawings_that_know_nothing_err_as_chance_or_as_the_middle():
    places = np.random.default_rng(0).integers(0, 29, (200, 2))
    frames = squares(places)
    shuffled = position_error_pixels(frames, frames[np.roll(np.arange(200), 1)])
    assert shuffled.mean == pytest.approx(shuffled.chance, rel=0.1)
    middle = position_error_pixels(frames, squares([(14, 14)] * 200))
    assert middle.mean == pytest.approx(middle.centred, rel=0.1)
    assert middle.mean < shuffled.mean


def test_frames_without_an_object_are_left_out_and_told():
    frames = squares([(0, 0), (9, 9)])
    drawn = squares([(0, 2), (9, 9)])
    drawn[1] = 0
    found = position_error_pixels(frames, drawn)
    assert (found.mean, found.found) == (pytest.approx(2), 0.5)
    assert np.isnan(found.chance)
    lost = position_error_pixels(frames, np.zeros_like(frames))
    assert np.isnan(lost.mean)
    assert lost.found == 0


@pytest.fixture(scope="module")
def digits():
    rng = np.random.default_rng(0)
    learn = image_world("inverse-digits", canvas=16).draw(1500, rng)
    test = image_world("inverse-digits", split="test", canvas=16).draw(200, rng)
    source = image_world("digits", split="test", canvas=16).draw(300, rng)
    return train_pixel_classifier(learn.frames, learn.labels), test, source


def test_the_class_is_kept_by_the_right_drawing(digits):
    classifier, test, source = digits
    kept = class_kept(
        classifier,
        abroad=255 - source.frames,
        source=source.frames,
        source_labels=source.labels,
        at_home=np.zeros_like(test.frames),
        target=test.frames,
        target_labels=test.labels,
    )
    assert kept.abroad > 0.85
    assert kept.real > 0.85
    assert kept.untranslated < 0.4
    assert kept.at_home <= np.bincount(test.labels).max() / 200  # blank frames are all told alike
    assert kept.chance == np.bincount(source.labels).max() / 300


def test_the_classifier_is_the_same_each_time(digits):
    _, test, _ = digits
    learn = image_world("inverse-digits", canvas=16).draw(100, np.random.default_rng(1))
    one, other = (train_pixel_classifier(learn.frames, learn.labels) for _ in range(2))
    np.testing.assert_array_equal(one.predict_proba(pixels(test.frames)), other.predict_proba(pixels(test.frames)))


def test_a_pixel_that_hardly_varies_is_not_blown_up(digits):
    _, test, _ = digits
    learn = image_world("inverse-digits", canvas=16).draw(1500, np.random.default_rng(1))
    learn.frames[0, :, :2] = 250  # the only time that these rows are not white
    classifier = train_pixel_classifier(learn.frames, learn.labels)
    grey = test.frames.copy()
    grey[:, :, :2] = 215
    assert (classifier.predict(pixels(grey)) == test.labels).mean() > 0.8


def test_what_does_not_fit_is_refused(digits):
    classifier, test, source = digits
    with pytest.raises(FrameError, match=r"^expected a drawing of each of at least 2 frames, got 2 and 1$"):
        position_error_pixels(squares([(0, 0)] * 2), squares([(0, 0)]))
    with pytest.raises(FrameError, match=r"^expected a label of each frame, got 200 frames and 199 labels$"):
        class_kept(
            classifier,
            abroad=source.frames,
            source=source.frames,
            source_labels=source.labels,
            at_home=test.frames,
            target=test.frames,
            target_labels=test.labels[1:],
        )
    with pytest.raises(FrameError) as caught:
        train_pixel_classifier(test.frames, np.zeros(200, np.int64))
    assert str(caught.value) == (
        "expected a label of each frame and at least 2 classes, got 200 frames and 200 labels of 1 classes"
    )
