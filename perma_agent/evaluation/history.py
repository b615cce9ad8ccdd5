"""The history of a learner: what it inferred and masked at each batch, as arrays, to be scored and drawn."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from perma_agent.continual import Update
from perma_agent.errors import RunFolderError
from perma_agent.evaluation.atomic_write import atomic_file

SURPRISED = -1
"""Stands for the environment of a batch that surprised and was not learnt from."""


@dataclass(frozen=True, kw_only=True)
class World:
    """What the batches truly came from, from one step on; the learner is never told."""

    name: str
    """E.g. `indoor`. The same name again means a return."""
    start: int
    """The first step whose batch came from it; the first world starts at 1."""


@dataclass(frozen=True, kw_only=True)
class LearningHistory:
    """K batches as `Learner.update` saw them."""

    steps: np.ndarray
    """Number of each batch, int64, shape `[K]`, increasing."""
    environments: np.ndarray
    """s inferred, int64, shape `[K]`; `SURPRISED` where none was."""
    opened: np.ndarray
    """Whether a new environment began with the batch, bool, shape `[K]`."""
    alpha: np.ndarray
    """Atypicality in nats, float32, shape `[K, D]`."""
    mask: np.ndarray
    """a^s in force, bool, shape `[K, D]`; False where masked."""
    metrics: Mapping[str, np.ndarray]
    """The update's scalars by name, float64, each of shape `[K]`; NaN where a batch had none."""

    def __post_init__(self) -> None:
        batches = len(self.steps)
        shapes = {name: getattr(self, name).shape for name in ("steps", "environments", "opened")}
        if any(shape != (batches,) for shape in shapes.values()):
            raise ValueError(f"expected one value a batch, got shapes {shapes}")
        if self.alpha.shape != self.mask.shape or self.alpha.ndim != 2 or len(self.alpha) != batches:
            raise ValueError(
                f"expected alpha and mask of shape [{batches}, D], got {self.alpha.shape} and {self.mask.shape}"
            )
        wrong = sorted(name for name, values in self.metrics.items() if values.shape != (batches,))
        if wrong:
            raise ValueError(f"expected one value a batch of each metric, got another shape in {wrong}")
        if (np.diff(self.steps) <= 0).any():
            raise ValueError("expected increasing steps, got some out of order or twice; keep one run in one history")

    @classmethod
    def of(cls, updates: Iterable[Update]) -> LearningHistory:
        """Stack what a learner returned, batch by batch.

        Raises:
            ValueError: there are no updates.
        """
        updates = list(updates)
        if not updates:
            raise ValueError("expected at least one update, got none")
        names = sorted({name for update in updates for name in update.metrics})
        return cls(
            steps=np.array([update.step for update in updates], dtype=np.int64),
            environments=np.array(
                [SURPRISED if update.environment is None else update.environment for update in updates], dtype=np.int64
            ),
            opened=np.array([update.opened for update in updates], dtype=bool),
            alpha=np.stack([update.alpha.cpu().numpy() for update in updates]).astype(np.float32),
            mask=np.stack([update.mask.cpu().numpy() for update in updates]).astype(bool),
            metrics={name: np.array([update.metrics.get(name, np.nan) for update in updates]) for name in names},
        )

    def metric(self, name: str) -> np.ndarray:
        """A metric at each batch, float64, shape `[K]`; all NaN where no batch had it."""
        return self.metrics.get(name, np.full(len(self.steps), np.nan))

    def write(self, path: Path | str) -> None:
        """Write atomically as a compressed `.npz` without pickle."""
        arrays: dict[str, Any] = {
            name: getattr(self, name) for name in ("steps", "environments", "opened", "alpha", "mask")
        }
        arrays |= {f"metrics/{name}": values for name, values in self.metrics.items()}
        with atomic_file(path) as file:
            np.savez_compressed(file, **arrays)

    @classmethod
    def read(cls, path: Path | str) -> LearningHistory:
        """Read what `write` wrote.

        Raises:
            RunFolderError: the file is missing, damaged or something else.
        """
        try:
            with np.load(path, allow_pickle=False) as stored:
                arrays = dict(stored)
            metrics = {name.removeprefix("metrics/"): arrays.pop(name) for name in list(arrays) if "metrics/" in name}
            return cls(**arrays, metrics=metrics)
        except FileNotFoundError as error:
            raise RunFolderError(f"expected a learning history in {path}, got no such file; run it first") from error
        except (ValueError, TypeError, EOFError, zipfile.BadZipFile) as error:
            raise RunFolderError(f"expected a learning history in {path}, got another file ({error})") from error
