"""Recording rollouts for a study: so many frames of some levels by one policy, once, and the same for the same seed."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import filelock
import numpy as np
from stable_baselines3.common.vec_env import VecEnv

from perma_agent.continual.config_json import to_json
from perma_agent.data import TrajectoryStore
from perma_agent.data.folder import sentences
from perma_agent.envs import FactorSpec, factor_specs_of, make_level
from perma_agent.errors import StoreError
from perma_agent.evaluation.atomic_write import write_json
from perma_agent.evaluation.policies import Act, RandomPolicy
from perma_agent.studies.collecting import Wanderer
from perma_agent.studies.levels import LevelChoice, make_copies
from perma_agent.wrappers import RecordTrajectories

STORE, SETTINGS, LOCK = "store", "rollouts.json", "rollouts.lock"
HELD_OUT = 1_000_000
"""Added to the seed of held-out rollouts; seeds lie below it, so the two never meet."""
APART = 1_000
"""Level seeds that each seed has to itself, one a copy: rollouts of two seeds share no episode."""
RANDOM = "random"
"""Name of the policy that draws each action anew."""


@dataclass(frozen=True, kw_only=True)
class RolloutConfig:
    """What is recorded.

    The policy decides which frames are seen how often, and with that what a slow or sparse code is: one that lingers
    near walls makes places there look slow. `wanderer` repeats its action three times out of four and prefers to go
    forward (see `studies.collecting`); `random` draws each action anew and hardly leaves the spot.

    What changes only between episodes (light, camera) has as many values as there are episodes: for more of them,
    shorten the episodes with the level's argument `max_episode_steps`.
    """

    levels: tuple[LevelChoice, ...] = (LevelChoice(id="perma/IndoorForage-v0"),)
    """Shown in turn by the copies, so that each gives as many frames."""
    frames: int = 20_000
    """Steps over all copies; each episode adds a frame, its first."""
    policy: str = "wanderer"
    """`wanderer`, `random`, or the name of one that is passed in."""
    copies: int = 8
    """Levels side by side, at least one of each."""
    seed: int = 0
    """Of levels and policy, below `HELD_OUT`."""
    held_out: bool = False
    """Whether these rollouts are kept for reporting: other episodes than any seed gives that settings are chosen on.
    Levels with a `split` take theirs from their arguments; other episodes of the same looks are the default."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "levels", tuple(self.levels))
        if not self.levels or not len(self.levels) <= self.copies <= APART:
            raise ValueError(
                f"expected a copy or more of each level, at most {APART}, "
                f"got {self.copies} for {len(self.levels)} levels"
            )
        if self.frames < 1 or not self.policy:
            raise ValueError(f"expected at least one frame and a policy's name, got {self.frames} and {self.policy!r}")
        if not 0 <= self.seed < HELD_OUT:
            raise ValueError(f"expected a seed from 0 to {HELD_OUT - 1}, got {self.seed}")

    @property
    def first_seed(self) -> int:
        """Of the first reset of copy 0; copy i has `first_seed + i`. Below 2^31."""
        return APART * (self.seed + HELD_OUT * self.held_out)


def record_rollouts(
    folder: str | Path,
    config: RolloutConfig | None = None,
    *,
    act: Act | None = None,
    on_frames: Callable[[int], None] | None = None,
) -> Path:
    """Record into a new folder, or keep what an earlier call has recorded there.

    The folder holds the trajectory store `store` and the settings `rollouts.json`. A recording that was cut off is
    begun anew: the same seed gives the same frames. Processes that ask for the same folder wait for the first of them.

    Args:
        folder: where to.
        config: what to record.
        act: the policy; None for `wanderer` and `random`. One that draws at random must be seeded by the caller.
        on_frames: called with the number of frames of each step, for a progress bar.

    Returns:
        The folder.

    Raises:
        LevelError: a level cannot be made.
        StoreError: the folder holds rollouts of other settings, or something else, or cannot be written.
        ValueError: the policy is not known and none was passed.
    """
    folder, config = Path(folder), config or RolloutConfig()
    if act is None and config.policy not in (Wanderer.name, RANDOM):
        raise ValueError(
            f"expected the policy {Wanderer.name!r} or {RANDOM!r}, got {config.policy!r}; pass it as act to use another"
        )
    if _is_there(folder, config):
        return folder
    if folder.exists() and any(folder.iterdir()) and not {path.name for path in folder.iterdir()} & {SETTINGS, LOCK}:
        raise StoreError(
            f"expected a new folder or one of rollouts at {folder}, got one with other files; take another"
        )
    specs = _specs(config)  # before anything is made: an unknown level leaves no folder behind
    document = {"config": to_json(config), "factors": [asdict(spec) for spec in specs]}
    with sentences(folder, doing="write"):
        folder.mkdir(parents=True, exist_ok=True)
    with filelock.FileLock(folder / LOCK):
        if _is_there(folder, config):  # another process was quicker
            return folder
        with sentences(folder, doing="write"):
            write_json(folder / SETTINGS, {**document, "complete": False})
            shutil.rmtree(folder / STORE, ignore_errors=True)
        _record(folder / STORE, config, act=act, on_frames=on_frames)
        with sentences(folder, doing="write"):
            write_json(folder / SETTINGS, {**document, "complete": True})
    return folder


def open_rollouts(folder: str | Path) -> tuple[TrajectoryStore, dict[str, Any], tuple[FactorSpec, ...]]:
    """The store of what was recorded, the settings as JSON, and what the factors mean.

    Raises:
        StoreError: there are no rollouts, or not all of them, or a file is damaged.
    """
    document = _settings_of(Path(folder))
    if not document["complete"]:
        raise StoreError(f"expected finished rollouts in {folder}, got a recording that was cut off; record again")
    specs = tuple(FactorSpec(**{**spec, "shape": tuple(spec["shape"])}) for spec in document["factors"])
    return TrajectoryStore.open(Path(folder) / STORE), document["config"], specs


def _settings_of(folder: Path) -> dict[str, Any]:
    path = folder / SETTINGS
    if not path.is_file():
        raise StoreError(f"expected rollouts in {folder}, got no {SETTINGS} there; record them first")
    try:
        document: Any = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise StoreError(f"expected JSON in {path}, got a damaged file ({error}); take a new folder") from error
    if not isinstance(document, dict) or not {"config", "factors", "complete"} <= set(document):
        raise StoreError(f"expected the settings of rollouts in {path}, got something else; take a new folder")
    return document


def _is_there(folder: Path, config: RolloutConfig) -> bool:
    """Whether all of it was recorded; refuses rollouts of other settings, and a store that says it is of others."""
    if not (folder / SETTINGS).exists() or not _settings_of(folder)["complete"]:
        return False
    wanted, found = to_json(config), _settings_of(folder)["config"]
    if different := [name for name in wanted if found.get(name) != wanted[name]]:
        name = different[0]
        raise StoreError(
            f"expected rollouts of {name} {wanted[name]} in {folder}, got {found.get(name)}; take another folder"
        )
    with TrajectoryStore.open(folder / STORE) as store:
        codes = store.index.level_codes.tolist()
        told = [store.provenance(codes.index(code)) for code in sorted(set(codes))]
    if {each.level for each in told} != {choice.id for choice in config.levels}:
        raise StoreError(
            f"expected trajectories of {sorted(choice.id for choice in config.levels)} in {folder / STORE}, "
            f"got {sorted(each.level for each in told)}; take another folder"
        )
    if strange := [each.policy for each in told if each.policy != config.policy]:
        raise StoreError(
            f"expected the policy {config.policy!r} in {folder / STORE}, got {strange[0]!r}; take another folder"
        )
    return True


def _record(path: Path, config: RolloutConfig, *, act: Act | None, on_frames: Callable[[int], None] | None) -> None:
    venv: VecEnv = make_copies(config.levels, copies=config.copies)
    try:
        policy = act or _policy(config, venv, rng=np.random.default_rng(config.first_seed))
        venv = RecordTrajectories(venv, path, policy=config.policy)
        venv.seed(config.first_seed)
        observations = venv.reset()
        for _ in range(-(-config.frames // config.copies)):
            observations = venv.step(policy(observations))[0]
            if on_frames is not None:
                on_frames(config.copies)
    finally:
        venv.close()


def _policy(config: RolloutConfig, venv: VecEnv, *, rng: np.random.Generator) -> Act:
    if config.policy == RANDOM:
        return RandomPolicy(venv.action_space, rng=rng)
    wanderer = Wanderer(config.copies, rng=rng)
    return lambda observations: wanderer()


def _specs(config: RolloutConfig) -> tuple[FactorSpec, ...]:
    """What the factors of the levels mean; names that several share have one meaning."""
    specs: dict[str, FactorSpec] = {}
    for choice in config.levels:
        level = make_level(choice.id, **choice.arguments)
        specs |= {spec.name: spec for spec in factor_specs_of(level)}
        level.close()
    return tuple(specs.values())
