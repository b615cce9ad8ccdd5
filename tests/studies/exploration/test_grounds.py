"""Grounds: one map, one start and one far goal a seed, the same in every episode."""

from __future__ import annotations

import numpy as np
import pytest

from perma_agent.errors import LevelError
from perma_agent.studies.exploration.grounds import FAR, LEVELS, OPEN, make_explored, survey
from perma_agent.studies.exploration.visit_recorder import VisitRecorder


def test_the_goal_of_a_surveyed_maze_is_far_and_blocks_little():
    found = survey(LEVELS["indoor-maze"], 1)
    walks = found.ground.walks[found.ground.reachable]
    assert found.walk >= FAR * walks.max() - 1.0 and 1_000 <= found.episode < 2_000
    assert found.ground.count >= OPEN * 376  # cells of a 4 × 4 maze of 3 m without a goal, whatever its walls
    assert found.start == (-4.5, -4.5)
    with pytest.raises(LevelError, match="none among 0"):
        survey(LEVELS["indoor-maze"], 1, candidates=0)


def test_indoors_and_outdoors_a_seed_has_the_same_maze():
    indoor, outdoor = (survey(LEVELS[name], 2) for name in ("indoor-maze", "outdoor-maze"))
    assert np.array_equal(indoor.ground.walks, outdoor.ground.walks)
    assert (indoor.episode, indoor.goal) == (outdoor.episode, outdoor.goal)


def test_every_reset_of_every_copy_begins_the_same_episode():
    recorder = VisitRecorder(make_explored(survey(LEVELS["indoor-maze"], 1), copies=2))
    try:
        recorder.seed(77)
        first = recorder.reset()
        assert np.array_equal(first[0], first[1])
        recorder.step(np.zeros(2, dtype=int))
        assert np.array_equal(recorder.reset(), first)
        places = recorder.log().views.places
        assert (places[[0, 1, 4, 5]] == [-4.5, -4.5]).all()
    finally:
        recorder.close()


@pytest.mark.slow
def test_doom_begins_each_episode_at_the_seeds_own_place():
    pytest.importorskip("vizdoom")
    found = survey(LEVELS["my-way-home"], 0)
    venv = make_explored(found, copies=1)
    try:
        starts = []
        for _ in range(3):
            venv.reset()
            factors = venv.reset_infos[0]["factors"]
            starts.append((float(factors["x"][0]), float(factors["z"][0]), float(factors["heading"][0])))
            venv.step(np.array([2]))
        assert starts[0] == starts[1] == starts[2] and starts[0][:2] == pytest.approx(found.start)
    finally:
        venv.close()
