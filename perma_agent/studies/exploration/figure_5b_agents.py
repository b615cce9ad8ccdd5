"""Figure 5B's agents: one that realises what it imagines, one that has nothing to gain, one that pushes at random."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Protocol

import numpy as np
from stable_baselines3 import PPO

from perma_agent.continual import Learner
from perma_agent.envs.table.level import PUSHES
from perma_agent.imagination.reward import ImaginationBonus
from perma_agent.imagination.worldview import Worldview
from perma_agent.studies.exploration.figure_5b_config import Figure5BConfig
from perma_agent.studies.exploration.figure_5b_tables import CodeAndGap, SeenTables, Sights
from perma_agent.wrappers import BonusReward

STAY = PUSHES.index("stay")


class Agent(Protocol):
    """Acts on tables, a rollout at a time."""

    def act(self, learner: Learner) -> Sights:
        """Make one rollout's steps; the learner is what the VASE has become by now, and is left as it is."""
        ...

    def learnt(self, learner: Learner) -> None:
        """The learner has now learnt from these steps."""
        ...


class Still:
    """Pushes nothing.

    Args:
        tables: to look at.
        steps: of each table in a rollout.
    """

    def __init__(self, tables: SeenTables, *, steps: int) -> None:
        self._tables, self._steps = tables, steps
        tables.reset()

    def act(self, learner: Learner) -> Sights:
        """Look."""
        for _ in range(self._steps):
            self._tables.step(self._actions())
        return self._tables.take()

    def learnt(self, learner: Learner) -> None:
        """Nothing follows from it."""

    def _actions(self) -> np.ndarray:
        return np.full(self._tables.num_envs, STAY)


class Random(Still):
    """Pushes at random.

    Args:
        tables: to push on.
        steps: of each table in a rollout.
        rng: draws the pushes.
    """

    def __init__(self, tables: SeenTables, *, steps: int, rng: np.random.Generator) -> None:
        super().__init__(tables, steps=steps)
        self._rng = rng

    def _actions(self) -> np.ndarray:
        return self._rng.integers(len(PUSHES), size=self._tables.num_envs)


class Pusher:
    """PPO that sees its code and its goal's, paid by `ImaginationBonus` alone; it goes on learning wherever it is.

    Moved to other tables it first looks, and does not push before its VASE knows where it is (the environment inferred
    has settled): until then there is nothing of which it could imagine that it were otherwise. From then on it imagines
    for that environment. Its own pushes soon make the VASE open another one, in which things move and so nothing is
    left to be lent: goals imagined for that one kept digits nearer to the middle (one seed: a standard
    deviation of .19 instead of .23 of the way along an axis).

    Args:
        tables: to practise on.
        learner: of the VASE.
        config: of agent and bonus.
        seed: of both.
    """

    def __init__(self, tables: SeenTables, learner: Learner, *, config: Figure5BConfig, seed: int) -> None:
        self._config, self._seed = config, seed
        self._rollouts, self._looking = 0, False
        self._home: int | None = None
        self._sit_at(tables, Worldview.of_learner(learner))
        pusher = config.pusher
        self.agent = PPO(
            "MlpPolicy",
            self._seen,
            gamma=pusher.discount,
            seed=seed,
            policy_kwargs={"net_arch": list(pusher.layers)},
            device="cpu",
            **pusher.arguments(),
        )

    @property
    def bonus(self) -> ImaginationBonus:
        """What it pursues."""
        bonus = self._rewarded.bonus
        assert isinstance(bonus, ImaginationBonus)
        return bonus

    def practise(self) -> None:
        """Learn to push, with a VASE that stays as it is."""
        self.agent.learn(self._config.pusher.practice)
        self._tables.take()

    def move_to(self, tables: SeenTables) -> None:
        """Take policy, memory and all that was learnt to other tables, and look at first."""
        learnt, worldview = self._rewarded.learnt_state(), self._worldview()
        self._sit_at(tables, worldview)
        self._rewarded.restore_learnt(learnt)
        self.agent.set_env(self._seen)
        self._looking, self._home = True, None
        tables.reset()

    def act(self, learner: Learner) -> Sights:
        """Push for a rollout and learn from it, or look."""
        if self._rollouts % self._config.renew_every == 0:
            with _as_if_in(learner, self._home):
                self.bonus.renew(learner)
        self._rollouts += 1
        if self._looking:
            return self._look()
        self.agent.learn(self._config.pusher.rollout, reset_num_timesteps=False)
        return self._tables.take()

    def _look(self) -> Sights:
        """The bonus meets what is seen, but no goal that it sets is held against it."""
        for _ in range(self._config.pusher.steps_per_rollout):
            observations, *_ = self._tables.step(np.full(self._tables.num_envs, STAY))
            assert isinstance(observations, np.ndarray)
            self.bonus.begin(observations)
        self.bonus.learn()
        return self._tables.take()

    def learnt(self, learner: Learner) -> None:
        """Once the environment has settled, looking is over."""
        environment = learner.environment
        if self._looking and environment is not None and learner.inference.records[environment].settled:
            self._looking, self._rollouts, self._home = False, 0, environment

    def _sit_at(self, tables: SeenTables, worldview: Worldview) -> None:
        config = self._config
        self._tables = tables
        self._rewarded = BonusReward(
            tables,
            ImaginationBonus(replace(config.bonus, seed=self._seed), worldview=worldview),
            extrinsic=0.0,
            normalise="none",
            learn_every=config.pusher.steps_per_rollout,
            show_goal=True,
        )
        self._seen = CodeAndGap(self._rewarded)

    def _worldview(self) -> Worldview:
        worldview = self.bonus.imaginer.worldview
        assert worldview is not None
        return worldview


@contextmanager
def _as_if_in(learner: Learner, environment: int | None) -> Iterator[None]:
    """The learner as if it had inferred that environment; None leaves it as it is."""
    inferred = learner.inference.current
    learner.inference.current = inferred if environment is None else environment
    try:
        yield
    finally:
        learner.inference.current = inferred
