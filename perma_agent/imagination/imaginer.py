"""Imaginer: looks at what was met in each environment, and imagines what might be brought about in this one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from perma_agent.imagination.configurations import DRAWN, KEPT, Configurations, Met, imagine
from perma_agent.imagination.imagination_config import ImaginationConfig
from perma_agent.imagination.memories import Memories
from perma_agent.imagination.novelty import Novelty
from perma_agent.imagination.plausibility import plausibility, return_trip
from perma_agent.imagination.worldview import Worldview

ACTIVE = 0.01
"""A latent is in use if the variance of its means is above this share of the prior's (active units: Burda, Grosse and
Salakhutdinov, Importance weighted autoencoders, 2016), or of the greatest variance if all vary less."""
SMALLEST_SPREAD = 1e-3
"""Unit of latents that do not vary at all."""
COARSEST = 0.5
"""Of a latent's spread: two values closer than that may be told apart, whatever the posterior says."""
LOOKED_AT = 64
"""Codes met that are drawn and looked at to tell what is usual, and newest frames that tell the environment."""
FADES = 0.9
"""Of the mean change of a step, each time that the bonus learns."""
DRAWN_CODES = 256
"""Codes drawn from what is remembered of an environment in which none were met."""


class Imaginer:
    """Takes stock of what was met, and fills a pool with configurations imagined from it.

    Args:
        worldview: of the VASE, or None.
        config: settings.
        latents: D.
        sees_frames: whether levels show frames; else codes in which masked latents stand still.
    """

    def __init__(
        self, worldview: Worldview | None, *, config: ImaginationConfig, latents: int, sees_frames: bool
    ) -> None:
        self.worldview, self.config, self._sees_frames = worldview, config, sees_frames
        self.environment = _first_environment(worldview, config)
        self.spread, self.noise = np.ones(latents), np.ones(latents)
        """Of each latent, `[D]`: standard deviation where it varies most; and how close is close: the typical change of
        a step or the posterior's σ, the larger, but at most half the former."""
        self.used = np.zeros(latents, dtype=bool)
        """Latents in use here, bool `[D]`."""
        self.comes_back = 1.0
        """Share of the variance of codes met that is left after they were drawn and looked at: 1 if all come back as
        they were; about 0 for a decoder that draws the same whatever the code, by which nothing can be judged."""
        self.pool = Configurations.none(latents)
        self.renewed = False
        """Whether the worldview is another than the run folder's."""
        self.memories = Memories(config)
        self._changes, self._steps = np.zeros(latents), 0.0
        self._rng = np.random.default_rng([config.seed, 2])

    def change(self, differences: np.ndarray) -> None:
        """Steps changed codes by so much, `[B, D]`."""
        self._changes += np.square(differences.astype(np.float64)).sum(axis=0)
        self._steps += len(differences)

    def learn(self) -> dict[str, float]:
        """Remember what was met since, and imagine anew; returns figures to log."""
        frames = self.memories.newest_frames(LOOKED_AT)
        if self.config.environment is None and not self.renewed and frames is not None and self.worldview is not None:
            self.environment = self.worldview.environment_of(frames)
        self.memories.remember(self.environment)
        self._changes, self._steps = self._changes * FADES, self._steps * FADES
        self.imagine()
        return {
            "met": float(self.memories.count(self.environment)),
            "environment": float(self.environment),
            "latents_used": float(self.used.sum()),
            "imagined": float(len(self.pool)),
            "comes_back": self.comes_back,
            **({"novelty": float(self.pool.novelty.mean())} if len(self.pool) else {}),
            **({"plausibility": float(self.pool.plausibility.mean())} if len(self.pool) else {}),
        }

    def imagine(self) -> None:
        """Fill the pool with plausible configurations; it stays empty until enough was met."""
        met = self.memories.met(self.environment)
        self.pool = Configurations.none(len(self.spread))
        if met is None:
            return
        elsewhere = self._elsewhere(met)
        self.used = self._minded(self.environment) & _active(met.codes)
        self.spread = self._spreads(met, [other for other, _ in elsewhere])
        usual = self._measure(met)
        if not self.used.any():
            return
        novelty = Novelty(met.codes, spread=self.spread, latents=self.used, config=self.config.novelty, rng=self._rng)
        composed = imagine(
            met,
            elsewhere,
            novelty=novelty,
            latents=self.used,
            shares=self.config.mix.shares,
            count=self.config.imagined,
            config=self.config.mix,
            rng=self._rng,
        )
        self.pool = self._judged(self._promising(composed), usual=usual)

    def renew(self, worldview: Worldview) -> None:
        """Take over a VASE that has moved: codes are encoded again from their frames, and forgotten without."""
        self.worldview, self.renewed = worldview, True
        before = self.environment
        self.environment = _first_environment(worldview, self.config)
        self.memories.encode_again(worldview)
        if self.environment != before:
            self._changes, self._steps = np.zeros_like(self._changes), 0.0
        self.imagine()

    def composed_again(self, base: int, donors: np.ndarray, *, source: int) -> np.ndarray | None:
        """The code that a recipe gives now, float32 `[D]`; None where a code that it needs is no longer remembered.

        Args:
            base: number of the code met here that kept latents are from; `KEPT` where they shall be NaN.
            donors: of each latent, `[D]`, see `Configurations`.
            source: environment of the donors.
        """
        code = np.full(len(donors), np.nan, dtype=np.float32)
        if base != KEPT:
            found = self.memories.code(self.environment, base)
            if found is None:
                return None
            code = found.copy()
        for donor in np.unique(donors[donors != KEPT]):
            found = None if donor == DRAWN else self.memories.code(source, int(donor))
            if found is None:
                return None
            code[donors == donor] = found[donors == donor]
        return code

    def state_dict(self) -> dict[str, Any]:
        """All of it, as copies."""
        return {
            "worldview": self.worldview.state_dict() if self.renewed and self.worldview is not None else None,
            "environment": self.environment,
            "spread": self.spread.copy(),
            "noise": self.noise.copy(),
            "used": self.used.copy(),
            "comes_back": self.comes_back,
            "pool": self.pool.state_dict(),
            "memories": self.memories.state_dict(),
            "changes": self._changes.copy(),
            "steps": self._steps,
            "generator": self._rng.bit_generator.state,
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on where another one of the same configuration stood."""
        self.renewed = state["worldview"] is not None
        if self.renewed and self.worldview is not None:
            self.worldview = self.worldview.restored(state["worldview"])
        self.environment = int(state["environment"])
        self.spread, self.noise, self.used = (np.array(state[name]) for name in ("spread", "noise", "used"))
        self.comes_back = float(state["comes_back"])
        self.pool = Configurations.restored(state["pool"])
        self.memories.load_state_dict(state["memories"])
        self._changes, self._steps = np.array(state["changes"]), float(state["steps"])
        self._rng.bit_generator.state = state["generator"]

    def _minded(self, environment: int) -> np.ndarray:
        if self.worldview is None:
            return np.ones(len(self.spread), dtype=bool)
        return self.worldview.minded(environment)

    def _elsewhere(self, met: Met) -> list[tuple[Met, np.ndarray]]:
        """Codes of each other environment, and the latents that it uses and this one does not or hardly varies."""
        known = self.memories.environments | set(range(len(self.worldview.records) if self.worldview else 0))
        varies, found = met.codes.std(axis=0), []
        for other in sorted(known - {self.environment}):
            codes = self.memories.met(other) or self._drawn(other)
            if codes is None:
                continue
            free = varies < self.config.mix.hardly * codes.codes.std(axis=0)
            if self.worldview is not None:
                free |= ~self.worldview.mask(self.environment)
                if not self._sees_frames:  # what was masked when these codes were made cannot be seen to move
                    free &= self.worldview.mask(self.worldview.environment)
            found.append((codes, free & self._minded(other) & _active(codes.codes)))
        return found

    def _drawn(self, environment: int) -> Met | None:
        """Codes as they might have been met in an environment, from what the learner's record says of it."""
        if self.worldview is None or environment >= len(self.worldview.records):
            return None
        record = self.worldview.records[environment]
        if not record.settled:
            return None
        generator = torch.Generator().manual_seed(int(self._rng.integers(2**31)))
        codes = record.marginal.sample(DRAWN_CODES, generator=generator).numpy()
        return Met(environment=environment, codes=codes, numbers=np.full(DRAWN_CODES, DRAWN))

    def _spreads(self, met: Met, others: list[Met]) -> np.ndarray:
        """Standard deviation of each latent in that of the environments minding it where it varies most, `[D]`."""
        spread = met.codes.std(axis=0, dtype=np.float64)
        for other in others:
            varies = other.codes.std(axis=0, dtype=np.float64) * self._minded(other.environment)
            spread = np.maximum(spread, varies)
        return np.asarray(np.maximum(spread, SMALLEST_SPREAD))

    def _measure(self, met: Met) -> float:
        """Take the natural scale of each latent anew; returns how far off codes that were met come back, the median."""
        self.noise, coarsest = np.sqrt(self._changes / max(self._steps, 1e-9)), self.spread * COARSEST
        if self.worldview is None:
            self.noise = np.minimum(self.noise, coarsest)
            return 1.0
        codes = met.codes[self._rng.permutation(len(met.codes))[:LOOKED_AT]]
        here = np.full(len(codes), self.environment)
        means, stds = self.worldview.encode(self.worldview.draw(codes, here))
        self.noise = np.minimum(np.maximum(self.noise, stds.mean(axis=0)), coarsest)
        if not self.used.any():
            return 1.0
        off, varies = (means - codes)[:, self.used], (codes - codes.mean(axis=0))[:, self.used]
        self.comes_back = max(0.0, 1.0 - float(np.square(off).sum() / np.square(varies).sum()))
        return float(np.median(np.sqrt(np.square(off / np.minimum(stds, coarsest)[:, self.used]).mean(axis=1))))

    def _promising(self, composed: Configurations) -> Configurations:
        """As many as are to be judged, of each kind its share, the more novel the likelier."""
        chosen = []
        for kind in np.unique(composed.kinds):
            rows = np.flatnonzero(composed.kinds == kind)
            wanted = min(len(rows), max(1, round(self.config.judged * len(rows) / len(composed))))
            weights = composed.novelty[rows] ** self.config.sharpness + 1e-12
            chosen.append(self._rng.choice(rows, size=wanted, replace=False, p=weights / weights.sum()))
        return composed[np.concatenate(chosen)] if chosen else composed

    def _judged(self, composed: Configurations, *, usual: float) -> Configurations:
        """With their plausibility, and without those that have too little of it."""
        if self.worldview is None or not len(composed):
            return composed
        trip = return_trip(
            self.worldview,
            composed.codes,
            replaced=composed.replaced,
            latents=self.used,
            here=self.environment,
            sources=composed.sources,
            coarsest=self.spread * COARSEST,
        )
        score = plausibility(trip.distance, usual=usual, tolerance=self.config.tolerance)
        parts = composed.state_dict() | {"plausibility": score}
        return Configurations.restored(parts)[score >= self.config.least_plausible]


def _first_environment(worldview: Worldview | None, config: ImaginationConfig) -> int:
    if config.environment is not None:
        return config.environment
    return 0 if worldview is None else worldview.environment


def _active(codes: np.ndarray) -> np.ndarray:
    variance = codes.var(axis=0)
    active: np.ndarray = variance > max(ACTIVE * min(1.0, float(variance.max())), SMALLEST_SPREAD**2)
    return active
