"""Act through it: Stable-Baselines3's PPO sees a level through a VASE, which goes on learning beside the policy.

python examples/03_train_policy.py --run runs/vase --level perma/IndoorMaze-v0
"""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import gymnasium
import tyro
from stable_baselines3 import PPO
from stable_baselines3.common.env_util import make_vec_env

import perma_agent.envs  # noqa: F401  registers the levels with Gymnasium
from perma_agent.sb3 import ContinualVASECallback, VASEFeaturesExtractor, save_bundle


@dataclass(kw_only=True)
class Args:
    """Train a policy."""

    level: str = "perma/IndoorMaze-v0"
    """level to learn"""
    cells: int = 2
    """rows and columns of the maze"""
    steps: int = 100
    """steps until an episode is cut off"""
    run: Path = Path("runs/vase")
    """run folder of the VASE, as 02_pretrain.py writes it"""
    agent: Path = Path("runs/agent")
    """where the agent goes, and the VASE that it has at the end"""
    timesteps: int = 100_000
    """steps of the agent, over all copies"""
    copies: int = 8
    """levels side by side"""
    seed: int = 0
    """of the policy and the levels"""
    debug: bool = False
    """a few steps only, in seconds"""


def main(args: Args) -> None:
    """Train and save."""
    if args.debug:
        args.timesteps, args.copies, args.cells, args.steps = 512, 2, 1, 20
    maze = partial(gymnasium.make, args.level, rows=args.cells, columns=args.cells, max_episode_steps=args.steps)
    venv = make_vec_env(maze, n_envs=args.copies, seed=args.seed)

    # All that is not plain Stable-Baselines3 is in the policy_kwargs and in the callback.
    agent = PPO(
        "CnnPolicy",
        venv,
        policy_kwargs=VASEFeaturesExtractor.policy_kwargs(args.run),
        n_steps=128,
        batch_size=256,
        ent_coef=0.01,
        seed=args.seed,
    )
    agent.learn(args.timesteps, callback=ContinualVASECallback(save_to=args.agent / "vase"), progress_bar=True)

    save_bundle(agent, args.agent, extra={"level": args.level, "cells": args.cells, "steps": args.steps})
    venv.close()
    print(f"{args.agent}: trained for {agent.num_timesteps} steps on {args.level}")


if __name__ == "__main__":
    main(tyro.cli(Args))
