"""Figure 5B's agents: who pushes, who does not, and who looks before it pushes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from perma_agent.continual import EnvironmentRecord, Learner
from perma_agent.models import VASE
from perma_agent.studies.exploration.figure_5b_agents import Pusher, Random, Still
from perma_agent.studies.exploration.figure_5b_config import FIGURE_5B
from perma_agent.studies.exploration.figure_5b_tables import Box, SeenTables
from perma_agent.types import FramePairs

SMOKE = FIGURE_5B["smoke"]
CONFIG = replace(SMOKE, pusher=replace(SMOKE.pusher, practice=256))


@pytest.fixture(scope="module")
def digits() -> Box:
    return Box.of("digits", size=32, split="train", data=None)


def tables(box: Box, start: str = "centre") -> SeenTables:
    return box.tables(CONFIG.pusher.copies, episode=CONFIG.episode, seed=0, start=start, push=2)


def learner(box: Box, *, batches: int) -> Learner:
    made, jumps = Learner(VASE(CONFIG.model), CONFIG.learner), box.jumps(seed=0)
    for _ in range(batches):
        made.update(FramePairs.unpaired(jumps.see(16).frames))
    return made


def test_who_has_nothing_to_gain_pushes_nothing(digits: Box) -> None:
    seen = Still(tables(digits), steps=12).act(learner(digits, batches=1))
    assert len(seen) == 12 * CONFIG.pusher.copies
    assert (seen.places == 0.5).all()


def test_random_pushes_reach_as_far_as_a_random_walk(digits: Box) -> None:
    agent = Random(tables(digits), steps=SMOKE.episode * 40, rng=np.random.default_rng(0))
    seen = agent.act(learner(digits, batches=1))
    last = seen.places.reshape(-1, CONFIG.pusher.copies, 2)[SMOKE.episode - 1 :: SMOKE.episode]
    assert last.std() * 18 == pytest.approx(2 * np.sqrt(0.4 * SMOKE.episode), rel=0.1)


def test_it_looks_until_its_vase_knows_where_it_is_then_pushes(digits: Box) -> None:
    vase = learner(digits, batches=20)
    agent = Pusher(tables(digits, "random"), vase, config=CONFIG, seed=0)
    agent.practise()
    agent.move_to(tables(digits))
    vase.inference.records[0].settled = False
    for _ in range(2):
        assert (agent.act(vase).places == 0.5).all()
        agent.learnt(vase)
    vase.inference.records[0].settled = True
    agent.learnt(vase)
    assert (agent.act(vase).places != 0.5).any()


def test_what_was_learnt_at_practice_goes_along(digits: Box) -> None:
    vase = learner(digits, batches=20)
    agent = Pusher(tables(digits, "random"), vase, config=CONFIG, seed=0)
    agent.practise()
    met, weights = agent.bonus.learn()["met"], agent.agent.policy.state_dict()
    agent.move_to(tables(digits))
    assert agent.bonus.learn()["met"] >= met > 0
    assert all((value == agent.agent.policy.state_dict()[name]).all() for name, value in weights.items())
    step = vase.step
    agent.act(vase)
    assert agent.bonus.imaginer.worldview.step == step  # sees through the VASE as it is now


def test_it_goes_on_imagining_for_the_environment_in_which_it_looked(digits: Box) -> None:
    vase = learner(digits, batches=20)
    agent = Pusher(tables(digits, "random"), vase, config=CONFIG, seed=0)
    agent.practise()
    agent.move_to(tables(digits))
    agent.act(vase)
    vase.inference.records[0].settled = True
    agent.learnt(vase)
    vase.inference.records.append(EnvironmentRecord.new(CONFIG.model.latents))
    vase.inference.current = 1  # opened by its own pushes
    agent.act(vase)
    assert agent.bonus.imaginer.worldview.environment == 0
    assert vase.environment == 1  # left as it was
