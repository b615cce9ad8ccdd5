"""The object probe: which object is the nearest in sight, and that what a code tells of it is found and no more."""

from __future__ import annotations

import numpy as np
import pytest

from perma_agent.studies.levels import LevelChoice
from perma_agent.studies.transfer.sample_efficiency import object_probe
from perma_agent.studies.transfer.sample_efficiency.object_probe import (
    FEWEST,
    WHAT,
    Sightings,
    nearest_object,
    read_objects,
    sight_objects,
)

FORAGE = LevelChoice(id="perma/IndoorForage-v0")


def factors(*objects):
    """Of objects given as metres ahead, metres to the right, share in sight."""
    ahead, right, seen = zip(*objects, strict=True)
    return {"object_position": np.array([ahead, right], dtype=np.float32).T, "object_visible": np.array(seen)}


def test_the_nearest_object_in_sight_is_told_by_angle_and_distance():
    found = nearest_object(factors((3.0, 4.0, 1.0), (1.0, 0.0, 0.1), (0.0, -6.0, 0.5)))  # the second is hidden
    assert found == pytest.approx((np.arctan2(4.0, 3.0), 5.0))
    assert nearest_object(factors((2.0, -2.0, 1.0), (9.0, 9.0, 1.0))) == pytest.approx((-np.pi / 4, 8.0**0.5))
    assert nearest_object(factors((1.0, 0.0, 0.2))) is None
    assert (
        nearest_object({"object_position": np.ones((1, 2))}) is None
    )  # as ViZDoom, which does not tell what is hidden


def test_frames_with_objects_in_sight_are_kept_with_where_they_are():
    found = sight_objects(FORAGE, seed=3, frames=160)
    assert 0 < len(found.frames) <= 160 and found.frames.shape[1:] == (64, 64, 3) and found.frames.dtype == np.uint8
    assert found.nearest.shape == (len(found.frames), 2) and len(found.tested) == len(found.frames)
    assert (np.abs(found.nearest[:, 0]) < np.pi / 2).all()  # what is in sight is ahead
    assert (found.nearest[:, 1] > 0).all() and 0 < found.tested.mean() < 1
    again = sight_objects(FORAGE, seed=3, frames=160)
    assert np.array_equal(found.frames, again.frames) and np.array_equal(found.nearest, again.nearest)


class Eyes:
    """Sees the first pixel of each frame as its code."""

    def __init__(self, venv, run, **options):
        pass

    def encode(self, frames):
        return frames[:, 0, 0, :2].astype(np.float32)


@pytest.fixture
def seen(monkeypatch):
    """Frames whose first pixel is the angle, and whose distance nothing tells."""
    monkeypatch.setattr(object_probe, "EncodedObservation", Eyes)
    rng = np.random.default_rng(0)
    frames = rng.integers(0, 256, (1_200, 4, 4, 3), dtype=np.uint8)
    angle = frames[:, 0, 0, 0] / 255 - 0.5
    nearest = np.stack([angle, rng.uniform(1, 5, len(frames))], axis=1)
    return Sightings(frames=frames, nearest=nearest, tested=np.arange(len(frames)) >= 900)


def test_what_the_code_tells_is_found_and_what_it_does_not_tell_is_not(seen, tmp_path):
    told = read_objects(FORAGE, seen, tmp_path, mode="frozen", seed=0)
    assert told["angle"] > 0.98 and told["distance"] < 0.05


def test_nothing_is_said_where_objects_are_rarely_in_sight(seen, tmp_path):
    few = Sightings(frames=seen.frames[:950], nearest=seen.nearest[:950], tested=seen.tested[:950])
    assert few.tested.sum() < FEWEST
    assert read_objects(FORAGE, few, tmp_path, mode="frozen", seed=0) == dict.fromkeys(WHAT)
