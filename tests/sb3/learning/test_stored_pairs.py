"""A store in place of the window: episodes of the present environment, also those recorded meanwhile."""

from __future__ import annotations

import numpy as np
import pytest
from stable_baselines3 import PPO

from perma_agent.continual import Learner
from perma_agent.data import TrajectoryStore
from perma_agent.sb3 import ContinualConfig, ContinualVASECallback, VASEFeaturesExtractor
from perma_agent.sb3.learning.experience import Experience
from perma_agent.sb3.learning.stored_pairs import StoredPairs
from perma_agent.types import FramePairs, Trajectory
from perma_agent.wrappers import RecordTrajectories

NOTHING = Experience(np.zeros((1, 1, 3, 4, 4), dtype=np.uint8), np.ones((1, 1), dtype=bool))


def episode(value: int, steps: int) -> Trajectory:
    """An episode whose every pixel is `value`."""
    return Trajectory(
        frames=np.full((steps + 1, 4, 4, 3), value, dtype=np.uint8),
        actions=np.zeros(steps, dtype=np.int64),
        rewards=np.zeros(steps, dtype=np.float32),
        terminated=True,
        truncated=False,
    )


def values(pairs: StoredPairs, rng: np.random.Generator) -> set[int]:
    drawn = pairs.draw(200, rng=rng)
    assert drawn.frames.shape == (200, 3, 4, 4) and set(drawn.offsets.tolist()) <= {1, 2}
    return set(np.unique(drawn.frames).tolist())


def test_what_is_drawn_from(tmp_path, rng):
    store = TrajectoryStore.create(tmp_path / "store")
    pairs = StoredPairs(store, offsets=(1, 2))
    assert len(pairs) == 0  # nothing is there yet
    store.add(episode(7, steps=1))
    pairs.add(NOTHING)
    assert len(pairs) == 0  # too short for a pair of offset 2
    store.add(episode(10, steps=5))
    pairs.add(NOTHING)
    assert values(pairs, rng) == {10} and len(pairs) == 5 + 4
    store.add(episode(20, steps=5))
    assert values(pairs, rng) == {10}
    pairs.add(NOTHING)
    assert values(pairs, rng) == {10, 20}
    pairs.clear()  # the environment changed
    assert len(pairs) == 0
    store.add(episode(30, steps=5))
    pairs.add(NOTHING)
    assert values(pairs, rng) == {30}
    store.close()


def test_episodes_of_before_are_drawn_from_the_beginning(tmp_path, rng):
    with TrajectoryStore.create(tmp_path / "store") as store:
        store.add(episode(40, steps=5))
    again = TrajectoryStore.open(tmp_path / "store")
    assert values(StoredPairs(again, offsets=(1, 2)), rng) == {40}
    again.close()


@pytest.mark.parametrize("with_store", [True, False])
def test_every_second_batch_comes_from_the_store(run, level, tmp_path, monkeypatch, with_store):
    batches: list[FramePairs] = []
    update = Learner.update
    monkeypatch.setattr(Learner, "update", lambda self, pairs: batches.append(pairs) or update(self, pairs))
    store = TrajectoryStore.create(tmp_path / "store")
    marked = np.full((21, 64, 64, 3), 77, dtype=np.uint8)
    store.add(
        Trajectory(
            frames=marked,
            actions=np.zeros(20, dtype=np.int64),
            rewards=np.zeros(20, dtype=np.float32),
            terminated=False,
            truncated=True,
        )
    )
    callback = ContinualVASECallback(
        config=ContinualConfig(updates_per_rollout=4, every=1, pairs=4), store=store if with_store else None
    )
    options = {"n_steps": 16, "batch_size": 16, "n_epochs": 1, "seed": 0, "device": "cpu"}
    PPO("CnnPolicy", level(), policy_kwargs=VASEFeaturesExtractor.policy_kwargs(run), **options).learn(
        64, callback=callback
    )
    from_store = [bool((pairs.frames == 77).all()) for pairs in batches]
    # In the first round the very first environment is opened, and the newest frames alone can tell.
    assert from_store == [False] * 4 + ([False, True, False, True] if with_store else [False] * 4)
    store.close()


def test_a_store_that_is_recorded_into_meanwhile(run, level, tmp_path):
    store = TrajectoryStore.create(tmp_path / "store")
    venv = RecordTrajectories(level(limit=18), store)
    callback = ContinualVASECallback(config=ContinualConfig(updates_per_rollout=2, every=1, pairs=4), store=store)
    kwargs = VASEFeaturesExtractor.policy_kwargs(run)
    agent = PPO("CnnPolicy", venv, policy_kwargs=kwargs, n_steps=20, batch_size=20, n_epochs=1, seed=0, device="cpu")
    agent.learn(4 * 40, callback=callback)
    venv.flush()
    assert callback.learner.step == 8 and len(store) >= 6
    store.close()
