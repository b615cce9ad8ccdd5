"""`perma-agent inspect`: what is in a trajectory store, a run folder or an agent's folder."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import tyro

from perma_agent.cli.collect import show_store
from perma_agent.cli.output import show_json, show_table
from perma_agent.cli.show_run import show_run
from perma_agent.continual.manifest import MANIFEST
from perma_agent.data import TrajectoryStore
from perma_agent.data.folder import MARKER
from perma_agent.errors import PermaAgentError
from perma_agent.evaluation.atomic_write import atomic_file
from perma_agent.studies.run_summary import summarise_run

LOOKED_AT = 256
"""Trajectories of a store whose provenance is read, evenly spread; it stands with each of them."""


@dataclass(frozen=True, kw_only=True)
class Config:
    """Show what is in a trajectory store, a run folder or an agent's folder.

    Of the last two every byte is checked; a store's frames are checked when they are read.
    """

    path: tyro.conf.Positional[Path] = Path("runs/vase")
    """The folder."""
    picture: Path | None = None
    """PNG file to write a contact sheet of a store's frames to."""
    json: bool = False
    """Write JSON instead of tables."""


@dataclass(frozen=True, kw_only=True)
class Origin:
    """Where trajectories came from."""

    level: str
    """Level id."""
    arguments: str
    """Of the level, as JSON."""
    policy: str
    """Who acted."""
    versions: str
    """Of perma_agent, the engine and the like, as JSON."""


def run(config: Config) -> None:
    """Write what is there to stdout.

    Raises:
        PermaAgentError: it is none of these, or damaged.
    """
    if (config.path / MARKER).is_file():
        _store(config)
        return
    if config.picture is not None:
        raise PermaAgentError(f"expected a trajectory store for --picture, got {config.path}; leave --picture out")
    if not (config.path / MANIFEST).is_file():
        got = "something else" if config.path.exists() else "nothing there"
        raise PermaAgentError(
            f"expected a trajectory store, a run folder or an agent's folder at {config.path}, got {got}; "
            "check the path"
        )
    # Learners and agents take seconds to import; a store does not need them.
    from perma_agent.sb3.saving.bundle import is_bundle

    if is_bundle(config.path):
        _agent(config)
        return
    summary = summarise_run(config.path)
    if config.json:
        show_json(summary)
    else:
        show_run(summary)


def origins(store: TrajectoryStore) -> tuple[int, Counter[Origin]]:
    """How many trajectories were looked at, and how many of them came from where."""
    count = min(len(store), LOOKED_AT)
    found = Counter[Origin]()
    for place in range(count):
        one = store.provenance(place * len(store) // count)
        arguments, versions = (json.dumps(dict(values)) for values in (one.level_arguments, one.versions))
        found[Origin(level=one.level, arguments=arguments, policy=one.policy, versions=versions)] += 1
    return count, found


def _store(config: Config) -> None:
    with TrajectoryStore.open(config.path) as store:
        summary = store.summary()
        looked_at, found = origins(store)
        if config.picture is not None:
            _draw(store, config.picture)
    if config.json:
        listed = [
            {
                "trajectories": count,
                "level": one.level,
                "arguments": json.loads(one.arguments),
                "policy": one.policy,
                "versions": json.loads(one.versions),
            }
            for one, count in found.most_common()
        ]
        show_json({**asdict(summary), "provenance": {"looked_at": looked_at, "origins": listed}})
        return
    show_store(summary)
    show_table(
        [f"of {looked_at} trajectories", "level", "arguments", "policy", "versions"],
        [(count, one.level, one.arguments, one.policy, one.versions) for one, count in found.most_common()],
    )


def _draw(store: TrajectoryStore, picture: Path) -> None:
    from perma_agent.evaluation.report.contact_sheet import contact_sheet
    from perma_agent.evaluation.report.style import png

    if picture.suffix.lower() != ".png":
        raise PermaAgentError(f"expected --picture to name a .png file, got {picture}")
    with atomic_file(picture) as file:
        file.write(png(contact_sheet(store)))


def _agent(config: Config) -> None:
    from perma_agent.sb3 import read_bundle

    content = read_bundle(config.path)
    if config.json:
        show_json({"path": config.path, "config": content.config, "extra": content.extra})
        return
    agent = content.config
    sees = agent.extractor
    rows: list[tuple[str, Any]] = [
        ("algorithm", f"{agent.algorithm}, {agent.timesteps} steps on {agent.copies} copies, seed {agent.seed}"),
        ("policy", f"{agent.policy_class}, " + ", ".join(f"{name} {value}" for name, value in agent.policy.items())),
        ("VASE", "none" if sees is None else f"{sees.model.latents} latents, {sees.mode}, from {sees.run}"),
        *(("level", f"{level['id']} {level['arguments']}") for level in content.levels),
        *content.extra.items(),
        ("files", "all checksums right"),
    ]
    show_table([str(config.path), ""], rows)
