"""The codes of a level and seed: a wanderer's frames, and a VASE and a VAE that learnt from the same batches."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

import numpy as np

from perma_agent.continual import Update
from perma_agent.continual.checkpoint import load_extra
from perma_agent.continual.config_json import to_json
from perma_agent.continual.run_folder import is_run_folder
from perma_agent.data import TrajectoryStore
from perma_agent.errors import RunFolderError
from perma_agent.evaluation.atomic_write import write_json
from perma_agent.studies.collecting import collect
from perma_agent.studies.levels import LevelChoice
from perma_agent.studies.planned_cell import Advance, Measured
from perma_agent.studies.pretraining_run import KEY, PretrainingRun, StretchConfig
from perma_agent.studies.transfer.sample_efficiency.arms import Code
from perma_agent.studies.transfer.sample_efficiency.config import PretrainingConfig
from perma_agent.studies.transfer.sample_efficiency.object_probe import Eyes, read_objects, sight_objects

PRETRAINED = "pretrained"
"""Folder of the codes below the study's, which is not published."""
FRAMES, RECORD = "frames", "pretraining.json"
LEVEL_SEEDS = 10_000
"""Distance of two cells' level seeds: no copy of a level shows what one of another seed has shown."""
WANDERING = 5_000
"""Added to the level seed while frames are recorded, so that no episode comes again when a policy learns."""
PROBING = 6_500
"""Added to the level seed for the frames of the probe."""
UPDATE_WORK = 25.0
"""A batch's share of the progress bar, in level steps."""


def code_folder(folder: Path, level: str, seed: int) -> Path:
    """Where the codes of a level and seed are kept, below the study's folder."""
    return folder / PRETRAINED / f"{level}-{seed}"


def level_seed(seed: int) -> int:
    """The first seed of a cell's levels; copies take the next ones."""
    return LEVEL_SEEDS * (seed + 1)


def pretraining_work(config: PretrainingConfig) -> float:
    """Of a cell, in level steps."""
    return config.frames + len(get_args(Code)) * config.updates * UPDATE_WORK


def is_pretrained(folder: Path, level: str, seed: int) -> bool:
    """Whether both codes are there, whole."""
    place = code_folder(folder, level, seed)
    return (place / RECORD).exists() and set(get_args(Code)) <= set(_read(place).get("seconds", {}))


def measure_pretraining(
    config: PretrainingConfig, level: LevelChoice, name: str, seed: int, folder: Path, advance: Advance
) -> Measured:
    """Record a level and let both codes learn from it; what was stopped goes on, what is there is kept.

    Args:
        config: how much.
        level: to record.
        name: of the level in cells.
        seed: of frames, batches and networks.
        folder: of the study's results.
        advance: told of the work done.

    Raises:
        RunFolderError: there are codes of other settings.
    """
    place = code_folder(folder, name, seed)
    seconds = _claim(place, {"pretraining": to_json(config), "level": to_json(level)})
    figures: dict[str, float | None] = {"frames": float(config.frames)}
    if "collecting" not in seconds and not set(get_args(Code)) <= set(seconds):
        seconds["collecting"] = _record(config, level, place / FRAMES, seed=seed, advance=advance)
        _note(place, seconds)
    for code in get_args(Code):
        if code not in seconds:
            seconds[code] = _learn(config, code, place, seed=seed, advance=advance)
            _note(place, seconds)
        figures |= {f"{code}_{key}": value for key, value in _last_losses(place / code).items()}
    figures |= _probe(config, level, place, seed=seed)
    shutil.rmtree(place / FRAMES, ignore_errors=True)  # 100 MB that nothing reads any more
    return Measured(figures={**figures, **{f"{part}_seconds": value for part, value in seconds.items()}})


def _record(config: PretrainingConfig, level: LevelChoice, store: Path, *, seed: int, advance: Advance) -> float:
    began = time.perf_counter()
    partial = store.with_name(f"{store.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    shutil.rmtree(store, ignore_errors=True)
    collect(
        [level],
        partial,
        frames=config.frames,
        copies=config.copies,
        seed=level_seed(seed) + WANDERING,
        on_frames=lambda frames: advance(float(frames)),
    ).close()
    partial.rename(store)
    return time.perf_counter() - began


def _learn(config: PretrainingConfig, code: Code, place: Path, *, seed: int, advance: Advance) -> float | None:
    """Seconds it took; None where an earlier process was killed after its last batch."""
    run = place / code
    if is_run_folder(run) and load_extra(run)[KEY][-1]["rng"] is None:
        return None
    stretch = StretchConfig(updates=config.updates, pairs=config.pairs, offsets=config.offsets, seed=seed)

    def on_update(update: Update) -> None:
        advance(UPDATE_WORK)

    with TrajectoryStore.open(place / FRAMES) as store:
        fresh = not is_run_folder(run)
        learning = PretrainingRun(
            run,
            store,
            config=stretch,
            model=config.model if fresh else None,
            learner=(config.vase if code == "vase" else config.vae) if fresh else None,
        )
        made, began = learning.remaining, time.perf_counter()
        learning.learn(on_update=on_update)
    return (time.perf_counter() - began) * config.updates / made  # of all of them, also where an earlier one was killed


def _probe(config: PretrainingConfig, level: LevelChoice, place: Path, *, seed: int) -> dict[str, float | None]:
    """What each code, and an untrained encoder, tell of the nearest object."""
    sightings = sight_objects(level, seed=level_seed(seed) + PROBING, frames=config.probed)
    looking: dict[str, tuple[Path, Eyes]] = {code: (place / code, "frozen") for code in get_args(Code)}
    looking["random"] = (place / "vase", "random")
    told: dict[str, float | None] = {}
    for name, (run, mode) in looking.items():
        read = read_objects(level, sightings, run, mode=mode, seed=seed)
        told |= {f"{name}_object_{what}": value for what, value in read.items()}
    return told


def _last_losses(run: Path) -> dict[str, float]:
    """Reconstruction and information in nats at the end, means over the last tenth of what was logged."""
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text(encoding="utf-8").splitlines()]
    names = {"reconstruction": "loss/reconstruction", "nats": "capacity/used"}
    found = {}
    for name, key in names.items():
        values = [line[key] for line in lines if line.get(key) is not None]
        if values:
            found[name] = float(np.mean(values[-max(1, len(values) // 10) :]))
    return found


def _claim(place: Path, settings: Mapping[str, Any]) -> dict[str, float | None]:
    """Seconds of what is done already; an empty record is written where there is none."""
    if not (place / RECORD).exists():
        write_json(place / RECORD, {"settings": settings, "seconds": {}})
    record = _read(place)
    if record.get("settings") != json.loads(json.dumps(settings)):
        raise RunFolderError(
            f"expected codes in {place} that were pretrained with the present settings, got others; write to another "
            "folder, or delete them"
        )
    return dict(record["seconds"])


def _note(place: Path, seconds: Mapping[str, float | None]) -> None:
    write_json(place / RECORD, {**_read(place), "seconds": dict(seconds)})


def _read(place: Path) -> dict[str, Any]:
    try:
        return dict(json.loads((place / RECORD).read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        raise RunFolderError(f"expected JSON in {place / RECORD}, got: {error}; delete {place}") from error
