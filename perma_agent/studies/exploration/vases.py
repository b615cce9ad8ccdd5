"""VASEs pretrained elsewhere: on other levels than are explored, one life each, the same for all arms and seeds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

import numpy as np

from perma_agent.continual import LearnerConfig
from perma_agent.continual.checkpoint import load_extra, load_learner, save_run
from perma_agent.continual.config_json import to_json
from perma_agent.continual.manifest import MANIFEST
from perma_agent.envs import make_level
from perma_agent.envs.actions import TURN_LEFT
from perma_agent.errors import RunFolderError
from perma_agent.imagination.worldview import Worldview
from perma_agent.models import VASEConfig
from perma_agent.studies.exploration.grounds import LEVELS, ExploredLevel
from perma_agent.studies.levels import LevelChoice
from perma_agent.studies.permanence.recording import RolloutConfig, open_rollouts, record_rollouts
from perma_agent.studies.pretraining_run import KEY, PretrainingRun, StretchConfig
from perma_agent.studies.short_learner import short_learner

Advance = Callable[[int], None]
LOOKED_AT = 99
"""Seed of the map, and of the place in it, that a VASE is shown to recognise a level by."""
LOOKS = 16
"""Turns of 22.5° that make a look all around; of 15° in MiniWorld's own levels, where they make two thirds of one."""


def _suite(setting: str) -> tuple[LevelChoice, ...]:
    return tuple(
        LevelChoice(id=f"perma/{setting}{task}-v0", arguments={"randomise": False}) for task in ("Forage", "Deferred")
    )


def _miniworld(*names: str) -> tuple[LevelChoice, ...]:
    return tuple(LevelChoice(id=f"MiniWorld-{name}-v0") for name in names)


ELSEWHERE: Mapping[str, tuple[tuple[LevelChoice, ...], ...]] = MappingProxyType(
    {
        "suite": ((*_suite("Indoor"), *_suite("Outdoor")),),
        "miniworld": (_miniworld("OneRoom", "Hallway", "TMaze", "YMaze"),),
        "vizdoom": (
            (
                LevelChoice(id="perma/VizdoomIndoor-v0"),
                LevelChoice(id="perma/VizdoomHealthGatheringSupreme-v0"),
            ),
        ),
    }
)
"""Levels that each VASE has lived in before, one world after the other: of the same engine, none that is explored.

Indoors and outdoors are one world, mixed: lived in one after the other in so few updates, all latents were taken by the
first, and masked in the second."""


@dataclass(frozen=True, kw_only=True)
class PretrainingPlan:
    """How every VASE is pretrained."""

    frames: int = 12_000
    """Recorded by the wanderer in each world."""
    updates: int = 4_000
    """Batches of pairs in each world."""
    pairs: int = 16
    """Pairs of frames in a batch; on transfer's Forage half as many batches of 32 told less of small objects."""
    model: VASEConfig = field(default_factory=lambda: VASEConfig(filters=(16, 32, 32, 64), latents=16, pixel_std=0.1))
    """The VASE: small enough that the levels, not the encoder, take the time."""
    learner: LearnerConfig = field(default_factory=lambda: short_learner(rise=500))
    """How it learns."""
    seed: int = 0
    """Of the recordings and of the learning."""


def pretrain_elsewhere(
    folder: Path, name: str, plan: PretrainingPlan, *, advance: Advance = lambda updates: None
) -> Path:
    """Record what is missing and learn what is missing; what was done already is kept.

    Args:
        folder: recordings and run folders go below.
        name: one of `ELSEWHERE`.
        plan: how much.
        advance: called with the updates just made.

    Returns:
        The run folder.

    Raises:
        LevelError: a level cannot be made.
        StoreError: a recording of other settings is there.
        RunFolderError: a run folder of other settings is there.
    """
    run = folder / name / "run"
    for index, world in enumerate(ELSEWHERE[name]):
        recording = RolloutConfig(levels=world, frames=plan.frames, seed=plan.seed + index)
        where = record_rollouts(folder / name / f"world-{index}", recording)
        stretch = StretchConfig(updates=plan.updates, pairs=plan.pairs, seed=plan.seed)
        if _is_learnt(run, index, stretch):
            continue
        store, _, _ = open_rollouts(where)
        with store:
            training = PretrainingRun(run, store, config=stretch, model=plan.model, learner=plan.learner)
            training.learn(on_update=lambda update: advance(1))
    return run


def enter(folder: Path, name: str) -> Path:
    """Let a level's VASE, pretrained elsewhere, recognise the level, which decides on the latents that it masks.

    It looks all around once, at a place of a map that is not reported on, and takes the level for that of its settled
    environments which q(s|x) says, if there are several. It learns nothing of it.

    Args:
        folder: as for `pretrain_elsewhere`.
        name: one of `LEVELS`.

    Returns:
        The run folder of the VASE in this level; what is there already is kept.

    Raises:
        LevelError: the level cannot be made.
        RunFolderError: the VASE is missing.
    """
    run = vase_folder(folder, name)
    if not (run / MANIFEST).exists():
        level = LEVELS[name]
        learner = load_learner(folder / level.vase / "run")
        records = learner.inference.records
        settled = [index for index, record in enumerate(records) if record.settled and bool(record.mask.any())]
        if settled:
            found = Worldview.of_learner(learner).environment_of(_look_around(level))
            learner.inference.current = found if found in settled else settled[0]
        save_run(learner, run)
    return run


def vase_folder(folder: Path, name: str) -> Path:
    """Where `enter` puts the VASE of a level."""
    return folder / LEVELS[name].vase / f"in-{name}"


def _look_around(level: ExploredLevel) -> np.ndarray:
    """Frames of a level while the agent turns on the spot, uint8 `[B, C, H, W]`."""
    env = make_level(level.id, **level.made(LOOKED_AT))
    try:
        frames = [env.reset(seed=LOOKED_AT)[0]]
        frames += [env.step(TURN_LEFT)[0] for _ in range(LOOKS)]
    finally:
        env.close()
    return np.stack(frames).transpose(0, 3, 1, 2)


def _is_learnt(run: Path, world: int, stretch: StretchConfig) -> bool:
    """Whether this world's stretch was gone through to its end.

    Raises:
        RunFolderError: the run folder tells of another stretch.
    """
    if not (run / MANIFEST).exists():
        return False
    made = load_extra(run).get(KEY, [])
    if world >= len(made):
        return False
    if made[world]["config"] != to_json(stretch):
        raise RunFolderError(
            f"expected {run} to have been pretrained with {to_json(stretch)}, got {made[world]['config']}; write to "
            "another folder, or delete that one"
        )
    return bool(made[world]["made"] == stretch.updates)
