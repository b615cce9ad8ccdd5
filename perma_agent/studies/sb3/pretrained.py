"""The VASE that agents of the study begin with: learnt once from recorded rollouts, kept beside the cells."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from perma_agent.continual import Learner
from perma_agent.continual.checkpoint import load_extra, save_run
from perma_agent.continual.config_json import to_json
from perma_agent.continual.manifest import MANIFEST
from perma_agent.data import PairSampler
from perma_agent.errors import RunFolderError
from perma_agent.models import VASE
from perma_agent.studies.demo import ProgressBar
from perma_agent.studies.permanence.recording import open_rollouts, record_rollouts
from perma_agent.studies.pretraining import pretrain
from perma_agent.studies.sb3.config import VASEChoice

PRETRAINED = "pretrained"
"""Folder beside the cells that holds rollouts and VASE; not published."""
KEY = "study_sb3"
"""Under which the run folder's `extra` keeps what was asked for."""


def vase_folder(folder: Path) -> Path:
    """The run folder of the VASE below a study's folder."""
    return folder / PRETRAINED / "vase"


def make_vase(choice: VASEChoice, folder: Path, *, progress: ProgressBar) -> Path:
    """Record and learn, or keep what an earlier call has made; what was cut off is begun anew.

    Args:
        choice: what to learn.
        folder: of the study.
        progress: makes a bar for each part.

    Returns:
        The run folder.

    Raises:
        LevelError: a level cannot be made.
        StoreError: rollouts of other settings are there.
        RunFolderError: a VASE of other settings is there.
    """
    run = vase_folder(folder)
    if (run / MANIFEST).exists():
        if load_extra(run).get(KEY) != to_json(choice):
            raise RunFolderError(
                f"expected a VASE that was learnt with the present settings in {run}, got another; write to another "
                f"folder, or delete {folder / PRETRAINED}"
            )
        return run
    with progress("record", total=choice.rollouts.frames) as advance:
        recorded = record_rollouts(folder / PRETRAINED / "rollouts", choice.rollouts, on_frames=advance)
    learner = _fresh(choice)
    store = open_rollouts(recorded)[0]
    with store, progress("pretrain", total=choice.stretch.updates) as advance:
        pretrain(
            learner,
            PairSampler(store, offsets=choice.stretch.offsets),
            updates=choice.stretch.updates,
            pairs=choice.stretch.pairs,
            rng=np.random.default_rng(choice.stretch.seed),
            on_update=lambda update: advance(1),
        )
    save_run(learner, run, extra={KEY: to_json(choice)})
    return run


def _fresh(choice: VASEChoice) -> Learner:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(choice.stretch.seed)
        model = VASE(choice.model)
    return Learner(model, replace(choice.learner, seed=choice.stretch.seed))
