"""Presets of the study `exploration`: smoke for a look, bench for two cores, full for who has a day or many cores."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from perma_agent.continual import InferenceConfig, LearnerConfig
from perma_agent.models import VASEConfig
from perma_agent.studies.exploration.arms import ARMS, LEARNING, OURS, PLAIN, RIVAL
from perma_agent.studies.exploration.config import ExplorationStudy, Timing, Tuning
from perma_agent.studies.exploration.explorer import ExplorerConfig
from perma_agent.studies.exploration.figure_5b_config import FIGURE_5B
from perma_agent.studies.exploration.vases import PretrainingPlan

LED = (PLAIN, RIVAL, OURS)
"""Arms that are compared with most seeds."""
TEN, FIVE, THREE, TWO = (tuple(range(count)) for count in (10, 5, 3, 2))


def _smoke() -> ExplorationStudy:
    """One level, 512 steps a run and VASEs that learnt next to nothing: whether all of it runs."""
    return ExplorationStudy(
        preset="smoke",
        explorer=ExplorerConfig(steps=512, copies=4, steps_per_rollout=64, batch_size=64, epochs=1),
        pretraining=PretrainingPlan(
            frames=400,
            updates=24,
            pairs=8,
            model=VASEConfig(filters=(8, 8, 8, 8), hidden=32, latents=8),
            learner=LearnerConfig(inference=InferenceConfig(burn_in=8)),
        ),
        levels=("indoor-maze",),
        free=dict.fromkeys((PLAIN, RIVAL), (0,)),
        sparse={RIVAL: (0,)},
        figure_5b=FIGURE_5B["smoke"],
        tuning=Tuning(steps=256),
    )


def _bench() -> ExplorationStudy:
    """What is published: 49,152 steps a run (96 rollouts of 512), as many as fit into three hours on two cores.

    9 million steps in 178 runs and 2 million in 70 shorter ones to choose weights by: 60 reward-free and 60 sparse runs
    of the three arms that are led with, 40 of the five others, 18 in which the VASE learns on the way or the agent is
    moved. Two at a time, at 600 steps/s each (levels, encoder, bonus and PPO together), they take two hours and three
    quarters; the three VASEs, figure 5B and the timing of bonuses come on top.

    How PPO learns was chosen by the oracle alone, on the mazes of seeds 100 and 101. With a learning rate of 5e-4 and 4
    epochs not even an agent that is told where it is, and paid by `count`, covered more than one without a bonus. With
    1e-3, 10 epochs and rollouts of 128 steps of each copy it covered half of the maze of seed 100 in 32,768 steps, with
    rollouts of 64 and minibatches of 128 all of it.
    """
    free = {arm: FIVE if arm in LED or ARMS[arm].blind else TWO for arm in ARMS}
    return ExplorationStudy(
        preset="bench",
        explorer=ExplorerConfig(steps=49_152, steps_per_rollout=64, batch_size=128, learning_rate=1e-3, epochs=10),
        free=free,
        sparse=dict.fromkeys(LED, FIVE),
        scratch=dict.fromkeys(LED, THREE),
        transferred=dict.fromkeys(LED, THREE),
        checked=THREE,
        timing=Timing(arms=LEARNING),
        figure_5b=FIGURE_5B["bench"],
    )


def _full() -> ExplorationStudy:
    """Ten seeds of every arm, 245,760 steps a run, longer lives of the VASEs, weights chosen on three mazes."""
    bench = _bench()
    return replace(
        bench,
        preset="full",
        explorer=replace(bench.explorer, steps=245_760),
        pretraining=PretrainingPlan(frames=100_000, updates=40_000),
        free=dict.fromkeys(ARMS, TEN),
        sparse=dict.fromkeys(LEARNING, TEN),
        scratch=dict.fromkeys(LED, TEN),
        transferred=dict.fromkeys(LED, TEN),
        figure_5b=FIGURE_5B["full"],
        tuning=Tuning(seeds=(100, 101, 102), steps=81_920),
    )


PRESETS: Mapping[str, ExplorationStudy] = MappingProxyType(
    {made.preset: made for made in (_smoke(), _bench(), _full())}
)
"""Presets by name."""
