"""Figure 5B's tables: what is kept of them, and what the agent sees."""

from __future__ import annotations

import numpy as np
import pytest

from perma_agent.continual import Learner
from perma_agent.imagination.imagination_config import ImaginationConfig
from perma_agent.imagination.reward import ImaginationBonus
from perma_agent.imagination.worldview import Worldview
from perma_agent.models import VASE, VASEConfig
from perma_agent.studies.exploration.figure_5b_tables import Box, CodeAndGap, SeenTables, Sights
from perma_agent.wrappers import BonusReward

STAY, RIGHT = 0, 2
SMALL = VASEConfig(channels=1, image_size=32, filters=(4, 4, 4), hidden=8, latents=3, likelihood="bernoulli")


@pytest.fixture(scope="module")
def digits() -> Box:
    return Box.of("digits", size=32, split="train", data=None)


def test_tables_keep_each_step_and_of_an_episodes_end_its_last_frame(digits: Box) -> None:
    tables = digits.tables(2, episode=3, seed=0, start="centre", push=2)
    tables.reset()
    for _ in range(4):
        tables.step(np.array([STAY, RIGHT]))
    seen = tables.take()
    assert len(seen) == 8 and seen.frames.shape == (8, 1, 32, 32) and seen.frames.dtype == np.uint8
    assert (seen.places[0::2] == 0.5).all()
    assert np.allclose(seen.places[1::2, 0] * 18, [11, 13, 15, 11])  # the third is the last of its episode
    columns = [np.nonzero(frame[0].sum(axis=0))[0].mean() for frame in seen.frames[1::2]]
    assert columns[2] > columns[0] + 2  # frames and factors are of the same moment
    tables.step(np.zeros(2, dtype=int))
    assert len(tables.take()) == 2  # taken once


def test_jumps_show_other_pictures_at_other_places_each_time(digits: Box) -> None:
    seen = digits.jumps(seed=0).see(300)
    assert len(np.unique(seen.places, axis=0)) > 150
    assert set(seen.classes) == set(range(10))
    assert abs(np.corrcoef(seen.places[:-1, 0], seen.places[1:, 0])[0, 1]) < 0.2
    again = digits.jumps(seed=0).see(300)
    assert np.array_equal(seen.frames, again.frames)


def test_classes_are_those_of_the_pictures_shown(digits: Box) -> None:
    seen = digits.jumps(seed=1).see(40)
    for frame, label, place in zip(seen.frames, seen.classes, seen.places, strict=True):
        x, y = np.rint(place * 18).astype(int)
        picture = frame[0, y : y + 14, x : x + 14]
        same = (digits.images.images == picture).all(axis=(1, 2))
        assert label in digits.images.labels[same]
        assert picture.sum() == frame.sum()


def test_sights_are_joined_and_picked_in_step() -> None:
    part = Sights(np.zeros((2, 1, 4, 4), np.uint8), np.array([1, 2]), np.zeros((2, 2), np.float32))
    both = Sights.joined([part, part])
    assert both.classes.tolist() == [1, 2, 1, 2] and both[np.array([3, 0])].classes.tolist() == [2, 1]


@pytest.fixture
def pursued(digits: Box) -> tuple[CodeAndGap, ImaginationBonus, Worldview, SeenTables]:
    worldview = Worldview.of_learner(Learner(VASE(SMALL)))
    bonus = ImaginationBonus(ImaginationConfig(enough=8, imagined=16, judged=8, near=0.1), worldview=worldview)
    tables = digits.tables(4, episode=5, seed=0, start="random", push=2)
    rewarded = BonusReward(tables, bonus, normalise="none", extrinsic=0.0, learn_every=4, show_goal=True)
    return CodeAndGap(rewarded), bonus, worldview, tables


def test_the_gap_is_as_long_as_the_goal_is_far_at_an_episodes_end_too(pursued: tuple) -> None:
    seen, bonus, worldview, tables = pursued
    seen.reset()
    rng = np.random.default_rng(0)
    lengths, ends = [], 0
    for _ in range(40):
        before = (bonus.pursuits.weights.copy(), bonus.pursuits.codes.copy(), bonus.pursuits.active.copy())
        observations, _, dones, infos = seen.step(rng.integers(5, size=4))
        codes, gap = np.split(observations, 2, axis=1)
        expected = bonus.pursuits.distance(codes)
        assert np.linalg.norm(gap, axis=1) == pytest.approx(expected, abs=1e-4)
        lengths += [*np.linalg.norm(gap, axis=1)]
        for index in np.flatnonzero(dones):
            code, lacking = np.split(infos[index]["terminal_observation"], 2)
            weights, goal, active = (part[index] for part in before)
            assert lacking == pytest.approx(np.sqrt(weights) * (goal - code) * active, abs=1e-4)
            ends += 1
    assert ends == 32 and max(lengths) > 0.1
    assert np.allclose(codes[~dones], worldview.encode(tables.take().frames[-4:])[0][~dones], atol=1e-5)


def test_what_the_agent_is_paid_is_how_much_shorter_the_gap_became(pursued: tuple) -> None:
    seen, bonus, *_ = pursued
    before, rng = seen.reset(), np.random.default_rng(0)
    compared = 0
    for _ in range(60):
        weights, goals = bonus.pursuits.weights.copy(), bonus.pursuits.codes.copy()
        after, rewards, dones, _ = seen.step(rng.integers(5, size=4))
        kept = ~dones & (bonus.pursuits.codes == goals).all(axis=1) & (bonus.pursuits.weights == weights).all(axis=1)
        kept &= bonus.pursuits.active
        shorter = np.linalg.norm(before[:, 3:], axis=1) - np.linalg.norm(after[:, 3:], axis=1)
        assert rewards[kept] == pytest.approx(shorter[kept], abs=1e-4)
        compared += int(kept.sum())
        before = after
    assert compared > 50
