"""What the study of exploration runs: levels, arms, seeds, and one budget for all of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from perma_agent.studies.exploration.arms import ARMS
from perma_agent.studies.exploration.explorer import ExplorerConfig
from perma_agent.studies.exploration.figure_5b_config import Figure5BConfig
from perma_agent.studies.exploration.grounds import LEVELS
from perma_agent.studies.exploration.vases import PretrainingPlan

Seeds = Mapping[str, tuple[int, ...]]
"""Seeds by arm."""


@dataclass(frozen=True, kw_only=True)
class Tuning:
    """How a weight is chosen for each bonus: by one rule for all, on seeds that are not reported on."""

    level: str = "indoor-maze"
    """Its maps of other seeds are other mazes."""
    seeds: tuple[int, ...] = (100, 101)
    """Seeds to choose by."""
    steps: int = 32_768
    """Steps of each try."""


@dataclass(frozen=True, kw_only=True)
class Timing:
    """Which bonuses are timed, each agent in turn."""

    arms: tuple[str, ...]
    """Names in `ARMS`, `none` among them."""
    level: str = "indoor-maze"
    """The level they run in."""
    rounds: int = 10
    """In each of which every agent collects a rollout and learns from it."""


@dataclass(frozen=True, kw_only=True)
class ExplorationStudy:
    """How much is run."""

    preset: str
    """Name of these settings."""
    explorer: ExplorerConfig
    """PPO and its budget, the same for every arm on every level."""
    pretraining: PretrainingPlan = field(default_factory=PretrainingPlan)
    """Of the VASEs."""
    levels: tuple[str, ...] = tuple(LEVELS)
    """Names in `grounds.LEVELS`."""
    free: Seeds = field(default_factory=dict)
    """Reward-free runs on each level."""
    sparse: Seeds = field(default_factory=dict)
    """Runs for the level's own sparse reward, with the bonus beside it, on each level."""
    scratch: Seeds = field(default_factory=dict)
    """Reward-free runs on the first level with a VASE that knows nothing and learns beside the agent."""
    transferred: Seeds = field(default_factory=dict)
    """Reward-free runs on the second level of `transfer`, after the first was explored as long."""
    transfer: tuple[str, str] = ("indoor-maze", "outdoor-maze")
    """Explored first, then dropped into."""
    checked: tuple[int, ...] = (0,)
    """Seeds with which advantages are checked."""
    timing: Timing | None = None
    """Which bonuses are timed; None leaves it out."""
    figure_5b: Figure5BConfig | None = None
    """The paper's figure 5B; None leaves it out."""
    tuning: Tuning = field(default_factory=Tuning)
    """How weights are chosen."""
    data: Path | None = None
    """Folder of the image sets of figure 5B; None looks where PERMA_DATA says, then downloads."""
    processes: int = 1
    """Cells measured side by side, a core each."""

    def __post_init__(self) -> None:
        for seeds in (self.free, self.sparse, self.scratch, self.transferred):
            if unknown := set(seeds) - set(ARMS):
                raise ValueError(f"expected arms among {', '.join(ARMS)}, got {', '.join(sorted(unknown))}")
            if both := {seed for each in seeds.values() for seed in each} & set(self.tuning.seeds):
                raise ValueError(f"expected other seeds to tune on than to report on, got {sorted(both)} for both")
        learning = (*self.sparse, *self.scratch, *self.transferred, *(() if self.timing is None else self.timing.arms))
        if blind := {arm for arm in learning if arm in ARMS and ARMS[arm].blind}:
            raise ValueError(
                f"expected who learns nothing among the reward-free runs alone, got {', '.join(blind)} elsewhere"
            )
        if unknown := {*self.levels, *self.transfer, self.tuning.level} - set(LEVELS):
            raise ValueError(f"expected levels among {', '.join(LEVELS)}, got {', '.join(sorted(unknown))}")

    @property
    def arms(self) -> tuple[str, ...]:
        """All that are run, in the order of `ARMS`."""
        asked = {*self.free, *self.sparse, *self.scratch, *self.transferred}
        return tuple(arm for arm in ARMS if arm in asked)


def pretrained_folder(folder: Path) -> Path:
    """Folder of recordings and VASEs below the study's, which is not published."""
    return folder / "pretrained"
