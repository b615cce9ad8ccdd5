"""Imagine: an agent explores, paid only for bringing about what its VASE imagines, and shows what that is.

python examples/04_imagine.py --run runs/vase --level perma/IndoorMaze-v0
"""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import gymnasium
import tyro
from stable_baselines3 import PPO
from stable_baselines3.common.env_util import make_vec_env

import perma_agent.envs  # noqa: F401  registers the levels with Gymnasium
from perma_agent.cli import imagine
from perma_agent.imagination.imagination_config import ImaginationConfig
from perma_agent.sb3 import EncodedObservation
from perma_agent.wrappers import ImaginationReward


@dataclass(kw_only=True)
class Args:
    """Explore without any reward of the level's own."""

    level: str = "perma/IndoorMaze-v0"
    """level to explore"""
    cells: int = 2
    """rows and columns of the maze"""
    steps: int = 300
    """steps until an episode is cut off"""
    run: Path = Path("runs/vase")
    """run folder of the VASE, as 02_pretrain.py writes it; it stays as it is"""
    store: Path = Path("runs/indoor")
    """frames to imagine from, as 01_collect.py records them"""
    sheet: Path = Path("runs/imagined.png")
    """picture of what is imagined from them"""
    timesteps: int = 100_000
    """steps of the agent, over all copies"""
    copies: int = 8
    """levels side by side"""
    seed: int = 0
    """of the policy, the levels and the imagination"""
    debug: bool = False
    """a few steps only, in seconds"""


def main(args: Args) -> None:
    """Imagine, then explore."""
    config = ImaginationConfig(seed=args.seed)
    if args.debug:
        args.timesteps, args.copies, args.cells, args.steps = 512, 2, 1, 40
        config = ImaginationConfig(seed=args.seed, enough=64, horizon=20)
    imagine.run(imagine.Config(run=args.run, store=args.store, out=args.sheet, seed=args.seed))

    maze = partial(gymnasium.make, args.level, rows=args.cells, columns=args.cells, max_episode_steps=args.steps)
    venv = EncodedObservation(make_vec_env(maze, n_envs=args.copies, seed=args.seed), args.run)
    # The policy sees the code and what it lacks of the goal; the level's own reward is left in `info` only.
    venv = ImaginationReward(venv, args.run, config=config, extrinsic=0.0, learn_every=64, warmup=16)
    agent = PPO("MultiInputPolicy", venv, n_steps=64, batch_size=128, ent_coef=0.01, seed=args.seed)
    agent.learn(args.timesteps, progress_bar=True)

    print("what could be brought about so far:")
    for row in venv.realisable():
        if row["what"] == "kind":
            print(f"{row['name']:12} reached {row['reached']:5.1f}, missed {row['missed']:5.1f}")
    venv.close()


if __name__ == "__main__":
    main(tyro.cli(Args))
