"""Goals: which imagined configuration a level pursues next, and what is learnt when a pursuit is over."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from perma_agent.imagination.configurations import KEPT, KINDS, Configurations
from perma_agent.imagination.imagination_config import ImaginationConfig
from perma_agent.imagination.imaginer import Imaginer
from perma_agent.imagination.pursuit import Pursuits, metric
from perma_agent.imagination.realisation import Realisation

CLEAR = 2.0
"""A goal is chosen only if it is farther off than this many times the distance at which it is reached."""
WHOLE = KINDS.index("whole")
"""Number of the kind whose latents are all from one code."""


class Goals:
    """Chooses goals out of the imaginer's pool.

        chance of a kind ∝ share · θ_kind;   within it  ∝ novelty^sharpness · plausibility · min θ_n of those replaced

    Args:
        pursuits: of the levels; written to.
        imaginer: has the pool, and the units in which latents are measured.
        realisation: θ; told how pursuits end.
        config: settings.
        rng: draws goals.
    """

    def __init__(
        self,
        pursuits: Pursuits,
        imaginer: Imaginer,
        *,
        realisation: Realisation,
        config: ImaginationConfig,
        rng: np.random.Generator,
    ) -> None:
        self._pursuits, self._imaginer, self._realisation = pursuits, imaginer, realisation
        self.config, self._rng = config, rng
        self._reached, self._missed = 0, 0

    def choose(self, here: np.ndarray) -> None:
        """Give each level without a goal one that is not where it stands, if the pool has any.

        Args:
            here: z of all levels, `[N, D]`.
        """
        pool, free = self._imaginer.pool, np.flatnonzero(~self._pursuits.active)
        if not len(pool) or not len(free):
            return
        weights = self._metric(pool.replaced)
        near = self.config.near * self._imaginer.noise
        clear = CLEAR * np.sqrt((weights * near**2).sum(axis=1))
        for level in free:
            codes = _based(pool, here[level]) if self.config.base == "here" else pool.codes
            distance = np.sqrt((weights * (codes.astype(np.float64) - here[level]) ** 2).sum(axis=1))
            chances = self._chances(pool) * (distance > clear)
            if chances.sum() <= 0:
                continue
            row = int(self._rng.choice(len(pool), p=chances / chances.sum()))
            pursuits = self._pursuits
            pursuits.kinds[level], pursuits.bases[level] = pool.kinds[row], pool.bases[row]
            pursuits.donors[level], pursuits.sources[level] = pool.donors[row], pool.sources[row]
            pursuits.start(int(level), code=codes[row], weights=weights[row], near=near, here=here[level])

    def end(self, level: int, *, reached: bool) -> None:
        """A pursuit is over: count what came about, and leave the level without a goal."""
        pursuits = self._pursuits
        self._realisation.note(
            self._imaginer.environment,
            int(pursuits.kinds[level]),
            reached=reached,
            tried=pursuits.tried[level],
            came=pursuits.came[level],
            share=min(1.0, float(pursuits.steps[level]) / self.config.horizon),
        )
        self._reached, self._missed = self._reached + reached, self._missed + (not reached)
        pursuits.stop(level)

    def go_on(self, level: int, here: np.ndarray) -> None:
        """A new episode began under way to a goal: latents that are kept are now kept as they stand there."""
        pursuits = self._pursuits
        if self.config.base == "here" and pursuits.kinds[level] != WHOLE:
            pursuits.codes[level] = np.where(pursuits.donors[level] != KEPT, pursuits.codes[level], here)
        off = pursuits.codes[level].astype(np.float64) - here
        if np.sqrt((pursuits.weights[level] * off**2).sum()) <= pursuits.radius[level]:
            pursuits.stop(level)  # it begins at the goal: nothing is left to do, and nothing was done

    def compose_again(self, level: int, here: np.ndarray) -> None:
        """The VASE moved: the goal's code by its recipe, as it is seen now, or none if that cannot be told any more.

        Latents that are kept as they stand `here` (`base`) are now kept as they stand at this moment.
        """
        pursuits = self._pursuits
        donors, came = pursuits.donors[level], pursuits.came[level].copy()
        floats = self.config.base == "here" and pursuits.kinds[level] != WHOLE
        base = KEPT if floats else int(pursuits.bases[level])
        code = self._imaginer.composed_again(base, donors, source=int(pursuits.sources[level]))
        if code is None:
            pursuits.stop(level)
            return
        steps, weights = int(pursuits.steps[level]), self._metric(donors[None] != KEPT)[0]
        code, near = np.where(np.isnan(code), here, code), self.config.near * self._imaginer.noise
        pursuits.start(level, code=code, weights=weights, near=near, here=here)
        pursuits.steps[level], pursuits.came[level] = steps, came
        pursuits.tried[level] |= came

    def take_figures(self) -> dict[str, float]:
        """Goals that ended since the last call, and the share of them that was reached."""
        ended = self._reached + self._missed
        figures = {"goals_ended": float(ended)} | ({"reached": self._reached / ended} if ended else {})
        self._reached, self._missed = 0, 0
        return figures

    def state_dict(self) -> dict[str, Any]:
        """Counts and generator; the pursuits are the caller's."""
        return {"generator": self._rng.bit_generator.state, "reached": self._reached, "missed": self._missed}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on where others stood."""
        self._rng.bit_generator.state = state["generator"]
        self._reached, self._missed = int(state["reached"]), int(state["missed"])

    def _metric(self, replaced: np.ndarray) -> np.ndarray:
        kept = self._imaginer.used & ~replaced
        return metric(self._imaginer.spread, replaced=replaced, kept=kept, kept_weight=self.config.kept_weight)

    def _chances(self, pool: Configurations) -> np.ndarray:
        """How likely each configuration is to be chosen, `[P]`, up to a factor."""
        kinds, latents = self._realisation.chances(self._imaginer.environment, self._rng)
        least = np.where(pool.replaced, latents, 1.0).min(axis=1)
        worth = pool.novelty**self.config.sharpness * pool.plausibility * least + 1e-12
        within = np.bincount(pool.kinds, weights=worth, minlength=len(KINDS))[pool.kinds]
        chances: np.ndarray = (self.config.mix.shares * kinds)[pool.kinds] * worth / within
        return chances


def _based(pool: Configurations, here: np.ndarray) -> np.ndarray:
    """Codes of configurations whose kept latents are as they are here, `[P, D]`; whole ones as they are."""
    as_met = pool.replaced | (pool.kinds == WHOLE)[:, None]
    codes: np.ndarray = np.where(as_met, pool.codes, here)
    return codes
