"""Reservoir: a bounded, uniform sample of all that was ever met."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np


class Reservoir:
    """Of everything that `add` was given, each item is in the sample with the same probability.

    Args:
        capacity: items that are kept.
        seed: of the draws.

    Reference:
        Vitter, Random sampling with a reservoir (1985), algorithm R.
    """

    def __init__(self, capacity: int, *, seed: int) -> None:
        self.capacity = capacity
        self.met = 0
        """Items so far."""
        self.entries: dict[str, np.ndarray] = {}
        """What is kept, by entry, with the items along the first axis; nothing before the first."""
        self._rng = np.random.default_rng(seed)

    def __len__(self) -> int:
        return min(self.met, self.capacity)

    def add(self, items: Mapping[str, np.ndarray]) -> np.ndarray:
        """Meet items.

        Args:
            items: by entry, shape `[B, ...]` each, always the same entries.

        Returns:
            Where each is kept now, an int of shape `[B]`; -1 for one that is not.
        """
        if not self.entries:
            self.entries = {
                name: np.empty((self.capacity, *values.shape[1:]), dtype=values.dtype) for name, values in items.items()
            }
        places = np.full(len(next(iter(items.values()))), -1)
        for number in range(len(places)):
            place = self.met if self.met < self.capacity else int(self._rng.integers(self.met + 1))
            self.met += 1
            if place < self.capacity:
                places[places == place] = -1  # whoever came with the same batch and is driven out at once
                places[number] = place
                for name, values in items.items():
                    self.entries[name][place] = values[number]
        return places

    def sample(self) -> dict[str, np.ndarray]:
        """What is kept, `[len, ...]` each; views."""
        return {name: values[: len(self)] for name, values in self.entries.items()}

    def state_dict(self) -> dict[str, Any]:
        """Items, count and generator."""
        kept = {name: values.copy() for name, values in self.sample().items()}
        return {"entries": kept, "met": self.met, "generator": self._rng.bit_generator.state}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from what `state_dict` gave of a reservoir of the same capacity."""
        self.met, self.entries = 0, {}
        for name, values in state["entries"].items():
            self.entries[name] = np.empty((self.capacity, *values.shape[1:]), dtype=values.dtype)
            self.entries[name][: len(values)] = values
        self.met = int(state["met"])
        self._rng.bit_generator.state = state["generator"]
