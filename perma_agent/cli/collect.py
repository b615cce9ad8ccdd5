"""`perma-agent collect`: a wanderer walks through levels, and what it sees goes into a trajectory store."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from perma_agent.cli.level_arguments import level_arguments
from perma_agent.cli.output import show_json, show_table
from perma_agent.cli.progress import progress_bar
from perma_agent.cli.stopping import say_stopped, stop_requests
from perma_agent.data import StoreSummary
from perma_agent.studies.collecting import collect
from perma_agent.studies.levels import LevelChoice


@dataclass(frozen=True, kw_only=True)
class Config:
    """Record trajectories of levels into a store; one that is there already is added to."""

    levels: tuple[str, ...] = ("perma/IndoorForage-v0", "perma/IndoorMaze-v0", "perma/IndoorDeferred-v0")
    """Ids of the levels, walked through in turn by the copies; `perma-agent levels` lists them."""
    store: Path = Path("runs/indoor")
    """Folder of the trajectory store; made if it is missing."""
    frames: int = 10_000
    """How many to record, at least, over all levels."""
    copies: int = 8
    """Levels side by side."""
    seed: int = 0
    """Of the levels and of the wanderer; a store that is added to gets other trajectories than it has."""
    arguments: str = "{}"
    """What the levels are made with, as a JSON object, e.g. '{"rows": 1}'."""
    json: bool = False
    """Write what is in the store as JSON instead of a table."""

    def __post_init__(self) -> None:
        if not self.levels:
            raise ValueError("expected at least one level, got none; perma-agent levels lists them")
        for name in ("frames", "copies"):
            if getattr(self, name) < 1:
                raise ValueError(f"expected --{name} of at least 1, got {getattr(self, name)}")
        if self.seed < 0:
            raise ValueError(f"expected --seed of at least 0, got {self.seed}")
        if len(self.levels) > self.copies:
            raise ValueError(f"expected --copies of at least one a level, got {self.copies} for {len(self.levels)}")


def run(config: Config) -> None:
    """Record, then write what is in the store to stdout. Ctrl-C and SIGTERM end it early, with all saved.

    Raises:
        LevelError: a level or an argument is unknown, or an engine is missing.
        StoreError: the store cannot be written, is something else, or holds frames of another shape.
    """
    arguments = level_arguments(config.arguments)
    choices = [LevelChoice(id=level, arguments=arguments) for level in config.levels]
    with stop_requests() as stopped, progress_bar("recording", total=config.frames) as advance:

        def on_frames(count: int) -> bool:
            advance(count)
            return not stopped()

        store = collect(
            choices,
            config.store,
            frames=config.frames,
            copies=config.copies,
            seed=config.seed,
            on_frames=on_frames,
        )
        early = stopped()
    summary = store.summary()
    store.close()
    if early:
        say_stopped(f"what was recorded is in {config.store}")
    if config.json:
        show_json(summary)
    else:
        show_store(summary)


def show_store(summary: StoreSummary) -> None:
    """Write a store's levels, and all of it together, as a table."""
    rows = [(level, part.trajectories, part.frames) for level, part in summary.levels.items()]
    show_table(
        ["level", "trajectories", "frames", "megabytes"],
        [
            *((*row, "") for row in rows),
            (f"all of {summary.path}", summary.trajectories, summary.frames, f"{summary.bytes / 1e6:.1f}"),
        ],
    )
