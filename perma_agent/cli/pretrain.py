"""`perma-agent pretrain`: a VASE learns from a trajectory store, in a run folder where it can be stopped and go on."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Annotated, Literal

import tyro

from perma_agent.cli.device import choose_device
from perma_agent.cli.output import show_json
from perma_agent.cli.progress import progress_bar
from perma_agent.cli.show_run import show_run
from perma_agent.cli.stopping import say_stopped, stop_requests
from perma_agent.continual import LearnerConfig, Update
from perma_agent.data import TrajectoryStore
from perma_agent.models import VASEConfig
from perma_agent.studies.pretraining_run import PretrainingRun, StretchConfig
from perma_agent.studies.run_summary import summarise_run

SHOWN = 50
"""Updates over which the bar averages the error."""


@dataclass(frozen=True, kw_only=True)
class Config:
    """Learn a VASE from a store. A run folder that exists goes on with the same learner, which is told nothing.

    Stopped by Ctrl-C or SIGTERM it saves first; the same command then goes on to the end of --updates.
    """

    store: Path = Path("runs/indoor")
    """Trajectory store to learn from, as `perma-agent collect` records one."""
    run: Path = Path("runs/vase")
    """Run folder; made if it is missing."""
    stretch: Annotated[StretchConfig, tyro.conf.arg(name="")] = field(default_factory=StretchConfig)
    """How much to learn, from what pairs of frames."""
    preset: Literal["small", "paper"] = "small"
    """Network of a new run. --model options that differ from the small one's take precedence over the preset."""
    model: VASEConfig = field(default_factory=VASEConfig)
    """The VASE of a new run."""
    learner: LearnerConfig = field(default_factory=LearnerConfig)
    """How the VASE of a new run learns."""
    save_every: int = 500
    """Batches between two saves."""
    log_every: int = 10
    """Batches between two lines of metrics.jsonl, and between two points in TensorBoard."""
    device: str = "auto"
    """Where to learn: auto, cpu, cuda, cuda:1, mps."""
    json: bool = False
    """Write what is in the run folder at the end as JSON instead of a table."""

    def __post_init__(self) -> None:
        if self.learner.seed:
            raise ValueError(
                f"expected --seed, which holds for the learner too, got --learner.seed {self.learner.seed}"
            )
        if self.save_every < 1 or self.log_every < 1:
            raise ValueError(
                f"expected --save-every and --log-every of at least 1, got {self.save_every} and {self.log_every}"
            )


def run(config: Config) -> None:
    """Learn, save, and write what is then in the run folder to stdout.

    Raises:
        FrameError: the store's frames do not fit the model.
        StoreError: the store is missing, empty, foreign or damaged.
        RunFolderError: the run folder is damaged, foreign, of other options, or cannot be written.
    """
    device = choose_device(config.device)
    with TrajectoryStore.open(config.store) as store:
        job = PretrainingRun(
            config.run,
            store,
            config=config.stretch,
            model=network(config),
            learner=None if config.learner == LearnerConfig() else config.learner,
            device=device,
        )
        with stop_requests() as stopped, progress_bar("pretraining", total=job.remaining) as advance:
            recent: deque[float] = deque(maxlen=SHOWN)

            def on_update(update: Update) -> bool:
                advance(note=note(update, recent))
                return not stopped()

            job.learn(save_every=config.save_every, log_every=config.log_every, on_update=on_update)
    if job.remaining:
        say_stopped(f"saved to {config.run}; the same command does the {job.remaining} batches that are left")
    summary = summarise_run(config.run)
    if config.json:
        show_json(summary)
    else:
        show_run(summary)


def network(config: Config) -> VASEConfig | None:
    """The network asked for; None where nothing was asked for, so that an existing run keeps its own."""
    changes = {
        part.name: getattr(config.model, part.name)
        for part in fields(VASEConfig)
        if getattr(config.model, part.name) != getattr(VASEConfig(), part.name)
    }
    if config.preset == "small":
        return replace(VASEConfig(), **changes) if changes else None
    return replace(VASEConfig.paper(channels=3, likelihood="gaussian"), **changes)


def note(update: Update, recent: deque[float]) -> str:
    """What stands behind the bar: the mean of the recent errors, the environment, and how many are known."""
    if "loss/reconstruction" in update.metrics:
        recent.append(update.metrics["loss/reconstruction"])
    error = f"error {sum(recent) / len(recent):.1f} nats, " if recent else ""
    known = int(update.metrics["environment/count"])
    where = "surprised" if update.environment is None else f"environment {update.environment}"
    return f"{error}{where}, {known} known"
