"""The cells of the part `sample-efficiency`: the two players, the codes, and every arm on every level."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from perma_agent.continual.config_json import to_json
from perma_agent.studies.planned_cell import PlannedCell
from perma_agent.studies.transfer.sample_efficiency.arms import ARMS
from perma_agent.studies.transfer.sample_efficiency.config import SampleEfficiency, episode_limit
from perma_agent.studies.transfer.sample_efficiency.learning import measure_policy
from perma_agent.studies.transfer.sample_efficiency.pretraining import measure_pretraining, pretraining_work
from perma_agent.studies.transfer.sample_efficiency.references import measure_references

PART = "sample-efficiency"
"""Begins the names of its cells: `sample-efficiency-forage-vase`."""
PLAYERS, CODES = "players", "codes"
"""End the names of the cells that are no arms."""


def cell_name(level: str, arm: str) -> str:
    """Name of a cell's arm."""
    return f"{PART}-{level}-{arm}"


def plan_players(config: SampleEfficiency) -> list[PlannedCell]:
    """Chance and the knowing player on each level, with each seed."""
    return [
        PlannedCell(
            arm=cell_name(name, PLAYERS),
            seed=seed,
            settings={**_common(config, name), "episodes": config.episodes},
            work=2.0 * config.episodes,
            measure=partial(measure_references, level, config.episodes, seed),
        )
        for seed in config.seeds
        for name, level in config.levels.items()
    ]


def plan_codes(config: SampleEfficiency, folder: Path) -> list[PlannedCell]:
    """A VASE and a VAE for each level and seed; none where no arm looks through them."""
    if not any(ARMS[arm].code for arm in config.arms):
        return []
    return [
        PlannedCell(
            arm=cell_name(name, CODES),
            seed=seed,
            settings={**_common(config, name), "pretraining": to_json(config.pretraining)},
            work=pretraining_work(config.pretraining),
            measure=partial(measure_pretraining, config.pretraining, level, name, seed, folder),
        )
        for seed in config.seeds
        for name, level in config.levels.items()
    ]


def plan_arms(config: SampleEfficiency, folder: Path) -> list[PlannedCell]:
    """Every arm on every level with every seed; seeds come one after the other, so that any rest can be compared."""
    return [
        PlannedCell(
            arm=cell_name(name, arm),
            seed=seed,
            settings=_arm_settings(config, name, arm),
            work=float(config.policy_on(name, arm).timesteps),
            measure=partial(measure_policy, config, name, arm, seed, folder),
        )
        for seed in config.seeds
        for name in config.levels
        for arm in config.arms
    ]


def codes_needed(config: SampleEfficiency, cells: list[PlannedCell]) -> set[tuple[str, int]]:
    """Names of levels, and seeds, whose codes these cells of arms look through."""
    return {
        (name, cell.seed)
        for cell in cells
        for name in config.levels
        for arm in config.arms
        if cell.arm == cell_name(name, arm) and ARMS[arm].code
    }


def _common(config: SampleEfficiency, name: str) -> dict[str, Any]:
    level = config.levels[name]
    return {
        "preset": config.preset,
        "part": PART,
        "name": name,
        "level": to_json(level),
        "episode_limit": episode_limit(level),
    }


def _arm_settings(config: SampleEfficiency, name: str, arm: str) -> dict[str, Any]:
    settings = {
        **_common(config, name),
        "arm": arm,
        "episodes": config.episodes,
        "policy": {key: value for key, value in to_json(config.policy_on(name, arm)).items() if key not in NOT_USED},
    }
    if arm != "vase-continual":
        del settings["policy"]["continual"]
    if ARMS[arm].code is not None:
        settings["pretraining"] = to_json(config.pretraining)
    return settings


NOT_USED = ("seed", "save_every", "keep")
"""Of `PolicyConfig`: the seed is the cell's, and a cell is run in one go."""
