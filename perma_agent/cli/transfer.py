"""`perma-agent transfer`: a trained policy is put to the test on other levels, beside the random policy."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from perma_agent.cli.device import choose_device
from perma_agent.cli.level_arguments import level_arguments
from perma_agent.cli.output import show_json, show_table
from perma_agent.cli.progress import progress_bar
from perma_agent.envs import level_info
from perma_agent.errors import LevelError
from perma_agent.evaluation.policies import EpisodeStatistics
from perma_agent.evaluation.statistics import Estimate
from perma_agent.sb3 import load_bundle, read_bundle
from perma_agent.studies.levels import LevelChoice
from perma_agent.studies.policy_evaluation import LevelResult, evaluate_policy


@dataclass(frozen=True, kw_only=True)
class Config:
    """Evaluate a trained policy on levels, each beside the random policy."""

    agent: Path = Path("runs/agent")
    """Folder of the agent, as `perma-agent train` writes it."""
    levels: tuple[str, ...] = ("perma/IndoorMaze-v0", "perma/OutdoorMaze-v0")
    """Ids of the levels; `perma-agent levels` lists them."""
    arguments: str | None = None
    """What the levels are made with, as a JSON object; by default what the agent was trained with."""
    episodes: int = 64
    """Episodes of each policy on each level."""
    copies: int = 8
    """Of each level, side by side."""
    seed: int = 0
    """Of the levels and of both policies' choices."""
    deterministic: bool = False
    """Let the agent take its most probable action instead of drawing one."""
    device: str = "auto"
    """Where to compute: auto, cpu, cuda, cuda:1, mps."""
    json: bool = False
    """Write JSON instead of a table."""

    def __post_init__(self) -> None:
        if not self.levels:
            raise ValueError("expected at least one level, got none; perma-agent levels lists them")
        if min(self.episodes, self.copies) < 1 or self.seed < 0:
            raise ValueError(
                f"expected --episodes and --copies of at least 1 and --seed of at least 0, got {self.episodes}, "
                f"{self.copies} and {self.seed}"
            )


def run(config: Config) -> None:
    """Play the episodes and write a table of successes to stdout.

    Raises:
        LevelError: a level or an argument is unknown, or an engine is missing.
        FrameError: a level shows other frames than the agent knows.
        RunFolderError: the agent's folder is missing, damaged or something else.
    """
    device = choose_device(config.device)
    for level in config.levels:
        level_info(level)
    extra = read_bundle(config.agent).extra
    arguments = extra.get("arguments", {}) if config.arguments is None else level_arguments(config.arguments)
    agent = load_bundle(config.agent, device=device)
    levels = [LevelChoice(id=level, arguments=arguments) for level in config.levels]
    with progress_bar("playing", total=2 * config.episodes * len(levels)) as advance:
        try:
            results = evaluate_policy(
                agent,
                levels,
                episodes=config.episodes,
                copies=config.copies,
                seed=config.seed,
                deterministic=config.deterministic,
                on_episode=advance,
            )
        except LevelError as error:
            if config.arguments is not None or not arguments:
                raise
            raise LevelError(f"{error}; these the agent was trained with, give others by --arguments") from error
    show(results, config, arguments=arguments, home=str(extra.get("level", "")))


def show(results: list[LevelResult], config: Config, *, arguments: Mapping[str, Any], home: str) -> None:
    """Write one row a level and policy: success and return, each with its 95% interval."""
    rows = []
    for result in results:
        for name, played in (("trained", result.trained), ("random", result.random)):
            returned = played.mean_return(rng=np.random.default_rng(config.seed))
            rows.append((result.level.id, name, played, returned))
    if config.json:
        document = {
            "agent": config.agent,
            "trained_on": home,
            "arguments": arguments,
            "rows": [_plain(level, policy, played, returned) for level, policy, played, returned in rows],
        }
        show_json(document)
        return
    show_table(
        ["level", "policy", "success", "95% interval", "mean return", "95% interval"],
        [
            (
                f"{level} (trained on)" if level == home else level,
                policy,
                f"{played.success_rate.value:.1%}",
                _interval(played.success_rate, ".1%"),
                f"{returned.value:.3g}",
                _interval(returned, ".3g"),
            )
            for level, policy, played, returned in rows
        ],
    )
    show_table(["episodes each", "level arguments"], [(config.episodes, json.dumps(dict(arguments)))])


def _plain(level: str, policy: str, played: EpisodeStatistics, returned: Estimate) -> dict[str, Any]:
    return {
        "level": level,
        "policy": policy,
        "episodes": played.episodes,
        "success": played.success_rate,
        "return": returned,
        "reported": played.reported,
    }


def _interval(estimate: Estimate, form: str) -> str:
    return f"{estimate.low:{form}} to {estimate.high:{form}}"
