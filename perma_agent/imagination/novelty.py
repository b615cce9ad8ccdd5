"""Novelty: how rare a code is among those met, by each factor for itself and by all together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from perma_agent.imagination.baselines.nearest import nearest_distances

CALIBRATED = 512
"""Codes met whose own rarity the rarity of others is compared with."""


@dataclass(frozen=True, kw_only=True)
class NoveltyConfig:
    """How rarity is measured."""

    neighbours: int = 10
    """k: joint rarity is the mean distance to the k nearest codes met."""
    references: int = 2048
    """Codes met, drawn at random, among which neighbours are looked for: bounds the time it takes."""
    bins: int = 20
    """Bins of equal width of each latent's histogram, between the least and the greatest value met."""
    joint: float = 0.5
    """Share of joint rarity in novelty, in [0, 1]; the rest is that of the factors each for itself."""

    def __post_init__(self) -> None:
        if min(self.neighbours, self.bins) < 1 or self.references < 2 or not 0 <= self.joint <= 1:
            raise ValueError(f"expected neighbours and bins >= 1, references >= 2 and joint in [0, 1], got {self}")


class Novelty:
    """Rarity among M codes met in one environment.

        surprise_n(z) = -ln p̂_n(z_n),   p̂_n = (count + ½) / (M + ½ (bins + 2)): a histogram and a bin beyond either end
        factors(z) = Σ_n surprise_n(z)                     what a density of independent factors would say
        joint(z)   = mean distance of z / spread to its k nearest codes met
        novelty(z) = joint · F_joint(joint(z)) + (1 - joint) · F_factors(factors(z))   in [0, 1]

    F is the distribution function of the same rarity over what was met: 0 is the most common of all, 1 rarer than all
    that was met. It goes no higher: what lies far beyond the rim is no more novel than what lies just beyond it. A code
    that was met is not its own neighbour.

    Args:
        codes: met, float32 `[M, D]`, M of at least 2.
        spread: unit of each latent, positive, `[D]`.
        latents: those that count, bool `[D]`.
        config: settings.
        rng: draws references.
    """

    def __init__(
        self,
        codes: np.ndarray,
        *,
        spread: np.ndarray,
        latents: np.ndarray,
        config: NoveltyConfig,
        rng: np.random.Generator,
    ) -> None:
        if len(codes) < 2:
            raise ValueError(f"expected at least 2 codes to tell what is rare, got {len(codes)}")
        self.config, self._spread, self._latents = config, spread, np.flatnonzero(latents)
        self._edges = np.linspace(codes.min(axis=0), codes.max(axis=0), config.bins + 1)  # [bins + 1, D]
        counts = np.stack(
            [np.bincount(self._bin(codes, n), minlength=config.bins + 2) for n in range(codes.shape[1])], axis=1
        )
        self._surprise = -np.log((counts + 0.5) / (len(codes) + 0.5 * (config.bins + 2)))  # [bins + 2, D]
        chosen = rng.permutation(len(codes))[: config.references]
        self._references = self._scaled(codes[chosen])
        sample = codes[chosen[:CALIBRATED]]
        self._known_joint, self._known_factors = np.sort(self.joint(sample)), np.sort(self.factors(sample))

    def surprise(self, codes: np.ndarray) -> np.ndarray:
        """-ln p̂_n of each latent's value, in nats, `[B, D]`, whether it counts or not."""
        columns = [self._surprise[self._bin(codes, n), n] for n in range(codes.shape[1])]
        return np.stack(columns, axis=1)

    def factors(self, codes: np.ndarray) -> np.ndarray:
        """Sum of surprises over the latents that count, in nats, `[B]`."""
        summed: np.ndarray = self.surprise(codes)[:, self._latents].sum(axis=1)
        return summed

    def joint(self, codes: np.ndarray) -> np.ndarray:
        """Mean distance to the k nearest codes met, over the latents that count, in spreads, `[B]`."""
        near = nearest_distances(self._scaled(codes), self._references, count=self.config.neighbours + 1).numpy()
        k = min(self.config.neighbours, max(near.shape[1] - 1, 1))
        itself = near[:, :1] <= 1e-6
        chosen = np.where(itself, near[:, -k:], near[:, :k])
        distance: np.ndarray = chosen.mean(axis=1)
        return distance

    def __call__(self, codes: np.ndarray) -> np.ndarray:
        """Novelty of each code, in [0, 1], `[B]`."""
        joint = _share_below(self._known_joint, self.joint(codes))
        factors = _share_below(self._known_factors, self.factors(codes))
        return self.config.joint * joint + (1.0 - self.config.joint) * factors

    def _scaled(self, codes: np.ndarray) -> torch.Tensor:
        scaled = codes[:, self._latents] / self._spread[self._latents]
        return torch.from_numpy(scaled.astype(np.float32))

    def _bin(self, codes: np.ndarray, latent: int) -> np.ndarray:
        """0 below all that was met, bins + 1 beyond it; the greatest value met is in the last bin of those between."""
        edges, values = self._edges[:, latent], codes[:, latent].astype(self._edges.dtype)
        place = np.searchsorted(edges, values, side="right")
        inside: np.ndarray = np.where(values == edges[-1], self.config.bins, place)
        return inside


def _share_below(known: np.ndarray, values: np.ndarray) -> np.ndarray:
    share: np.ndarray = np.searchsorted(known, values, side="left") / len(known)
    return share
