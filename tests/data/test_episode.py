"""An episode under way keeps copies, makes room, and fills gaps in its factors with NaN."""

from __future__ import annotations

import numpy as np
import pytest

from perma_agent.data.episode import FIRST_FRAMES, Episode
from perma_agent.types import Provenance

PROVENANCE = Provenance(level="counting", seed=3)


def frame(t: int) -> np.ndarray:
    return np.full((2, 3, 1), t % 256, dtype=np.uint8)


def test_frames_actions_and_rewards_are_copied() -> None:
    picture, action, place = frame(0), np.array([0.5, 1.5]), np.zeros(2, np.float32)
    episode = Episode(picture, {"place": place}, provenance=PROVENANCE)
    steps = 2 * FIRST_FRAMES + 7  # past the first room and the second
    for t in range(1, steps + 1):
        picture[:], action[:], place[:] = t % 256, t, t  # the level reuses its arrays
        episode.step(action, t / 2, frame=picture, factors={"place": place})
    assert len(episode) == steps
    np.testing.assert_array_equal(episode.last_frame, picture)
    trajectory = episode.end(terminated=True, truncated=False)
    picture[:] = 255
    np.testing.assert_array_equal(trajectory.frames[:, 0, 0, 0], np.arange(steps + 1) % 256)
    np.testing.assert_array_equal(trajectory.actions, np.arange(1, steps + 1)[:, None].repeat(2, axis=1))
    np.testing.assert_array_equal(trajectory.rewards, np.arange(1, steps + 1, dtype=np.float32) / 2)
    np.testing.assert_array_equal(trajectory.factors["place"][:, 1], np.arange(steps + 1))
    assert (trajectory.terminated, trajectory.truncated, trajectory.provenance) == (True, False, PROVENANCE)


def test_factors_that_come_and_go() -> None:
    episode = Episode(frame(0), {"light": 0.5, "things": [1, 2]}, provenance=PROVENANCE)
    episode.step(np.array(0), 0, frame=frame(1), factors={"light": None, "things": [3], "door": True})
    episode.step(np.array(0), 0, frame=frame(2), factors={})
    episode.step(np.array(0), 0, frame=frame(3), factors={"things": 4, "light": np.float64(1)})
    factors = episode.end(terminated=False, truncated=True).factors
    nan = np.nan
    np.testing.assert_array_equal(factors["light"], np.float32([0.5, nan, nan, 1]))
    np.testing.assert_array_equal(factors["things"], np.float32([[1, 2], [3, nan], [nan, nan], [4, nan]]))
    np.testing.assert_array_equal(factors["door"], np.float32([nan, 1, nan, nan]))
    assert {values.dtype for values in factors.values()} == {np.dtype(np.float32)}


def test_factors_are_numbers() -> None:
    with pytest.raises(ValueError, match="factor 'colour' to be a number or an array of numbers, got 'red'"):
        Episode(frame(0), {"colour": "red"}, provenance=PROVENANCE)
    with pytest.raises(ValueError, match="factor 'place'"):
        Episode(frame(0), {"place": [[1], [1, 2]]}, provenance=PROVENANCE)


def test_an_episode_without_actions_is_no_trajectory() -> None:
    with pytest.raises(ValueError, match="at least two frames"):
        Episode(frame(0), {}, provenance=PROVENANCE).end(terminated=True, truncated=False)
