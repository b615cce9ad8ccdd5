"""Object probe: what a frozen code still tells of the nearest object, before any policy is asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Literal

import numpy as np
from sklearn.metrics import r2_score

from perma_agent.evaluation.probes import train_regressor
from perma_agent.sb3 import EncodedObservation
from perma_agent.studies.collecting import Wanderer
from perma_agent.studies.levels import LevelChoice, make_copies

COPIES = 8
"""Levels in parallel; the last quarter of them is tested on."""
TOLD_APART = 0.25
"""Share of an object's width that must be in the picture and not hidden for it to count as seen."""
FEWEST = 100
"""Frames with an object in sight, of those learnt from and of those tested: with fewer nothing is said."""
WHAT: Mapping[str, str] = MappingProxyType({"angle": "its angle from straight ahead", "distance": "its distance"})
"""What is read of the nearest object in sight."""


Eyes = Literal["frozen", "random"]
"""Whether the code's encoder looks, or an untrained one of its size."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Sightings:
    """Frames in which an object is in sight."""

    frames: np.ndarray
    """uint8, as the level shows them, shape `[N, H, W, C]`."""
    nearest: np.ndarray
    """Of the nearest one: angle to the right, radians, and distance, metres; shape `[N, 2]`."""
    tested: np.ndarray
    """Whether the frame is of the last quarter of the copies, whose layouts the probe has not seen; bool, `[N]`."""


def sight_objects(level: LevelChoice, *, seed: int, frames: int) -> Sightings:
    """Wander through a level and keep the frames in which an object is in sight.

    Args:
        level: one that tells `object_position` and `object_visible`; of any other no frame is kept.
        seed: of the levels and of the wanderer.
        frames: to look at, over all copies.
    """
    venv = make_copies([level], copies=COPIES)
    wander = Wanderer(COPIES, rng=np.random.default_rng(seed))
    kept: list[np.ndarray] = []
    nearest: list[tuple[float, float]] = []
    tested: list[bool] = []
    try:
        venv.seed(seed)
        shown, infos = np.asarray(venv.reset()), list(venv.reset_infos)
        for _ in range(frames // COPIES):
            for copy, info in enumerate(infos):
                seen = nearest_object(info.get("factors", {}))
                if seen is not None:
                    kept.append(shown[copy].copy())
                    nearest.append(seen)
                    tested.append(copy >= COPIES * 3 // 4)
            stepped, _, dones, after = venv.step(wander())
            shown = np.asarray(stepped)
            infos = [begun if done else info for info, begun, done in zip(after, venv.reset_infos, dones, strict=True)]
    finally:
        venv.close()
    return Sightings(
        frames=np.array(kept, dtype=np.uint8),
        nearest=np.array(nearest, dtype=np.float64).reshape(-1, len(WHAT)),
        tested=np.array(tested, dtype=bool),
    )


def nearest_object(factors: Mapping[str, np.ndarray]) -> tuple[float, float] | None:
    """Angle to the right (radians) and distance (metres) of the nearest object in sight; None where none is told of.

    Args:
        factors: of a frame; `object_position` is metres ahead and metres to the right of each.
    """
    if not {"object_position", "object_visible"} <= set(factors):  # ViZDoom does not tell what hides an object
        return None
    in_sight = np.asarray(factors["object_visible"]) >= TOLD_APART
    if not in_sight.any():
        return None
    ahead, right = np.asarray(factors["object_position"], dtype=np.float64)[in_sight].T
    distances = np.hypot(ahead, right)
    place = int(distances.argmin())
    return float(np.arctan2(right[place], ahead[place])), float(distances[place])


def read_objects(
    level: LevelChoice, sightings: Sightings, run: Path, *, mode: Eyes, seed: int
) -> dict[str, float | None]:
    """R² of a small network that reads the nearest object off what a policy sees.

        R² = 1 - Σ (y - ŷ)² / Σ (y - ȳ)²  over the tested frames

    Args:
        level: that the frames are of.
        sightings: frames, and where the nearest object is.
        run: run folder of the code.
        mode: whose encoder looks.
        seed: of the untrained encoder.

    Returns:
        `angle` and `distance`, at most 1, below 0 where the mean of the tested frames tells more; None where objects
        are too rarely in sight.
    """
    train, test = ~sightings.tested, sightings.tested
    if min(train.sum(), test.sum()) < FEWEST:
        return dict.fromkeys(WHAT)
    venv = make_copies([level], copies=1)
    try:
        eyes = EncodedObservation(venv, run, mode=mode, seed=seed)
        codes = np.concatenate([eyes.encode(part) for part in np.array_split(sightings.frames, 32)])
    finally:
        venv.close()
    spread = sightings.nearest[train].std(axis=0)
    read = train_regressor(codes[train], sightings.nearest[train] / spread).predict(codes[test])
    truth = sightings.nearest[test] / spread
    told = r2_score(truth, read, multioutput="raw_values")
    return {name: float(share) for name, share in zip(WHAT, told, strict=True)}
