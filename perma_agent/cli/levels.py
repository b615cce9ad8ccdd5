"""`perma-agent levels`: the levels that can be made here, with what each asks of the agent."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import tyro

from perma_agent.cli.output import show_json, show_table
from perma_agent.envs import LevelInfo, catalogue
from perma_agent.envs.suite.pictures import write_level_pictures
from perma_agent.errors import LevelError


@dataclass(frozen=True, kw_only=True)
class Config:
    """List the levels that can be made here."""

    search: tyro.conf.Positional[str] = ""
    """Show only levels with this word in their id, setting, task or engine; case does not matter."""
    json: bool = False
    """Write JSON instead of a table."""
    pictures: Path | None = None
    """Write a sheet of pictures of our own levels to this PNG file instead of a list."""


def run(config: Config) -> None:
    """Write the levels to stdout, or their pictures to a file.

    Raises:
        LevelError: no level has the word, or the pictures cannot be drawn or written.
    """
    if config.pictures is not None:
        write_level_pictures(config.pictures)
        return
    levels = [level for level in catalogue() if config.search.lower() in _words(level)]
    if not levels:
        raise LevelError(
            f"expected a word that some level has in its id, setting, task or engine, got {config.search!r}; "
            "perma-agent levels lists them all"
        )
    if config.json:
        show_json(levels)
        return
    show_table(
        ["level", "setting", "steps", "reward a step", "what it is about"],
        [(level.id, level.setting, level.max_episode_steps, _rewards(level), level.description) for level in levels],
    )
    for engine, needs in sorted({(level.engine, level.needs) for level in levels if level.needs}):
        sys.stderr.write(f"{engine} needs {needs}\n")


def _rewards(level: LevelInfo) -> str:
    return f"{level.reward_range[0]:g} to {level.reward_range[1]:g}"


def _words(level: LevelInfo) -> str:
    return f"{level.id} {level.setting} {level.task} {level.engine}".lower()
