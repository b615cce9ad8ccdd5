"""Collecting: a wandering policy walks through levels while its trajectories are recorded."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from stable_baselines3.common.vec_env import VecEnv

from perma_agent.data import TrajectoryStore
from perma_agent.envs import ACTIONS
from perma_agent.studies.levels import LevelChoice, make_copies
from perma_agent.wrappers import RecordTrajectories

KEPT = 0.75
"""Probability that the wanderer repeats its last action: a uniformly random one hardly leaves the spot."""
PREFERENCE = {"turn_left": 1.0, "turn_right": 1.0, "forward": 3.0, "back": 0.5, "use": 0.25}
"""Relative frequency of the actions it changes to."""


class Wanderer:
    """Repeats its last action most of the time and prefers to go forward; the policy trajectories are recorded with.

    Args:
        copies: N, levels it walks through at once.
        rng: source of randomness.
    """

    name = "wanderer"

    def __init__(self, copies: int, *, rng: np.random.Generator) -> None:
        weights = np.array([PREFERENCE[action] for action in ACTIONS])
        self._probabilities = weights / weights.sum()
        self._rng = rng
        self._actions = rng.choice(len(ACTIONS), size=copies, p=self._probabilities)

    def __call__(self) -> np.ndarray:
        """The next action of each copy, int64, shape `[N]`."""
        fresh = self._rng.choice(len(ACTIONS), size=len(self._actions), p=self._probabilities)
        keep = self._rng.random(len(self._actions)) < KEPT
        self._actions = np.where(keep, self._actions, fresh)
        return self._actions


def collect(
    choices: Sequence[LevelChoice],
    store: str | Path,
    *,
    frames: int,
    copies: int = 8,
    seed: int = 0,
    on_frames: Callable[[int], bool | None] | None = None,
) -> TrajectoryStore:
    """Record at least `frames` frames of the levels into a store, which is made if it is missing.

    Args:
        choices: levels, shown in turn by the copies.
        store: folder of the trajectory store.
        frames: how many to record, over all copies.
        copies: levels in parallel.
        seed: of the levels and of the wanderer. Where the store holds n trajectories already, `seed + n` takes its
            place, so that calling this again records something else.
        on_frames: called with the number of frames of each step, for a progress bar; if it returns False, this ends.

    Returns:
        The store, open for reading.

    Raises:
        LevelError: a level cannot be made.
        StoreError: the store cannot be written or is something else.
    """
    venv: VecEnv = make_copies(choices, copies=copies)  # first: an unknown level leaves no empty store behind
    try:
        opened = TrajectoryStore.open_or_create(store)
        venv = RecordTrajectories(venv, opened, policy=Wanderer.name)
        fresh = seed + len(opened)
        act = Wanderer(copies, rng=np.random.default_rng(fresh))
        venv.seed(fresh)
        venv.reset()
        for _ in range(-(-frames // copies)):
            venv.step(act())
            if on_frames is not None and on_frames(copies) is False:
                break
    finally:
        venv.close()
    opened.refresh()
    return opened
