"""Pretraining run: a learner in a run folder, saved as it learns, and taken up again where it was stopped."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from perma_agent.continual import Learner, LearnerConfig, Update
from perma_agent.continual.checkpoint import load_extra, load_learner, save_run
from perma_agent.continual.config_json import from_json, to_json
from perma_agent.continual.manifest import MANIFEST
from perma_agent.data import PairSampler, TrajectoryStore
from perma_agent.errors import FrameError, RunFolderError
from perma_agent.models import VASE, VASEConfig
from perma_agent.studies.pretraining import pretrain
from perma_agent.studies.run_log import METRICS, RunLog

KEY = "pretraining"
"""Under which a run folder's `extra` lists its stretches."""


@dataclass(frozen=True, kw_only=True)
class StretchConfig:
    """A stretch of pretraining: so many batches from one store."""

    updates: int = 5_000
    """Batches."""
    pairs: int = 32
    """Pairs of frames in a batch."""
    offsets: tuple[int, ...] = (1, 4, 16)
    """Steps between the two frames of a pair."""
    seed: int = 0
    """Of the choice of pairs; for a new run of the model and its noise too."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "offsets", tuple(self.offsets))
        if self.updates < 1 or self.pairs < 1 or self.seed < 0:
            raise ValueError(f"expected at least one update and one pair, and a seed of at least 0, got {self}")
        if not self.offsets or min(self.offsets) < 1:
            raise ValueError(f"expected offsets of at least 1 step, got {self.offsets}")


@dataclass(frozen=True, kw_only=True)
class Stretch:
    """A stretch as the run folder remembers it."""

    store: str
    """Path of the store, as it was given."""
    config: StretchConfig
    """What was asked for."""
    made: int = 0
    """Batches learnt from so far."""
    rng: str | None = None
    """State of the generator that draws the pairs, as JSON; None once all batches were made."""


class PretrainingRun:
    """A learner of a run folder, about to learn from a store.

    A new run folder is written at once, so that one that cannot be written shows before anything is learnt. In one that
    exists the same learner goes on, told nothing. If its last stretch was stopped, and the same is asked for again, it
    goes on to that stretch's end: bit for bit as if it had not been stopped.

    Args:
        run: the run folder.
        store: where the frames are.
        config: the stretch.
        model: of a new run; in an existing one None or the run's own.
        learner: likewise; its seed is the stretch's.
        device: where to learn.

    Raises:
        FrameError: the store's frames do not fit the model.
        StoreError: the store is empty, damaged, or has no trajectory long enough for the offsets.
        RunFolderError: the run folder is damaged, foreign or cannot be written, or has another configuration.
    """

    def __init__(
        self,
        run: str | Path,
        store: TrajectoryStore,
        *,
        config: StretchConfig,
        model: VASEConfig | None = None,
        learner: LearnerConfig | None = None,
        device: str | torch.device = "cpu",
    ) -> None:
        self.run, self.store, self.config = Path(run), store, config
        self._source = PairSampler(store, offsets=config.offsets)
        exists = (self.run / MANIFEST).exists()
        if exists:
            self.learner = load_learner(self.run, device=device)
            self._extra = load_extra(self.run)
            _check_same(self.run, self.learner, model=model, learner=learner)
        else:
            self.learner = _fresh(model or VASEConfig(), learner or LearnerConfig(), seed=config.seed, device=device)
            self._extra = {}
        _check_frames(store, self.learner.model.config)
        self._earlier, self._stretch, self._rng = self._take_up()
        if not exists:
            if (self.run / METRICS).exists():
                raise RunFolderError(f"expected a new run folder, got {self.run} with {METRICS}; choose another folder")
            self.save()

    @property
    def remaining(self) -> int:
        """Batches that are left to do."""
        return self.config.updates - self._stretch.made

    def learn(
        self,
        *,
        save_every: int = 500,
        log_every: int = 10,
        on_update: Callable[[Update], bool | None] | None = None,
    ) -> None:
        """Learn from the batches that are left, and save.

        Args:
            save_every: batches between two saves; a process that is killed loses at most so many.
            log_every: batches between two lines of `metrics.jsonl`.
            on_update: called with each update, for a progress bar; if it returns False, this ends after a save.

        Raises:
            StoreError: the store cannot be read.
            RunFolderError: the run folder cannot be written; what was saved last is intact.
        """
        going = True

        def after(update: Update) -> bool:
            nonlocal going
            log(update)
            self._stretch = replace(self._stretch, made=self._stretch.made + 1)
            going = on_update is None or on_update(update) is not False
            return going

        with RunLog(self.run, step=self.learner.step, every=log_every) as log:
            while going and self.remaining:
                count = min(save_every, self.remaining)
                pretrain(
                    self.learner, self._source, updates=count, pairs=self.config.pairs, rng=self._rng, on_update=after
                )
                log.flush()
                self.save()

    def save(self) -> None:
        """Write the learner, and where it stands, into the run folder.

        Raises:
            RunFolderError: it cannot be written; what was saved last is intact.
        """
        state = json.dumps(self._rng.bit_generator.state) if self.remaining else None
        stretches = [*self._earlier, to_json(replace(self._stretch, rng=state))]
        save_run(self.learner, self.run, extra={**self._extra, KEY: stretches})

    def _take_up(self) -> tuple[list[Any], Stretch, np.random.Generator]:
        """The stretches before this one, this one, and the generator of its pairs."""
        earlier = list(self._extra.get(KEY, []))
        stretch = Stretch(store=str(self.store.path), config=self.config)
        # From the step too, or a second stretch from the same store would begin with the first one's pairs.
        rng = np.random.default_rng([self.config.seed, self.learner.step])
        if earlier:
            last = from_json(Stretch, earlier[-1], where=f"the last stretch in {self.run}")
            if last.rng is not None and replace(last, made=0, rng=None) == stretch:
                rng.bit_generator.state = json.loads(last.rng)
                return earlier[:-1], last, rng
        return earlier, stretch, rng


def _fresh(model: VASEConfig, learner: LearnerConfig, *, seed: int, device: str | torch.device) -> Learner:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        vase = VASE(model)
    return Learner(vase.to(device), replace(learner, seed=seed))


def _check_same(run: Path, found: Learner, *, model: VASEConfig | None, learner: LearnerConfig | None) -> None:
    pairs = {
        "model": (model, found.model.config),
        "learner": (learner and replace(learner, seed=found.config.seed), found.config),
    }
    for name, (asked, known) in pairs.items():
        if asked is not None and asked != known:
            raise RunFolderError(
                f"expected no {name} options, since {run} has its own ({known}), got {asked}; leave them out to go on "
                "with it, or name a new run folder"
            )


def _check_frames(store: TrajectoryStore, model: VASEConfig) -> None:
    expected = (model.image_size, model.image_size, model.channels)
    if store.frame_shape != expected:
        raise FrameError(
            f"expected frames of shape {expected} [H, W, C], as the model has them, got {store.frame_shape} in "
            f"{store.path}; give the model their image_size and channels, or record through ObserveFrames"
        )
