"""The demo: from 3D levels to a trained policy, indoors and out, in one run of some minutes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch

from perma_agent.continual import InferenceConfig, Learner, LearnerConfig, Update
from perma_agent.continual.checkpoint import save_run
from perma_agent.data import PairSampler, TrajectoryStore
from perma_agent.evaluation.history import LearningHistory, World
from perma_agent.evaluation.policies import Act, EpisodeStatistics, RandomPolicy, evaluate_on_level
from perma_agent.models import VASE, VASEConfig
from perma_agent.objectives import CapacityConfig, CapacitySchedule, PermanenceConfig
from perma_agent.sb3.learning.continual_config import ContinualConfig
from perma_agent.studies.collecting import collect
from perma_agent.studies.levels import LevelChoice, make_copies
from perma_agent.studies.policy_training import PolicyConfig, TrainedPolicy, train_policy
from perma_agent.studies.pretraining import pretrain
from perma_agent.studies.short_learner import short_learner

EASY_MAZE: Mapping[str, Any] = {"rows": 2, "columns": 2, "max_episode_steps": 80}
"""A maze of four cells: what can be learnt in a few minutes of a demo, and seldom happens by chance."""


@dataclass(frozen=True, kw_only=True)
class DemoConfig:
    """What the demo records, learns and tests."""

    folder: Path = Path("runs/demo")
    """Where everything is written."""
    seed: int = 0
    """Of levels, model, batches and policy."""
    frames: int = 12_000
    """Frames recorded in each world."""
    indoor_updates: int = 1_200
    """Batches the VASE is pretrained on, indoors."""
    outdoor_updates: int = 700
    """Batches it goes on with outdoors."""
    episodes: int = 64
    """Episodes of each policy on each level at the end."""
    copies: int = 8
    """Levels in parallel."""
    pairs: int = 32
    """Pairs of frames in a batch."""
    offsets: tuple[int, ...] = (1, 4, 16)
    """Steps between the two frames of a pair."""
    model: VASEConfig = field(default_factory=VASEConfig)
    """The VASE."""
    learner: LearnerConfig = field(default_factory=short_learner)
    """How it learns."""
    policy: PolicyConfig = field(
        default_factory=lambda: PolicyConfig(timesteps=81_920, continual=ContinualConfig(updates_per_rollout=4))
    )
    """PPO on its latents."""
    levels: tuple[str, ...] = ("Forage", "Maze", "Deferred")
    """Tasks walked through while recording, indoors and outdoors alike."""
    task: str = "Maze"
    """Task of the policy."""
    task_arguments: Mapping[str, Any] = field(default_factory=lambda: dict(EASY_MAZE))
    """Arguments of its level."""

    @classmethod
    def debug(cls, **changes: Any) -> DemoConfig:
        """The same in under a minute: a tiny network, few frames; its figures mean nothing."""
        return cls(
            **{
                "frames": 1_600,
                "indoor_updates": 120,
                "outdoor_updates": 60,
                "episodes": 8,
                "pairs": 16,
                "model": VASEConfig(filters=(8, 16, 16, 16), hidden=64, latents=16),
                "learner": LearnerConfig(
                    capacity=CapacityConfig(warm_up=60, schedule=CapacitySchedule(steps=100)),
                    permanence=PermanenceConfig(warm_up=30),
                    inference=InferenceConfig(burn_in=40),
                ),
                "policy": PolicyConfig(timesteps=2_048, continual=ContinualConfig(updates_per_rollout=2)),
                **changes,
            }
        )

    def level(self, setting: str) -> LevelChoice:
        """The policy's level in one setting."""
        return LevelChoice(id=f"perma/{setting.title()}{self.task}-v0", arguments=self.task_arguments)

    def recorded(self, setting: str) -> tuple[LevelChoice, ...]:
        """The levels recorded in one setting: each task as it is, and the policy's own."""
        others = (LevelChoice(id=f"perma/{setting.title()}{task}-v0") for task in self.levels)
        return (self.level(setting), *others)


@dataclass(frozen=True, kw_only=True)
class DemoResult:
    """All that the demo found out."""

    config: DemoConfig
    """What was run."""
    learner: Learner
    """The learner at the end."""
    history: LearningHistory
    """Every batch it saw."""
    worlds: tuple[World, ...]
    """What those batches truly came from."""
    frames: Mapping[str, np.ndarray]
    """Some frames of each world, uint8, shape `[B, C, H, W]`, by setting."""
    policy: TrainedPolicy
    """The policy and its training episodes."""
    episodes: Mapping[str, Mapping[str, EpisodeStatistics]]
    """Test episodes by policy (`trained`, `random`) and setting."""
    seconds: Mapping[str, float]
    """Wall-clock seconds of each stage."""


class ProgressBar(Protocol):
    """Makes a progress bar: a context manager that gives a function to call with the steps done."""

    def __call__(self, label: str, *, total: int) -> AbstractContextManager[Callable[[float], None]]:
        """A bar named `label` for `total` steps."""


@contextmanager
def no_progress(label: str, *, total: int) -> Iterator[Callable[[float], None]]:
    """No bar at all."""
    yield lambda steps: None


def run_demo(config: DemoConfig, *, progress: ProgressBar = no_progress) -> DemoResult:
    """Record indoors, pretrain, go on outdoors, train a policy indoors while the VASE goes on learning, test it.

    Args:
        config: how much of each.
        progress: makes a bar for each stage.

    Raises:
        LevelError: a level's engine is missing.
        StoreError: the trajectories cannot be written, or something else is in their place.
        RunFolderError: the model cannot be written.
    """
    stages = _Stages(config, progress)
    torch.manual_seed(config.seed)
    stores = {setting: stages.record(setting) for setting in ("indoor", "outdoor")}
    learner = Learner(VASE(config.model), replace(config.learner, seed=config.seed))
    updates: list[Update] = []
    learner.on_update.append(updates.append)
    worlds = []
    for setting, batches in (("indoor", config.indoor_updates), ("outdoor", config.outdoor_updates)):
        worlds.append(World(name=setting, start=learner.step + 1))
        stages.pretrain(learner, stores[setting], setting=setting, batches=batches)
    run = config.folder / "vase"
    save_run(learner, run)
    before = learner.step
    policy = stages.train(learner, run)
    if learner.step > before:
        worlds.append(World(name="indoor", start=before + 1))
    episodes = stages.evaluate(policy)
    rng = np.random.default_rng(config.seed)
    frames = {setting: PairSampler(store, offsets=(1,)).draw(6, rng=rng).frames for setting, store in stores.items()}
    for store in stores.values():
        store.close()
    return DemoResult(
        config=config,
        learner=learner,
        history=LearningHistory.of(updates),
        worlds=tuple(worlds),
        frames=frames,
        policy=policy,
        episodes=episodes,
        seconds=stages.seconds,
    )


class _Stages:
    """The stages one by one, each with its bar and its clock."""

    def __init__(self, config: DemoConfig, progress: ProgressBar) -> None:
        self.config = config
        self.seconds: dict[str, float] = {}
        self._progress = progress

    def record(self, setting: str) -> TrajectoryStore:
        config = self.config
        path = config.folder / f"trajectories-{setting}"
        with self._stage(f"record {setting}", total=config.frames) as advance:
            return collect(
                config.recorded(setting),
                path,
                frames=config.frames,
                copies=config.copies,
                seed=config.seed,
                on_frames=advance,
            )

    def pretrain(self, learner: Learner, store: TrajectoryStore, *, setting: str, batches: int) -> None:
        source = PairSampler(store, offsets=self.config.offsets)
        rng = np.random.default_rng(self.config.seed)
        with self._stage(f"learn {setting}", total=batches) as advance:
            pretrain(
                learner, source, updates=batches, pairs=self.config.pairs, rng=rng, on_update=lambda update: advance(1)
            )

    def train(self, learner: Learner, run: Path) -> TrainedPolicy:
        config = replace(self.config.policy, seed=self.config.seed, copies=self.config.copies)
        with self._stage("train policy indoor", total=config.timesteps) as advance:
            return train_policy(
                self.config.level("indoor"),
                run,
                config=config,
                learner=learner,
                save_to=run,
                tensorboard=self.config.folder / "tensorboard",
                on_steps=advance,
            )

    def evaluate(self, policy: TrainedPolicy) -> dict[str, dict[str, EpisodeStatistics]]:
        config = self.config
        results: dict[str, dict[str, EpisodeStatistics]] = {"trained": {}, "random": {}}
        with self._stage("test policies", total=4 * config.episodes) as advance:
            for setting in ("indoor", "outdoor"):
                venv = make_copies([config.level(setting)], copies=config.copies)
                chance = RandomPolicy(venv.action_space, rng=np.random.default_rng(config.seed))
                acts: dict[str, Act] = {"trained": lambda frames: policy.agent.predict(frames)[0], "random": chance}
                for name, act in acts.items():
                    results[name][setting] = evaluate_on_level(
                        act,
                        venv,
                        episodes=config.episodes,
                        seed=config.seed + 10_000,
                        on_episode=lambda: advance(1),
                    )
                venv.close()
        return results

    @contextmanager
    def _stage(self, name: str, *, total: int) -> Iterator[Callable[[float], None]]:
        began = time.perf_counter()
        with self._progress(name, total=total) as advance:
            yield advance
        self.seconds[name] = time.perf_counter() - began
