"""`perma-agent push`: puts a trained agent on the Hugging Face hub, with a model card of what was measured."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path

import tyro

from perma_agent.cli.output import show_json, show_table
from perma_agent.sb3.hub import push_to_hub
from perma_agent.sb3.model_card import MeasuredReturns, model_card
from perma_agent.studies.agent_folder import EPISODES

LAST = 100
"""Training episodes whose returns the card tells, at most."""


@dataclass(frozen=True, kw_only=True)
class Config:
    """Push an agent to the Hugging Face hub: safetensors, JSON and a model card, in one commit.

    The card tells the returns of the last training episodes, if the folder has them. Log in first: hf auth login.
    """

    folder: tyro.conf.Positional[Path] = Path("runs/agent")
    """The agent's, as `perma-agent train` or save_bundle wrote it."""
    repo: tyro.conf.Positional[str] = ""
    """Where to, user/name; made if there is none."""
    revision: str | None = None
    """Branch, made if there is none; the main one by default."""
    licence: str | None = None
    """Of the weights, by the hub's short name, e.g. mit."""
    private: bool = False
    """Whether a new repository is seen by you alone."""
    show: bool = False
    """Write the card to stdout instead, and push nothing."""
    json: bool = False
    """Write JSON instead of a table."""

    def __post_init__(self) -> None:
        if "/" not in self.repo:
            raise ValueError(f"expected a repository as user/name, got {self.repo!r}; give it behind the folder")


def run(config: Config) -> None:
    """Push, and write the commit's address to stdout.

    Raises:
        RunFolderError: the folder holds no bundle, or a damaged one.
        PermaAgentError: huggingface_hub is missing, or the hub refused.
    """
    returns = training_returns(config.folder)
    card = model_card(config.folder, repo_id=config.repo, returns=returns, licence=config.licence)
    if config.show:
        if config.json:
            show_json({"card": card})
        else:
            sys.stdout.write(card)
        return
    commit = push_to_hub(
        config.folder, config.repo, card=card, revision=config.revision, private=config.private or None
    )
    if config.json:
        show_json({"repo": config.repo, "commit": commit})
    else:
        show_table(["", "value"], [("repo", config.repo), ("commit", commit)])


def training_returns(folder: Path) -> MeasuredReturns | None:
    """Of the last training episodes that `perma-agent train` kept beside the bundle; None where it kept none."""
    try:
        values = json.loads((folder / EPISODES).read_text())["episodes"]["returns"][-LAST:]
        return MeasuredReturns(values=values, episodes=f"the last {len(values)} training episodes, while it explored")
    except (OSError, ValueError, KeyError, TypeError):
        return None
