"""Examination of a life whose factors open one after another: how the code holds the factors that are open so far."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np

from perma_agent.continual import Learner
from perma_agent.data.sprites import SpriteBatch
from perma_agent.evaluation.disentanglement import active_units, dci, mig, mig_sup
from perma_agent.evaluation.disentanglement.mutual_information import entropies
from perma_agent.evaluation.traversals import posterior_of

Opens = Sequence[Sequence[str]]
"""Factors that open with each world."""
SCORES = ("mig_mean", "mig_sup", "dci_disentanglement", "dci_completeness", "dci_informativeness")
"""Single numbers of an examination."""


class FactorWorld(Protocol):
    """A world of frames with known factors."""

    factors: tuple[str, ...]

    def draw(self, count: int, rng: np.random.Generator) -> SpriteBatch:
        """Frames and, in the columns of `factors`, what they show."""


class FactorExaminer:
    """Measures a learner's code on the same frames at each moment of a life.

    Args:
        worlds: in the order in which they come.
        opens: factors that open with each of them.
        steps: batches of each.
        frames: test frames of each.
        seed: of the test frames.
    """

    def __init__(
        self, worlds: Sequence[FactorWorld], *, opens: Opens, steps: Sequence[int], frames: int, seed: int
    ) -> None:
        rng = np.random.default_rng([seed, 1])  # other frames than the life is made of
        self.opens, self._ends, self._seed = opens, np.cumsum(steps), seed
        self._tests = [(world.factors, world.draw(frames, rng)) for world in worlds]

    def __call__(self, learner: Learner) -> dict[str, Any]:
        """Posterior means (unmasked) against factors; the learner is left as it is.

        Returns:
            By factor, on frames of the last world opened so far: `mig`; `holder`, the latent that tells most; `told`,
            what share of the factor's entropy it tells. `SCORES`, likewise: means over factors or latents; DCI of
            boosted trees, the factors as numbers. `mig_home` by factor, each on frames of the world with which it
            opened and on samples instead of means (Chen et al.), since latents of factors that stand still there
            tremble within their noise. `world`, the number of the last world.
        """
        world = int(np.searchsorted(self._ends, learner.step))
        codes = [self._codes(learner, seen) for seen in range(world + 1)]
        names, test = self._tests[world]
        means = codes[world][0]
        gaps = mig(means, test.factors)
        boosted = dci(means, test.factors, np.random.default_rng(self._seed), continuous=True)
        home: dict[str, float] = {}
        for seen, own in enumerate(self.opens[: world + 1]):
            columns, before = self._tests[seen]
            found = mig(codes[seen][1], before.factors).per_factor
            home |= {name: float(found[columns.index(name)]) for name in own}
        return {
            "world": world,
            "mig": dict(zip(names, gaps.per_factor.tolist(), strict=True)),
            "holder": dict(zip(names, gaps.information.argmax(axis=0).tolist(), strict=True)),
            "told": dict(zip(names, (gaps.information.max(axis=0) / entropies(test.factors)).tolist(), strict=True)),
            "mig_home": home,
            "mig_mean": gaps.score,
            "mig_sup": mig_sup(means, test.factors).score,
            "dci_disentanglement": boosted.disentanglement,
            "dci_completeness": boosted.completeness,
            "dci_informativeness": boosted.informativeness_test,
        }

    def _codes(self, learner: Learner, world: int) -> tuple[np.ndarray, np.ndarray]:
        """Posterior means of active latents, 0 for the others, and samples z ~ q(z|x); float32, shape `[N, D]` each.

        Means of a latent that the decoder ignores still tell of the frame, at a scale that binning does not know to be
        nothing: with 14 idle latents beside two that held x and y wholly, MIG was .38 instead of .87 (one seed). CUDOS
        leaves them out likewise. Samples have no such trouble: what stays within a latent's noise tells nothing.
        """
        posterior = posterior_of(learner.model, self._tests[world][1].frames)
        means, stds = posterior.mean.cpu().numpy(), posterior.std.cpu().numpy()
        noise = np.random.default_rng([self._seed, 2]).standard_normal(means.shape, dtype=np.float32)
        return np.where(active_units(means).active, means, 0.0), means + stds * noise
