"""What the analyses of a life share: how much they look at, which environments are meant, and what they give."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from perma_agent.continual import Learner
from perma_agent.evaluation.ambiguity import AmbiguityConfig
from perma_agent.evaluation.report.tiles import tiles_to_text
from perma_agent.studies.cell_runs import Measured

Environments = Mapping[str, int | None]
"""World -> the environment that it was inferred as; None, or missing, where there is none."""
DIGITS = 4
"""Decimals kept in figures and series."""


@dataclass(frozen=True, kw_only=True)
class AnalysisConfig:
    """How much is looked at."""

    frames: int = 512
    """Test frames drawn of each world; at least a batch of mixtures."""
    moved: int = 64
    """Of these, frames whose latents are moved."""
    shown: int = 8
    """Of these, frames on a sheet."""
    learn_on: int = 6_000
    """Training frames that each pixel classifier learns from."""
    ambiguity: AmbiguityConfig = field(default_factory=AmbiguityConfig)
    """Mixtures and batches."""

    def __post_init__(self) -> None:
        if min(self.moved, self.shown) < 1 or self.frames < max(self.moved, self.shown, self.ambiguity.batch):
            raise ValueError(
                f"expected at least 1 frame moved and shown, and at least as many frames as these and as a batch of "
                f"{self.ambiguity.batch}, got {self.moved}, {self.shown} and {self.frames}"
            )
        if self.learn_on < 2:
            raise ValueError(f"expected at least 2 frames to learn on, got {self.learn_on}")


def apart(learner: Learner, environments: Environments, worlds: tuple[str, str]) -> tuple[tuple[int, int] | None, str]:
    """The environments of two worlds if each has its own; else None, and a sentence that says why.

    Raises:
        ValueError: an environment is not among the learner's.
    """
    first, second = (environments.get(name) for name in worlds)
    for name, index in zip(worlds, (first, second), strict=True):
        if index is None:
            return None, f"no environment was inferred for {name}"
        if not 0 <= index < len(learner.inference.records):
            raise ValueError(
                f"expected one of the learner's {len(learner.inference.records)} environments for {name}, got {index}"
            )
    assert first is not None
    assert second is not None
    if first == second:
        return None, f"{worlds[0]} and {worlds[1]} were taken for one environment, {first}"
    return (first, second), ""


def nothing(prefix: str, names: Iterable[str], note: str) -> Measured:
    """The figures without values, and the reason as a `note` in the series."""
    return Measured(figures={f"{prefix}_{name}": None for name in names}, series={prefix: {"note": note}})


def measured(prefix: str, figures: Mapping[str, float], series: Mapping[str, Any], sheet: np.ndarray) -> Measured:
    """Figures and series under a prefix, rounded, with a sheet of frames as text.

    Args:
        prefix: of the figures' names; all series are one entry of this name, so that analyses can be put together.
        figures: by name; what is not finite becomes None.
        series: arrays, lists and texts by name.
        sheet: uint8, shape `[R, K, C, H, W]`; goes under `sheet`, `sheet_rows` and `sheet_columns`.
    """
    shown = {"sheet": tiles_to_text(sheet), "sheet_rows": len(sheet), "sheet_columns": sheet.shape[1]}
    return Measured(
        figures={f"{prefix}_{name}": _rounded(value) for name, value in figures.items()},
        series={prefix: {**{name: _rounded(value) for name, value in series.items()}, **shown}},
    )


def together(*parts: Measured) -> Measured:
    """Figures and series of several analyses as one."""
    return Measured(
        figures={name: value for part in parts for name, value in part.figures.items()},
        series={name: value for part in parts for name, value in part.series.items()},
    )


def _rounded(value: Any) -> Any:
    """In JSON's own types; what is not finite becomes None."""
    if isinstance(value, np.generic | np.ndarray):
        value = value.tolist()
    if isinstance(value, float):
        return round(value, DIGITS) if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {name: _rounded(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(item) for item in value]
    return value
