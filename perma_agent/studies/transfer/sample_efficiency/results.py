"""What the cells of the part say, by level and arm: curves, final returns, and scores between the two players."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from perma_agent.evaluation.cells import Cell
from perma_agent.studies.seed_rows import seeds_of
from perma_agent.studies.transfer.sample_efficiency.arms import ARMS
from perma_agent.studies.transfer.sample_efficiency.curves import Curves, curves_of
from perma_agent.studies.transfer.sample_efficiency.planning import CODES, PLAYERS, cell_name

RESAMPLES = 2_000
"""Of seeds, for all that is made of curves."""


@dataclass(frozen=True, kw_only=True)
class LevelResults:
    """The cells of one level."""

    name: str
    """Of the level, as cells call it."""
    id: str
    """Of the level."""
    arms: Mapping[str, tuple[Cell, ...]]
    """Cells of each arm in the order of the seeds; arms without any are not there."""
    players: tuple[float, float] | None
    """Mean returns of chance and of the knowing player over all seeds: scores 0 and 1. None before they have played, or
    where knowing does not help (as in episodes too short for anything)."""
    frames: int = 0
    """That each code was pretrained on."""
    code_seconds: Mapping[str, float] = field(default_factory=dict)
    """Mean seconds that a code took, recording included, by code; what is not known is not there."""

    def curves(self, arm: str) -> Curves | None:
        """Training curves of an arm, in returns."""
        return curves_of(self.arms.get(arm, ()))

    def score_curves(self, arm: str) -> Curves | None:
        """The same in scores; None where there are none, or no players."""
        curves = self.curves(arm)
        return None if curves is None or self.players is None else curves.normalised(*self.players)

    def final_returns(self, arm: str) -> np.ndarray:
        """Mean return of the episodes after training, one value a seed."""
        return np.array([cell.figures["final_return"] for cell in self.arms.get(arm, ())], dtype=np.float64)

    def final_scores(self, arm: str) -> np.ndarray:
        """The same as scores; empty where there are no players."""
        if self.players is None:
            return np.empty(0)
        low, high = self.players
        scores: np.ndarray = (self.final_returns(arm) - low) / (high - low)
        return scores

    def before(self, arm: str) -> tuple[int, float]:
        """Level steps and seconds that an arm's code took before the policy began; 0 for what was not pretrained."""
        code = ARMS[arm].code
        if code is None or not ARMS[arm].pretrained:
            return 0, 0.0
        return self.frames, self.code_seconds.get(code, 0.0)


def levels_of(cells: Sequence[Cell]) -> list[LevelResults]:
    """The levels that there are cells of, in the order of their names."""
    names = sorted({str(cell.settings["name"]) for cell in cells})
    return [_level([cell for cell in cells if cell.settings["name"] == name], name) for name in names]


def shared_arms(levels: Sequence[LevelResults]) -> list[str]:
    """Arms that there are cells of on every level, in their order."""
    return [arm for arm in ARMS if levels and all(arm in level.arms for level in levels)]


def _level(cells: Sequence[Cell], name: str) -> LevelResults:
    arms = {arm: _sorted(cells, cell_name(name, arm)) for arm in ARMS}
    ends = [seeds_of(cells, cell_name(name, PLAYERS), f"{player}_return") for player in ("chance", "knowing")]
    collecting = seeds_of(cells, cell_name(name, CODES), "collecting_seconds")
    seconds = {
        code: float(own.mean() + collecting.mean())
        for code in ("vase", "vae")
        if len(own := seeds_of(cells, cell_name(name, CODES), f"{code}_seconds")) and len(collecting)
    }
    return LevelResults(
        name=name,
        id=str(cells[0].settings["level"]["id"]),
        arms={arm: found for arm, found in arms.items() if found},
        players=_scale(*ends),
        frames=max(int(cell.settings.get("pretraining", {}).get("frames", 0)) for cell in cells),
        code_seconds=seconds,
    )


def _scale(chance: np.ndarray, knowing: np.ndarray) -> tuple[float, float] | None:
    if not len(chance) or not len(knowing) or not knowing.mean() > chance.mean():
        return None
    return float(chance.mean()), float(knowing.mean())


def _sorted(cells: Sequence[Cell], name: str) -> tuple[Cell, ...]:
    return tuple(sorted((cell for cell in cells if cell.arm == name), key=lambda cell: cell.seed))
