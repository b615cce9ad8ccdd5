"""Learn to see: a VASE looks at pairs of frames from a trajectory store, and keeps what changes sparse.

python examples/02_pretrain.py --store runs/indoor --run runs/vase

Run it again with another store, and the same VASE goes on there. Nobody tells it that the world has changed.
"""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
import tyro
from tqdm import trange

from perma_agent import VASE, Learner, LearnerConfig, TrajectoryStore, VASEConfig
from perma_agent.continual.checkpoint import load_learner, save_run
from perma_agent.continual.run_folder import is_run_folder
from perma_agent.data import PairSampler


@dataclass(kw_only=True)
class Args:
    """Pretrain a VASE."""

    store: Path = Path("runs/indoor")
    """trajectories to learn from, as 01_collect.py records them"""
    run: Path = Path("runs/vase")
    """run folder of the VASE; one that is there already is gone on with"""
    updates: int = 5_000
    """batches to learn from"""
    pairs: int = 32
    """pairs of frames in a batch"""
    offsets: tuple[int, ...] = (1, 4, 16)
    """steps between the two frames of a pair"""
    model: VASEConfig = field(default_factory=VASEConfig)
    """the network"""
    learner: LearnerConfig = field(default_factory=LearnerConfig)
    """how it learns: permanence, capacity, dreams, environments"""
    seed: int = 0
    """of the network and of the choice of pairs"""
    debug: bool = False
    """a tiny network and a few batches, in seconds"""


def main(args: Args) -> None:
    """Learn and save."""
    if args.debug:
        args.updates, args.pairs = 30, 8
        args.model = VASEConfig(filters=(8, 16, 16, 16), hidden=64, latents=8)
    torch.manual_seed(args.seed)
    learner = load_learner(args.run) if is_run_folder(args.run) else Learner(VASE(args.model), args.learner)
    rng = np.random.default_rng([args.seed, learner.step])

    with TrajectoryStore.open(args.store) as store:
        source = PairSampler(store, offsets=args.offsets)
        for _ in (bar := trange(args.updates, desc="learning", unit="batch")):
            update = learner.update(source.draw(args.pairs, rng=rng))
            bar.set_postfix(environment=update.environment, known=int(update.metrics["environment/count"]))

    save_run(learner, args.run)
    print(f"{args.run}: {learner.step} batches, {len(learner.inference.records)} environments")


if __name__ == "__main__":
    main(tyro.cli(Args))
