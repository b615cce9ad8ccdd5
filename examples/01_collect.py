"""Record what an agent sees: a wanderer walks through levels, and every episode goes into a trajectory store.

python examples/01_collect.py --frames 20000 --store runs/indoor
"""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import gymnasium
import numpy as np
import tyro
from stable_baselines3.common.vec_env import DummyVecEnv
from tqdm import trange

from perma_agent import TrajectoryStore
from perma_agent.envs import ACTIONS  # the import also registers the levels with Gymnasium
from perma_agent.wrappers import RecordTrajectories


@dataclass(kw_only=True)
class Args:
    """Record trajectories."""

    levels: tuple[str, ...] = ("perma/IndoorForage-v0", "perma/IndoorMaze-v0", "perma/IndoorDeferred-v0")
    """levels to walk through, one after the other among the copies"""
    store: Path = Path("runs/indoor")
    """where the trajectories go; a store that is there already is added to"""
    frames: int = 10_000
    """how many to record"""
    copies: int = 9
    """levels side by side"""
    seed: int = 0
    """of the levels and of the walk"""
    debug: bool = False
    """a few frames only, in seconds"""


def main(args: Args) -> None:
    """Walk and record."""
    if args.debug:
        args.frames, args.copies = 300, 3
    rng = np.random.default_rng(args.seed)
    makers = [partial(gymnasium.make, args.levels[copy % len(args.levels)]) for copy in range(args.copies)]
    with TrajectoryStore.open_or_create(args.store) as store:
        venv = RecordTrajectories(DummyVecEnv(makers), store, policy="wanderer")
        venv.seed(args.seed)
        venv.reset()

        # A uniformly random policy hardly leaves the spot: go forward more often, and keep going for a while.
        taste = np.array([3.0 if name == "forward" else 1.0 for name in ACTIONS])
        actions = np.full(args.copies, ACTIONS.index("forward"))
        for _ in trange(args.frames // args.copies, desc="recording", unit="step"):
            fresh = rng.choice(len(ACTIONS), size=args.copies, p=taste / taste.sum())
            actions = np.where(rng.random(args.copies) < 0.25, fresh, actions)
            venv.step(actions)
        venv.close()  # stores the episodes that are under way

        for level, found in store.summary().levels.items():
            print(f"{level}: {found.trajectories} trajectories, {found.frames} frames")


if __name__ == "__main__":
    main(tyro.cli(Args))
