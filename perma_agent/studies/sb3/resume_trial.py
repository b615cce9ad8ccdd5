"""Kills a training again and again at random moments: does it end where the one that nobody disturbed ends?"""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load as tensors_from_bytes

from perma_agent.continual import DreamConfig, InferenceConfig, Learner, LearnerConfig
from perma_agent.continual.checkpoint import FILES as RUN_FILES
from perma_agent.continual.checkpoint import save_run
from perma_agent.continual.run_folder import read_files
from perma_agent.continual.stop_requests import stop_requests
from perma_agent.errors import PermaAgentError
from perma_agent.models import VASE, VASEConfig
from perma_agent.sb3.learning.continual_config import ContinualConfig
from perma_agent.sb3.saving.bundle import FILES as BUNDLE_FILES
from perma_agent.studies.agent_folder import CHECKPOINTS, EPISODES, VASE_RUN, save_agent
from perma_agent.studies.levels import LevelChoice
from perma_agent.studies.policy_training import PolicyConfig, train_policy

STARTING = 0.25
"""Share of the SIGKILLs that come while a process starts and reads its checkpoint."""
LIVES = 3
"""A trial is given up after so many processes for each kill that was asked for."""


@dataclass(frozen=True, kw_only=True)
class ResumeTrialConfig:
    """A PPO + VASE run that is killed."""

    kills: int = 20
    """Times a process is killed."""
    terminated: float = 0.5
    """Share of SIGTERM among the kills; the others are SIGKILL."""
    seed: int = 0
    """Of the moments and signals, the model and the training."""
    level: LevelChoice = field(
        default_factory=lambda: LevelChoice(
            id="perma/IndoorMaze-v0", arguments={"rows": 1, "columns": 2, "max_episode_steps": 50}
        )
    )
    """What is learnt."""
    model: VASEConfig = field(
        default_factory=lambda: VASEConfig(filters=(8, 8, 8, 8), hidden=32, latents=6, max_environments=3)
    )
    """The VASE."""
    policy: PolicyConfig = field(
        default_factory=lambda: PolicyConfig(
            timesteps=4_096,
            copies=2,
            steps_per_rollout=64,
            batch_size=64,
            epochs=2,
            save_every=256,
            continual=ContinualConfig(updates_per_rollout=8, every=128, pairs=8, window=512),
        )
    )
    """PPO and how the VASE goes on learning."""

    def __post_init__(self) -> None:
        if self.kills < 1 or not 0 <= self.terminated <= 1 or self.seed < 0:
            raise ValueError(f"expected at least one kill, a share in [0, 1] and a seed of at least 0, got {self}")


@dataclass(frozen=True, kw_only=True)
class ResumeOutcome:
    """How the disturbed run ended beside the undisturbed one."""

    terminated: int
    """Processes that were sent SIGTERM."""
    killed: int
    """Processes that were sent SIGKILL."""
    exits_with_0: int
    """Of those sent SIGTERM after training had begun, how many left with exit code 0."""
    processes: int
    """That it took, the last one included."""
    tensors: int
    """Compared: weights of policy and VASE, their optimisers, snapshot, records, random state."""
    max_difference: float
    """Largest absolute difference of any number in them; infinite if one lacks a tensor."""
    same_episodes: bool
    """Whether both met the same training episodes."""
    straight_seconds: float
    """What the undisturbed run took."""
    seconds: float
    """What the disturbed one took."""


def run_resume_trial(
    config: ResumeTrialConfig, folder: Path, *, on_kill: Callable[[], None] = lambda: None
) -> ResumeOutcome:
    """Train undisturbed, train disturbed, compare all that either leaves behind.

    Each process is one of its own, forked from a server that has imported what is needed, and dies for real.

    Args:
        config: of the trial.
        folder: new; holds both runs afterwards.
        on_kill: called after each kill, for a progress bar.

    Raises:
        PermaAgentError: a process failed by itself.
    """
    _make_run(config, folder / "vase")
    straight, disturbed = folder / "straight", folder / "disturbed"
    began = time.monotonic()
    _Process(config, folder, straight).finish()
    straight_seconds = time.monotonic() - began
    rng = np.random.default_rng(config.seed)
    counts = {"terminated": 0, "killed": 0, "exits_with_0": 0, "processes": 0}
    began = time.monotonic()
    longest = 1.2 * straight_seconds / config.kills  # all kills together take six tenths of a run
    while counts["terminated"] + counts["killed"] < config.kills:
        if counts["processes"] >= LIVES * config.kills or _is_finished(disturbed):
            break
        _disturb(_Process(config, folder, disturbed), counts, rng=rng, longest=longest, share=config.terminated)
        on_kill()
    while not _is_finished(disturbed):
        _Process(config, folder, disturbed).finish()
        counts["processes"] += 1
    tensors, difference = compare(straight, disturbed)
    return ResumeOutcome(
        **counts,
        tensors=tensors,
        max_difference=difference,
        same_episodes=(straight / EPISODES).read_bytes() == (disturbed / EPISODES).read_bytes(),
        straight_seconds=straight_seconds,
        seconds=time.monotonic() - began,
    )


def compare(one: Path, other: Path) -> tuple[int, float]:
    """Number of tensors in two agents' folders, and the largest difference of any number in them."""
    first, second = _tensors(one), _tensors(other)
    if first.keys() != second.keys():
        return len(first.keys() | second.keys()), float("inf")
    return len(first), max(_difference(value, second[name]) for name, value in first.items())


class _Process:
    """One process of a training, and a pipe that tells of its first step."""

    def __init__(self, config: ResumeTrialConfig, folder: Path, agent: Path) -> None:
        context = _context()
        self._ours, theirs = context.Pipe(duplex=False)
        self.process = context.Process(target=_train, args=(config, folder / "vase", agent, theirs))
        self.process.start()
        theirs.close()

    def finish(self) -> None:
        """Wait for its end.

        Raises:
            PermaAgentError: it failed.
        """
        self.process.join()
        self._ours.close()
        if self.process.exitcode != 0:
            raise PermaAgentError(f"expected a training to end, got exit code {self.process.exitcode}; see its stderr")

    def began(self) -> bool:
        """Wait for the first step; False if it ended before."""
        try:
            self._ours.recv()
        except EOFError:
            return False
        return True

    def send(self, number: signal.Signals, *, after: float) -> bool:
        """Wait, then send a signal and wait for the end; False if it ended by itself before."""
        self.process.join(after)
        alive = self.process.is_alive()
        if alive:
            os.kill(self.process.pid or 0, number)
        self.process.join()
        self._ours.close()
        return alive


def _disturb(life: _Process, counts: dict[str, int], *, rng: np.random.Generator, longest: float, share: float) -> None:
    """Kill a process, while it starts or at any moment up to `longest` seconds after its first step."""
    counts["processes"] += 1
    gently = rng.random() < share
    starting = not gently and rng.random() < STARTING
    began = not starting and life.began()
    sent = life.send(signal.SIGTERM if gently else signal.SIGKILL, after=float(rng.uniform(0, longest)))
    if sent:
        counts["terminated" if gently else "killed"] += 1
        counts["exits_with_0"] += gently and began and life.process.exitcode == 0
    elif life.process.exitcode != 0:
        raise PermaAgentError(f"expected a training to live, got exit code {life.process.exitcode}; see its stderr")


def _train(config: ResumeTrialConfig, run: Path, agent: Path, pipe: Connection) -> None:
    """What `perma-agent train` does, in a process that may be killed."""
    torch.set_num_threads(1)
    told = False
    with stop_requests() as stopped:

        def on_steps(steps: int) -> bool:
            nonlocal told
            if not told:
                pipe.send(steps)
                told = True
            return not stopped()

        trained = train_policy(
            config.level,
            run,
            config=config.policy,
            save_to=agent / VASE_RUN,
            checkpoints=agent / CHECKPOINTS,
            on_steps=on_steps,
        )
    if trained.agent.num_timesteps >= config.policy.timesteps:
        save_agent(trained, agent, extra={})


def _context() -> ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    return context


def _make_run(config: ResumeTrialConfig, folder: Path) -> None:
    learning = LearnerConfig(seed=config.seed, dreaming=DreamConfig(count=4), inference=InferenceConfig(burn_in=50))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed)
        save_run(Learner(VASE(config.model), learning), folder)


def _is_finished(agent: Path) -> bool:
    return (agent / BUNDLE_FILES[0]).exists()


def _tensors(agent: Path) -> dict[str, torch.Tensor]:
    contents = {**read_files(agent, BUNDLE_FILES)}
    contents |= {f"{VASE_RUN}/{name}": content for name, content in read_files(agent / VASE_RUN, RUN_FILES).items()}
    return {
        f"{name}:{key}": tensor
        for name, content in contents.items()
        if name.endswith(".safetensors")
        for key, tensor in tensors_from_bytes(content).items()
    }


def _difference(one: torch.Tensor, other: torch.Tensor) -> float:
    if one.shape != other.shape:
        return float("inf")
    if torch.equal(one, other) or not one.numel():
        return 0.0
    return float((one.double() - other.double()).abs().max().nan_to_num(nan=float("inf")))
