"""A cell that is planned, and what measuring it gives."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

Advance = Callable[[float], None]


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What a cell gave."""

    figures: Mapping[str, float | None]
    """Single numbers by name."""
    series: Mapping[str, Any] = field(default_factory=dict)
    """Lists of numbers by name."""


@dataclass(frozen=True, kw_only=True)
class PlannedCell:
    """A cell that is to be there when the study is done."""

    arm: str
    """Of the cell."""
    seed: int
    """Of the cell."""
    settings: Mapping[str, Any]
    """All that its result depends on, `preset` among it; JSON values."""
    work: float
    """Its share of the progress bar, in the study's own unit."""
    measure: Callable[[Advance], Measured]
    """Makes it; calls its argument with the work done since the last call."""
