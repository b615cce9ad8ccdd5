"""Observation reading: what levels show as tensors, pictures apart from numbers, whatever space they show it in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from gymnasium import spaces
from torch import Tensor

from perma_agent.errors import FrameError
from perma_agent.imagination.bonus import Observations

ALONE = "observation"
"""Name of the only entry where observations are no Dict."""
Entries = dict[str, np.ndarray]
"""Observations as the levels show them, by entry, `[B, ...]` each."""
Seen = dict[str, Tensor]
"""The same as floats: pictures `[B, C, H, W]` in [0, 1], all else flat, `[B, V]`."""


@dataclass(frozen=True, kw_only=True)
class ObservationReading:
    """How to read the observations of one space.

    | entry                                          | becomes                                                     |
    |------------------------------------------------|-------------------------------------------------------------|
    | Box of 3 axes; uint8 Box of 2                  | a picture; the smallest of 3 axes holds the channels        |
    | other Box, MultiBinary                         | flat floats                                                 |
    | Discrete, MultiDiscrete                        | one-hot, side by side                                       |
    """

    alone: bool
    """Whether observations are no Dict."""
    parts: Mapping[str, spaces.Space[Any]]
    """Space of each entry."""
    shapes: Mapping[str, tuple[int, ...]]
    """Of each entry as it is seen: `[C, H, W]` of a picture, `[V]` of all else."""

    @classmethod
    def of(cls, space: spaces.Space[Any]) -> ObservationReading:
        """Learn to read a space.

        Raises:
            FrameError: an entry is nothing that numbers stand for.
        """
        alone = not isinstance(space, spaces.Dict)
        parts = {ALONE: space} if not isinstance(space, spaces.Dict) else dict(space.spaces)
        return cls(alone=alone, parts=parts, shapes={name: _shape(name, part) for name, part in parts.items()})

    @property
    def pictures(self) -> list[str]:
        """Names of the entries that are pictures."""
        return [name for name, shape in self.shapes.items() if len(shape) == 3]

    def entries(self, observations: Observations) -> Entries:
        """Observations by entry, as they are.

        Raises:
            FrameError: they have other shapes than announced, or numbers that are not finite.
        """
        given = observations if isinstance(observations, dict) else {ALONE: observations}
        if set(given) != set(self.parts):
            raise FrameError(f"expected observations with the entries {list(self.parts)}, got {list(given)}")
        found = {name: np.asarray(given[name]) for name in self.parts}
        for name, values in found.items():
            shape = self.parts[name].shape or ()
            if values.shape[1:] != shape:
                raise FrameError(f"expected {name} of shape {['N', *shape]}, got {list(values.shape)}; wrap all alike")
            if values.dtype.kind == "f" and not np.isfinite(values).all():
                raise FrameError(f"expected finite numbers in {name}, got NaN or infinity; look at the level")
        return found

    def see(self, entries: Entries, *, device: torch.device) -> Seen:
        """Entries as floats."""
        return {name: _seen(values, self.parts[name]).to(device) for name, values in entries.items()}


def joined(batches: list[Entries]) -> Entries:
    """Several batches as one."""
    return {name: np.concatenate([batch[name] for batch in batches]) for name in batches[0]}


def part_of(seen: Seen, which: Tensor) -> Seen:
    """Some of a batch, by number."""
    return {name: values[which] for name, values in seen.items()}


def _shape(name: str, space: spaces.Space[Any]) -> tuple[int, ...]:
    if isinstance(space, spaces.Discrete):
        return (int(space.n),)
    if isinstance(space, spaces.MultiDiscrete):
        return (int(space.nvec.sum()),)
    if isinstance(space, spaces.MultiBinary):
        return (int(np.prod(space.shape)),)
    if not isinstance(space, spaces.Box):
        raise FrameError(f"expected numbers or a picture in {name}, got {space}; leave that entry out")
    if len(space.shape) == 2 and space.dtype == np.uint8:
        return (1, *space.shape)
    if len(space.shape) != 3:
        return (int(np.prod(space.shape)),)
    first = space.shape[0] == min(space.shape)
    return space.shape if first else (space.shape[2], *space.shape[:2])


def _seen(values: np.ndarray, space: spaces.Space[Any]) -> Tensor:
    if isinstance(space, spaces.Discrete):
        return _one_hot(values[:, None] - space.start, np.array([space.n]))
    if isinstance(space, spaces.MultiDiscrete):
        return _one_hot((values - space.start).reshape(len(values), -1), space.nvec.ravel())
    assert space.shape is not None
    floats = torch.from_numpy(np.ascontiguousarray(values)).float()
    if not isinstance(space, spaces.Box) or (len(space.shape) != 3 and space.dtype != np.uint8):
        return floats.flatten(1)
    darkest, whitest = float(space.low.min()), float(space.high.max())
    if np.isfinite([darkest, whitest]).all():
        floats = (floats - darkest) / (whitest - darkest)
    if len(space.shape) == 3:
        return floats if space.shape[0] == min(space.shape) else floats.permute(0, 3, 1, 2)
    return floats[:, None] if len(space.shape) == 2 else floats.flatten(1)


def _one_hot(values: np.ndarray, sizes: np.ndarray) -> Tensor:
    columns = [
        torch.nn.functional.one_hot(torch.from_numpy(values[:, index].astype(np.int64)), int(size))
        for index, size in enumerate(sizes)
    ]
    return torch.cat(columns, dim=1).float()
