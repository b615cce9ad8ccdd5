"""Realisation: which imagined factors can be brought about in which environment, learnt from trying."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np

Draw = Literal["thompson", "mean"]


@dataclass(frozen=True, kw_only=True)
class RealisationConfig:
    """How chances are estimated."""

    draw: Draw = "thompson"
    """How goals are weighed by their chances: by a draw from the posterior, which goes on trying what was tried little,
    or by its mean."""
    memory: float = 200.0
    """Tries of a latent or kind after which an earlier one counts 1/e as much: the agent learns, and what it could not
    bring about it may now."""

    def __post_init__(self) -> None:
        if self.draw not in get_args(Draw) or not self.memory > 1:
            raise ValueError(f"expected draw 'thompson' or 'mean' and memory > 1, got {self}")


class Realisation:
    """Beta-Bernoulli counts of what came about and what did not.

        θ ~ Beta(1 + reached, 1 + missed)     for each environment and kind of configuration, and each latent

    A kind is reached where the whole configuration is. A latent that was replaced is reached where it came to its own
    value at some moment of the pursuit, so that a factor that can be had is not blamed for one that cannot.

    Args:
        kinds: names of the kinds.
        latents: D.
        config: settings.
    """

    def __init__(self, kinds: Sequence[str], *, latents: int, config: RealisationConfig) -> None:
        self.kinds, self.config, self._size = tuple(kinds), config, latents
        self._counts: dict[int, tuple[np.ndarray, np.ndarray]] = {}

    def note(
        self, environment: int, kind: int, *, reached: bool, tried: np.ndarray, came: np.ndarray, share: float = 1.0
    ) -> None:
        """One pursuit is over.

        Args:
            environment: s it was tried in.
            kind: its number.
            reached: whether the whole configuration was.
            tried: latents that were replaced and did not stand at their value to begin with, bool `[D]`.
            came: those that came to their own value, bool `[D]`.
            share: what a miss counts, in [0, 1]: less than 1 where the pursuit was broken off early.
        """
        kinds, latents = self._of(environment)
        self._count(kinds, np.array([kind]), reached=np.array([reached]), share=share)
        which = np.flatnonzero(tried)
        self._count(latents, which, reached=came[which], share=share)

    def chances(self, environment: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """θ of each kind and of each latent, drawn or as means, `[K]` and `[D]`, in (0, 1)."""
        kinds, latents = self._of(environment)
        if self.config.draw == "mean":
            return _mean(kinds), _mean(latents)
        return _drawn(kinds, rng), _drawn(latents, rng)

    def table(self) -> list[dict[str, Any]]:
        """What was learnt, a row for each environment and kind or latent that was tried.

        Returns:
            Mappings with `environment`, `what` ("kind" or "latent"), `name`, `reached`, `missed` (both with what was
            tried long ago counting less) and `chance`, the mean of θ.
        """
        rows = []
        for environment, (kinds, latents) in sorted(self._counts.items()):
            named = [("kind", self.kinds, kinds), ("latent", tuple(map(str, range(self._size))), latents)]
            for what, names, counts in named:
                for name, (reached, missed), chance in zip(names, counts, _mean(counts), strict=True):
                    if reached + missed > 0:
                        numbers = {"reached": float(reached), "missed": float(missed), "chance": float(chance)}
                        rows.append({"environment": environment, "what": what, "name": name, **numbers})
        return rows

    def state_dict(self) -> dict[str, Any]:
        """All counts."""
        return {
            str(environment): {"kinds": kinds.copy(), "latents": latents.copy()}
            for environment, (kinds, latents) in self._counts.items()
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over counts of the same kinds and latents."""
        self._counts = {
            int(environment): (np.array(counts["kinds"]), np.array(counts["latents"]))
            for environment, counts in state.items()
        }

    def _of(self, environment: int) -> tuple[np.ndarray, np.ndarray]:
        empty = (np.zeros((len(self.kinds), 2)), np.zeros((self._size, 2)))
        return self._counts.setdefault(environment, empty)

    def _count(self, counts: np.ndarray, which: np.ndarray, *, reached: np.ndarray, share: float) -> None:
        counts[which] *= np.exp(-1.0 / self.config.memory)
        counts[which, 0] += reached
        counts[which, 1] += share * ~reached


def _drawn(counts: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return np.asarray(rng.beta(1.0 + counts[:, 0], 1.0 + counts[:, 1]))


def _mean(counts: np.ndarray) -> np.ndarray:
    mean: np.ndarray = (1.0 + counts[:, 0]) / (2.0 + counts.sum(axis=1))
    return mean
