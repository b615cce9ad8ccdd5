"""Spaces of observations and actions as plain values."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from gymnasium import spaces


@dataclass(frozen=True, kw_only=True)
class SpaceConfig:
    """A space of Gymnasium's; which fields count depends on `kind`."""

    kind: Literal["box", "discrete", "multidiscrete", "multibinary", "dict"]
    """Of space."""
    shape: tuple[int, ...] = ()
    """Of an element."""
    dtype: str = ""
    """By numpy's name."""
    low: tuple[float, ...] = ()
    """Smallest values of a box: one for all, or one an element, row by row."""
    high: tuple[float, ...] = ()
    """Largest values, likewise."""
    sizes: tuple[int, ...] = ()
    """Choices of each discrete part."""
    start: int = 0
    """First choice of a discrete space."""
    parts: dict[str, SpaceConfig] = field(default_factory=dict)
    """Entries of a dict."""

    @classmethod
    def of(cls, space: spaces.Space[Any]) -> SpaceConfig:
        """Write a space down.

        Raises:
            ValueError: it is of another kind.
        """
        if isinstance(space, spaces.Box):
            low, high = (_bounds(values) for values in (space.low, space.high))
            return cls(kind="box", shape=space.shape, dtype=str(space.dtype), low=low, high=high)
        if isinstance(space, spaces.Discrete):
            return cls(kind="discrete", dtype=str(space.dtype), sizes=(int(space.n),), start=int(space.start))
        if isinstance(space, spaces.MultiDiscrete) and not np.any(space.start):
            sizes = tuple(int(size) for size in space.nvec.flat)
            return cls(kind="multidiscrete", shape=space.shape, dtype=str(space.dtype), sizes=sizes)
        if isinstance(space, spaces.MultiBinary):
            return cls(kind="multibinary", shape=space.shape)
        if isinstance(space, spaces.Dict):
            return cls(kind="dict", parts={name: cls.of(part) for name, part in space.items()})
        raise ValueError(f"expected a space of numbers or a Dict of these, got {space}; use the agent's own save()")

    def make(self) -> spaces.Space[Any]:
        """The space.

        Raises:
            TypeError, ValueError: the fields do not fit each other.
        """
        if self.kind == "dict":
            return spaces.Dict({name: part.make() for name, part in self.parts.items()})
        if self.kind == "multibinary":
            return spaces.MultiBinary(self.shape[0] if len(self.shape) == 1 else self.shape)
        kind: Any = np.dtype(self.dtype).type
        if self.kind == "box":
            low, high = (np.broadcast_to(np.array(values, kind), (size,)) for values, size in self._bounds())
            return spaces.Box(low.reshape(self.shape), high.reshape(self.shape), self.shape, kind)
        if self.kind == "discrete":
            return spaces.Discrete(self.sizes[0], start=self.start)
        return spaces.MultiDiscrete(np.array(self.sizes).reshape(self.shape), dtype=kind)

    def _bounds(self) -> list[tuple[tuple[float, ...], int]]:
        size = int(np.prod(self.shape))
        return [(self.low, size), (self.high, size)]


def _bounds(values: np.ndarray) -> tuple[float, ...]:
    first = values.flat[:1]
    return tuple(float(value) for value in (first if (values == first).all() else values.flat))
