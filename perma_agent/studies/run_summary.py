"""Run summary: what a run folder holds, every byte of it checked."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from perma_agent.continual import LearnerConfig
from perma_agent.continual.checkpoint import load_extra, load_learner
from perma_agent.continual.environment_record import EnvironmentRecord
from perma_agent.continual.manifest import manifest_of, parse_manifest
from perma_agent.models import VASEConfig


@dataclass(frozen=True, kw_only=True)
class EnvironmentSummary:
    """What is known of one environment."""

    steps: int
    """Batches learnt from in it."""
    settled: bool
    """Whether it is known long enough for its mask and error to count."""
    error: float | None
    """Running mean of its coarse reconstruction error in nats; None before there is one."""
    used: tuple[int, ...]
    """Latents that it uses; none before it is settled."""
    masked: tuple[int, ...]
    """Latents that it masks."""

    @classmethod
    def of(cls, record: EnvironmentRecord) -> EnvironmentSummary:
        """Of a learner's record."""
        return cls(
            steps=record.steps,
            settled=record.settled,
            error=record.error if record.observed else None,
            used=_places(record.used),
            masked=_places(~record.mask),
        )


@dataclass(frozen=True, kw_only=True)
class RunSummary:
    """What is in a run folder."""

    path: Path
    """The folder."""
    perma_agent: str
    """Version that wrote it."""
    files: Mapping[str, str]
    """SHA-256 of each file, all of which were checked."""
    bytes: int
    """Of these files together."""
    step: int
    """Batches that the learner has seen."""
    environment: int | None
    """The environment inferred last."""
    environments: tuple[EnvironmentSummary, ...]
    """Those known, in the order they were opened."""
    model: VASEConfig
    """Size and likelihood of the VASE."""
    learner: LearnerConfig
    """How it learns."""
    extra: Mapping[str, Any]
    """What was kept beside, such as the stretches of pretraining."""


def summarise_run(folder: str | Path) -> RunSummary:
    """Read and check a run folder.

    Raises:
        RunFolderError: a file is missing, truncated, altered, of another version, or does not fit the others.
    """
    folder = Path(folder)
    learner = load_learner(folder)
    manifest = manifest_of(folder)
    members = parse_manifest(manifest, folder=folder)
    return RunSummary(
        path=folder,
        perma_agent=json.loads(manifest)["perma_agent"],
        files={name: member.sha256 for name, member in members.items()},
        bytes=sum(member.size for member in members.values()),
        step=learner.step,
        environment=learner.environment,
        environments=tuple(EnvironmentSummary.of(record) for record in learner.inference.records),
        model=learner.model.config,
        learner=learner.config,
        extra=load_extra(folder),
    )


def _places(chosen: Tensor) -> tuple[int, ...]:
    return tuple(torch.nonzero(chosen).flatten().tolist())
