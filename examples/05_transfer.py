"""Go elsewhere: the policy that was trained indoors plays outdoors too, beside one that acts at random.

python examples/05_transfer.py --agent runs/agent --levels perma/IndoorMaze-v0 perma/OutdoorMaze-v0
"""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import gymnasium
import numpy as np
import tyro
from stable_baselines3.common.env_util import make_vec_env

import perma_agent.envs  # noqa: F401  registers the levels with Gymnasium
from perma_agent.evaluation import RandomPolicy, evaluate_on_level
from perma_agent.sb3 import load_bundle, read_bundle


@dataclass(kw_only=True)
class Args:
    """Compare a policy with chance on levels that it was not trained on."""

    agent: Path = Path("runs/agent")
    """agent to test, as 03_train_policy.py saves it"""
    levels: tuple[str, ...] = ("perma/IndoorMaze-v0", "perma/OutdoorMaze-v0")
    """levels to play"""
    episodes: int = 64
    """episodes of each policy on each level"""
    copies: int = 8
    """levels side by side"""
    seed: int = 10_000
    """of the levels and of chance; another than in training"""
    debug: bool = False
    """a few episodes only, in seconds"""


def main(args: Args) -> None:
    """Play and compare."""
    if args.debug:
        args.episodes, args.copies = 4, 2
    agent = load_bundle(args.agent)
    home = read_bundle(args.agent).extra
    print(f"trained on {home['level']}; share of episodes that succeed, with 95% intervals over {args.episodes}")

    for level in args.levels:
        maze = partial(
            gymnasium.make, level, rows=home["cells"], columns=home["cells"], max_episode_steps=home["steps"]
        )
        venv = make_vec_env(maze, n_envs=args.copies)
        chance = RandomPolicy(venv.action_space, rng=np.random.default_rng(args.seed))
        for name, act in {"trained": lambda frames: agent.predict(frames)[0], "random": chance}.items():
            rate = evaluate_on_level(act, venv, episodes=args.episodes, seed=args.seed).success_rate
            print(f"{level:24} {name:8} {rate.value:6.1%}  [{rate.low:6.1%}, {rate.high:6.1%}]")
        venv.close()


if __name__ == "__main__":
    main(tyro.cli(Args))
