"""`perma-agent train`: PPO learns a level that it sees through a VASE, which may go on learning beside it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any, Literal

import tyro

from perma_agent.cli.device import choose_device
from perma_agent.cli.level_arguments import level_arguments
from perma_agent.cli.output import show_json, show_table
from perma_agent.cli.progress import progress_bar
from perma_agent.cli.stopping import say_stopped, stop_requests
from perma_agent.envs import level_info
from perma_agent.evaluation.statistics import wilson_interval
from perma_agent.studies.agent_folder import CHECKPOINTS, TENSORBOARD, VASE_RUN, claim_agent_folder, save_agent
from perma_agent.studies.levels import LevelChoice
from perma_agent.studies.policy_training import PolicyConfig, TrainedPolicy, train_policy

LAST = 100
"""Training episodes of which success and return are shown."""


@dataclass(frozen=True, kw_only=True)
class Config:
    """Train PPO on a level, with the latents of a VASE as what it sees.

    Stopped by Ctrl-C or SIGTERM it saves first; the same command then goes on to the end of --timesteps, and ends where
    it would have ended undisturbed. After a kill it goes on from the last checkpoint.
    """

    level: str = "perma/IndoorMaze-v0"
    """Id of the level; `perma-agent levels` lists them."""
    run: Path = Path("runs/vase")
    """Run folder of the VASE, as `perma-agent pretrain` writes it; not changed."""
    agent: Path = Path("runs/agent")
    """New folder for the agent: its bundle, SB3's agent.zip, episodes.json, vase/ if the VASE goes on learning, and
    checkpoints/, which may be removed at the end."""
    arguments: str = "{}"
    """What the level is made with, as a JSON object, e.g. '{"rows": 1}'."""
    mode: Literal["continual", "frozen"] = "continual"
    """Whether the VASE goes on learning from what the agent meets, or stays as it is."""
    policy: Annotated[PolicyConfig, tyro.conf.arg(name="")] = field(default_factory=PolicyConfig)
    """PPO, and how the VASE goes on learning."""
    device: str = "auto"
    """Where to compute: auto, cpu, cuda, cuda:1, mps."""
    json: bool = False
    """Write how it went as JSON instead of a table."""

    def __post_init__(self) -> None:
        if self.mode == "continual" and not self.policy.continual.updates_per_rollout:
            raise ValueError(
                "expected --continual.updates-per-rollout of at least 1, got 0; give --mode frozen instead"
            )


def run(config: Config) -> None:
    """Train, save, and write how it went to stdout.

    Raises:
        LevelError: the level or an argument is unknown, or the engine is missing.
        FrameError: the level shows other frames than the VASE knows.
        RunFolderError: the VASE cannot be read, or the agent's folder is taken or cannot be written.
    """
    device = choose_device(config.device)
    level_info(config.level)
    level = LevelChoice(id=config.level, arguments=level_arguments(config.arguments))
    claim_agent_folder(config.agent)
    frozen = config.mode == "frozen"
    learning = replace(config.policy.continual, seed=config.policy.seed)
    if frozen:
        learning = replace(learning, updates_per_rollout=0)
    with stop_requests() as stopped, progress_bar("training", total=config.policy.timesteps) as advance:

        def on_steps(steps: int) -> bool:
            advance(steps)
            return not stopped()

        trained = train_policy(
            level,
            config.run,
            config=replace(config.policy, continual=learning),
            save_to=None if frozen else config.agent / VASE_RUN,
            checkpoints=config.agent / CHECKPOINTS,
            tensorboard=config.agent / TENSORBOARD,
            device=device,
            on_steps=on_steps,
        )
    left = config.policy.timesteps - trained.agent.num_timesteps
    if left > 0:
        say_stopped(f"saved to {config.agent / CHECKPOINTS}; the same command does the {left} steps that are left")
        show(trained, config)
        return
    extra = {"level": level.id, "arguments": dict(level.arguments), "run": str(config.run), "mode": config.mode}
    save_agent(trained, config.agent, extra=extra)
    show(trained, config)


def show(trained: TrainedPolicy, config: Config) -> None:
    """Write what the last training episodes were like."""
    figures: dict[str, Any] = {
        "agent": config.agent,
        "level": config.level,
        "timesteps": trained.agent.num_timesteps,
        "episodes": len(trained.returns),
    }
    returns, successes = trained.returns[-LAST:], trained.successes[-LAST:]
    if len(returns):
        rate = wilson_interval(int(successes.sum()), len(successes))
        figures |= {
            f"mean return of the last {len(returns)}": float(returns.mean()),
            f"success of the last {len(returns)}": rate.value,
            "95% interval of success, low": rate.low,
            "95% interval of success, high": rate.high,
        }
    if config.json:
        show_json(figures)
    else:
        show_table(
            ["", "value"],
            [(name, f"{value:.3g}" if isinstance(value, float) else value) for name, value in figures.items()],
        )
