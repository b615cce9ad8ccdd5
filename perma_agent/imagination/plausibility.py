"""Plausibility: an imagined code is drawn and looked at again; does it come back?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from perma_agent.imagination.worldview import Worldview


@dataclass(frozen=True)
class ReturnTrip:
    """How far B codes come back from where they were, in standard deviations of the posterior (at most `coarsest`)."""

    replaced: np.ndarray
    """Root mean square over the latents that were replaced, `[B]`; 0 where none was."""
    kept: np.ndarray
    """The same over those that were kept and count."""

    @property
    def distance(self) -> np.ndarray:
        """The larger of the two, `[B]`."""
        larger: np.ndarray = np.maximum(self.replaced, self.kept)
        return larger


def return_trip(
    worldview: Worldview,
    codes: np.ndarray,
    *,
    replaced: np.ndarray,
    latents: np.ndarray,
    here: int,
    sources: np.ndarray,
    coarsest: np.ndarray,
) -> ReturnTrip:
    """Draw codes, encode the drawings, and measure how far off they come back.

        δ_n = (μ_n(x̂) - z*_n) / min(σ_n(x̂), coarsest_n),   x̂ = E[x | z*, s]

    The kept latents must come back from a drawing as the environment here. The replaced ones may do so from one as the
    environment that they were met in: a decoder that has never seen anything move here ignores the position, but that
    says nothing about whether it could.

    Args:
        worldview: draws and looks.
        codes: z*, `[B, D]`.
        replaced: latents that were replaced, bool `[B, D]`.
        latents: those that count here, bool `[D]`.
        here: s of the environment here.
        sources: s of the environment that the replaced values are from, int `[B]`.
        coarsest: largest unit of each latent, `[D]`: where the posterior is wider than the latent ever varies, half
            trained, everything would come back.
    """
    at_home = _deviations(worldview, codes, np.full(len(codes), here), coarsest)
    off = _rms(at_home, replaced)
    foreign = np.flatnonzero(sources != here)
    if len(foreign):
        abroad = _deviations(worldview, codes[foreign], sources[foreign], coarsest)
        off[foreign] = np.minimum(off[foreign], _rms(abroad, replaced[foreign]))
    return ReturnTrip(off, _rms(at_home, latents & ~replaced))


def plausibility(distance: np.ndarray, *, usual: float, tolerance: float) -> np.ndarray:
    """A score of return trips.

        exp( -½ (distance / (tolerance · max(usual, 1)))² )

    Args:
        distance: in standard deviations of the posterior, `[B]`.
        usual: the same of codes that were met, their median: an autoencoder brings back not even these exactly.
        tolerance: how many times that is still plausible (score .61).

    Returns:
        In (0, 1], `[B]`.
    """
    score: np.ndarray = np.exp(-0.5 * (distance / (tolerance * max(usual, 1.0))) ** 2)
    return np.asarray(np.maximum(score, np.finfo(np.float64).tiny))


def _deviations(worldview: Worldview, codes: np.ndarray, environments: np.ndarray, coarsest: np.ndarray) -> np.ndarray:
    means, stds = worldview.encode(worldview.draw(codes, environments))
    deviations: np.ndarray = (means - codes) / np.minimum(stds, coarsest)
    return deviations.astype(np.float64)


def _rms(values: np.ndarray, which: np.ndarray) -> np.ndarray:
    """Root mean square of the values picked in each row; 0 where there are none."""
    picked = np.broadcast_to(which, values.shape)
    mean: np.ndarray = np.sqrt((values**2 * picked).sum(axis=1) / np.maximum(picked.sum(axis=1), 1))
    return mean
