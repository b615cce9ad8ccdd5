"""Memories: a uniform sample of what was met in each environment, each code to be found again by its number."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from perma_agent.imagination.baselines.reservoir import Reservoir
from perma_agent.imagination.code_reading import Read
from perma_agent.imagination.configurations import Met
from perma_agent.imagination.imagination_config import ImaginationConfig
from perma_agent.imagination.worldview import Worldview


class Memories:
    """Codes met, with their frames where levels show frames and these are to be kept.

    What is met waits until it is said which environment it was in.

    Args:
        config: settings.
    """

    def __init__(self, config: ImaginationConfig) -> None:
        self.config = config
        self._kept: dict[int, Reservoir] = {}
        self._numbers = 0
        self._waiting: list[Read] = []

    @property
    def environments(self) -> set[int]:
        """Those of which anything is remembered."""
        return set(self._kept)

    def meet(self, read: Read) -> None:
        """These were met."""
        self._waiting.append(read)

    def newest_frames(self, count: int) -> np.ndarray | None:
        """Of what waits the frames met last, uint8 `[B, C, H, W]`, at most `count`; None without any."""
        frames = [read.frames for read in self._waiting if read.frames is not None]
        return np.concatenate(frames)[-count:] if frames else None

    def remember(self, environment: int) -> None:
        """What waits was met in this environment."""
        if not self._waiting:
            return
        items: dict[str, np.ndarray] = {"codes": np.concatenate([read.codes for read in self._waiting])}
        frames = [read.frames for read in self._waiting if read.frames is not None]
        if frames and self.config.keep_frames:
            items["frames"] = np.concatenate(frames)
        items["numbers"] = np.arange(self._numbers, self._numbers + len(items["codes"]))
        self._numbers += len(items["codes"])
        self._waiting = []
        self._of(environment).add(items)

    def count(self, environment: int) -> int:
        """How many were ever met in it."""
        return self._kept[environment].met if environment in self._kept else 0

    def met(self, environment: int) -> Met | None:
        """What is remembered of an environment; None if it is too little."""
        kept = self._kept.get(environment)
        if kept is None or len(kept) < self.config.enough:
            return None
        sample = kept.sample()
        return Met(environment=environment, codes=sample["codes"], numbers=sample["numbers"])

    def code(self, environment: int, number: int) -> np.ndarray | None:
        """A code met, float32 `[D]`; None if it is no longer remembered."""
        return self._recall(environment, number, entry="codes")

    def frame(self, environment: int, number: int) -> np.ndarray | None:
        """The frame of a code met, uint8 `[C, H, W]`; None if it is no longer remembered or was not kept."""
        return self._recall(environment, number, entry="frames")

    def encode_again(self, worldview: Worldview) -> None:
        """The VASE moved: all codes are made anew from their frames; those without are forgotten."""
        self._waiting = [
            Read(worldview.encode(read.frames)[0], read.frames) for read in self._waiting if read.frames is not None
        ]
        self._kept = {environment: kept for environment, kept in self._kept.items() if "frames" in kept.entries}
        for kept in self._kept.values():
            sample = kept.sample()
            sample["codes"][:] = worldview.encode(sample["frames"])[0]

    def state_dict(self) -> dict[str, Any]:
        """All of it, as copies."""
        return {
            "kept": {str(environment): kept.state_dict() for environment, kept in self._kept.items()},
            "numbers": self._numbers,
            "waiting": [{"codes": read.codes, "frames": read.frames} for read in self._waiting],
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on where others of the same configuration stood."""
        self._kept = {}
        for environment, kept in state["kept"].items():
            self._of(int(environment)).load_state_dict(kept)
        self._numbers = int(state["numbers"])
        self._waiting = [Read(part["codes"], part["frames"]) for part in state["waiting"]]

    def _of(self, environment: int) -> Reservoir:
        if environment not in self._kept:
            seed = self.config.seed + 7_919 * (environment + 1)
            self._kept[environment] = Reservoir(self.config.memory, seed=seed)
        return self._kept[environment]

    def _recall(self, environment: int, number: int, *, entry: str) -> np.ndarray | None:
        kept = self._kept.get(environment)
        if kept is None or entry not in kept.entries:
            return None
        places = np.flatnonzero(kept.sample()["numbers"] == number)
        return kept.entries[entry][places[0]] if len(places) else None
