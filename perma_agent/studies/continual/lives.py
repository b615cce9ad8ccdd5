"""The cells of lives: a learner lives through a sequence, and what came of it goes into figures and series."""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from perma_agent.continual import Learner
from perma_agent.continual.checkpoint import load_extra, load_learner, save_run
from perma_agent.continual.manifest import MANIFEST
from perma_agent.data.image_folder import ImageFolder
from perma_agent.data.image_sequences import ImageWorld, image_world
from perma_agent.data.image_sets import Split
from perma_agent.evaluation.history import SURPRISED, LearningHistory, World
from perma_agent.evaluation.inference_score import score_inference
from perma_agent.studies.continual.config import LifeConfig
from perma_agent.studies.continual.examination import Examiner, Worlds
from perma_agent.studies.continual.life import Life, live
from perma_agent.studies.continual.scores import WITHIN, Change, mean_change
from perma_agent.studies.planned_cell import Advance, Measured

Folders = tuple[ImageFolder, ...]
SAMPLED = 120
"""Batches of a life whose atypicality and masks are kept in its cell, evenly spread."""


@lru_cache(maxsize=32)
def _world(name: str, split: Split, canvas: int, data: str | None, folders: Folders) -> ImageWorld:
    return image_world(name, split=split, canvas=canvas, data=None if data is None else Path(data), folders=folders)


def worlds_of(config: LifeConfig, *, data: Path | None, folders: Folders = ()) -> Worlds:
    """The worlds of a life, to learn in and to be tested on.

    Args:
        config: of the life.
        data: folder of the image sets.
        folders: of pictures that worlds are made of.

    Raises:
        DataError: their images cannot be had.
    """
    names = tuple(dict.fromkeys(config.sequence.worlds))
    folder = None if data is None else os.fspath(data)
    canvas = config.model.image_size
    return Worlds(
        train={name: _world(name, "train", canvas, folder, folders) for name in names},
        test={name: _world(name, "test", canvas, folder, folders) for name in names},
    )


def measure_life(
    config: LifeConfig, seed: int, data: Path | None, keep: Path | None, advance: Advance, *, folders: Folders = ()
) -> Measured:
    """Live, be examined, and keep the learner.

    Args:
        config: of the life.
        seed: of it.
        data: folder of the image sets.
        keep: run folder for the learner as it is at the end; None keeps none.
        advance: told of the batches.
        folders: of pictures that worlds are made of.
    """
    worlds = worlds_of(config, data=data, folders=folders)
    life = live(
        config,
        dict(worlds.train),
        seed=seed,
        examine=Examiner(config, worlds, seed=seed),
        on_batch=lambda: advance(1.0),
    )
    if keep is not None:
        save_run(life.learner, keep, extra={"environments": environments_of(life)})
    return measured_of(config, life)


def measured_of(config: LifeConfig, life: Life) -> Measured:
    """Figures and series of a life that was lived."""
    return Measured(figures=_figures(config, life), series=_series(life))


def finished_learner(
    config: LifeConfig, seed: int, data: Path | None, keep: Path, advance: Advance, *, folders: Folders = ()
) -> tuple[Learner, dict[str, int | None]]:
    """The learner of a life and the environment it gave each world; lived anew if it was not kept.

    Args:
        config: of the life.
        seed: of it.
        data: folder of the image sets.
        keep: its run folder.
        advance: told of the batches, if it must be lived.
        folders: of pictures that worlds are made of.
    """
    if not (keep / MANIFEST).exists():
        measure_life(config, seed, data, keep, advance, folders=folders)
    environments: dict[str, int | None] = load_extra(keep)["environments"]
    return load_learner(keep), environments


def environments_of(life: Life) -> dict[str, int | None]:
    """The environment that most batches of each world's last visit were given."""
    given = score_inference(life.history, life.worlds).environments
    return {world.name: environment for world, environment in zip(life.worlds, given, strict=True)}


def history_of(series: dict[str, Any]) -> tuple[LearningHistory, tuple[World, ...]]:
    """The sampled history that a cell keeps, and its true worlds, for the figures."""
    steps = np.array(series["sampled"], dtype=np.int64)
    changes = np.array([step for step, _ in series["environments"]])
    values = np.array([SURPRISED if index is None else index for _, index in series["environments"]])
    mask = np.array([[mark == "1" for mark in row] for row in series["masks"]], dtype=bool)
    history = LearningHistory(
        steps=steps,
        environments=values[np.searchsorted(changes, steps, side="right") - 1].astype(np.int64),
        opened=np.isin(steps, series["opened"]),
        alpha=np.array(series["atypicality"], dtype=np.float32),
        mask=mask,
        metrics={},
    )
    return history, tuple(World(**world) for world in series["worlds"])


def _figures(config: LifeConfig, life: Life) -> dict[str, float | None]:
    figures: dict[str, float | None] = {}
    ends = _ends(life)
    for kind, worse in (("accuracy", False), ("position_mse", True)):
        changes = {
            name: Change.of(
                [found[kind][name] for found in life.findings],
                steps=life.examined,
                own_end=ends[name],
                more_is_worse=worse,
            )
            for name in life.findings[0][kind]
        }
        for name, change in {**changes, **({"mean": mean_change(changes)} if changes else {})}.items():
            for field in ("best", "final_less_best", "worst_less_own", "later_less_best"):
                figures[f"{kind}/{name}/{field}"] = getattr(change, field)
    score = score_inference(life.history, life.worlds)
    figures |= {
        "inference/right": float(score.right(within=WITHIN)),
        "inference/missed": float(score.missed),
        "inference/unrecognised": float(score.unrecognised),
        "inference/spurious": float(score.spurious),
        "inference/slowest": None if None in score.lags else float(max((lag or 0 for lag in score.lags), default=0)),
        "latents/used": float(life.findings[-1]["used"]),
    }
    return figures


def _series(life: Life) -> dict[str, Any]:
    history = life.history
    changes = [0, *(np.flatnonzero(np.diff(history.environments)) + 1)]
    spread = np.linspace(0, len(history.steps) - 1, SAMPLED).astype(int)
    kept = np.unique([*spread, *changes, *np.flatnonzero(history.opened)])
    findings = life.findings
    return {
        "worlds": [{"name": world.name, "start": world.start} for world in life.worlds],
        "batches": len(history.steps),
        "environments": [[int(history.steps[k]), _given(history.environments[k])] for k in changes],
        "opened": history.steps[history.opened].tolist(),
        "sampled": history.steps[kept].tolist(),
        "atypicality": [[round(float(value), 3) for value in history.alpha[k]] for k in kept],
        "masks": ["".join("1" if keep else "0" for keep in history.mask[k]) for k in kept],
        "examined": list(life.examined),
        "accuracy": {name: [found["accuracy"][name] for found in findings] for name in findings[0]["accuracy"]},
        "position_mse": {
            name: [found["position_mse"][name] for found in findings] for name in findings[0]["position_mse"]
        },
        "information": {
            name: [found["information"][name] for found in findings] for name in findings[0]["information"]
        },
        "used": [found["used"] for found in findings],
    }


def _given(environment: int) -> int | None:
    return None if environment == SURPRISED else int(environment)


def _ends(life: Life) -> dict[str, int]:
    """Last batch of the first visit to each world."""
    starts = [world.start for world in life.worlds] + [len(life.history.steps) + 1]
    ends: dict[str, int] = {}
    for number, world in enumerate(life.worlds):
        ends.setdefault(world.name, starts[number + 1] - 1)
    return ends
