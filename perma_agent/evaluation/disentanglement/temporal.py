"""How a code changes in time: how sparsely, how slowly, how unevenly over the latents, and how many of them live."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from perma_agent.evaluation.disentanglement.bins import varies
from perma_agent.evaluation.disentanglement.settings import DISENTANGLEMENT_LIB, Settings
from perma_agent.evaluation.disentanglement.tables import checked_codes


@dataclass(frozen=True, kw_only=True)
class NormalisedPermanence:
    """Sparseness of changes on a scale that does not depend on the number of latents."""

    score: float
    """Mean over moving pairs, in [0, 1]: 0 where one latent changes at a time, 1 where all change equally; no unit."""
    noise: float
    """What Gaussian noise of as many latents would score: a code that is no sparser has learnt nothing of time."""
    moving: float
    """Share of the pairs that changed at all, in (0, 1]; the others have no direction and are left out."""


@dataclass(frozen=True, kw_only=True)
class Slowness:
    """Change of each latent against its spread."""

    score: float
    """Mean over the latents that vary; 0 is frozen, 2 is what unrelated frames give, 4 the most; no unit."""
    per_latent: np.ndarray
    """Each latent's, shape `[D]`; 0 for a constant one."""


@dataclass(frozen=True, kw_only=True)
class GiniOfChange:
    """Unevenness of changes over the latents."""

    score: float
    """Mean over moving pairs, in [0, 1 - 1/D]: 0 where all latents change equally, the most where one does; no unit."""
    moving: float
    """Share of the pairs that changed at all, in (0, 1]; the others are left out."""


@dataclass(frozen=True, kw_only=True)
class ActiveUnits:
    """Latents that depend on the frame."""

    count: int
    """How many, from 0 to D."""
    active: np.ndarray
    """Which, bool, shape `[D]`."""
    variances: np.ndarray
    """Of the posterior means over frames, in squared units of the latent, shape `[D]`."""


def normalised_permanence(changes: np.ndarray) -> NormalisedPermanence:
    """Mean of P_0 over pairs of frames, brought to [0, 1], beside its value for noise.

        score = mean of ( P_0(Δ) - 1 ) / ( √D - 1 ),   P_0(Δ) = ||Δ||₁ / ||Δ||₂
        noise = ( E P_0 - 1 ) / ( √D - 1 ),            E P_0 = D Γ(D/2) / ( √π Γ((D+1)/2) ) for Δ ~ N(0, I)

    Dead latents make every change look sparser: to compare codes of different size, pass their active latents.

    Args:
        changes: Δ = z_t - z_{t-o} of posterior means, within trajectories, shape `[M, D]`, D of at least 2.

    Raises:
        ValueError: shape, NaN or infinity, or no pair that changed.

    Reference:
        "Permanence - one prior to rule them all", for P_b; the scale is ours.
    """
    moved, share = _moving(changes)
    latents = moved.shape[1]
    ratios = moved.sum(axis=1) / np.linalg.norm(moved, axis=1)
    noise = latents * math.exp(math.lgamma(latents / 2) - math.lgamma((latents + 1) / 2)) / math.sqrt(math.pi)
    scale = math.sqrt(latents) - 1
    score = min(max(float(ratios.mean() - 1) / scale, 0.0), 1.0)
    return NormalisedPermanence(score=score, noise=(noise - 1) / scale, moving=share)


def slowness(changes: np.ndarray, codes: np.ndarray) -> Slowness:
    """Mean squared change of each latent, in units of its variance.

        s_d = mean of Δ_d² / var(z_d)

    Args:
        changes: Δ = z_t - z_{t-o}, within trajectories, shape `[M, D]`.
        codes: z of the same frames, over which the variance is taken, shape `[N, D]`.

    Raises:
        ValueError: shapes, NaN or infinity, or codes that are all constant.

    Reference:
        Wiskott and Sejnowski, Slow feature analysis (2002), the Δ-value.
    """
    changes, codes = checked_codes(changes), checked_codes(codes)
    if changes.shape[1] != codes.shape[1]:
        raise ValueError(
            f"expected changes of {codes.shape[1]} latents, as many as the codes have, got {changes.shape[1]}"
        )
    alive = varies(codes)
    if not alive.any():
        raise ValueError("expected a latent that varies, got constant codes only")
    per_latent = np.where(alive, (changes**2).mean(axis=0) / np.where(alive, codes.var(axis=0), 1.0), 0.0)
    return Slowness(score=float(per_latent[alive].mean()), per_latent=per_latent)


def gini_of_change(changes: np.ndarray) -> GiniOfChange:
    """Gini index of the sizes of the latents' changes, averaged over pairs of frames.

        G(Δ) = 1 - 2 Σ_i |Δ|_(i) / ||Δ||₁ · (D - i + 1/2) / D,   |Δ|_(1) <= … <= |Δ|_(D)

    Of the usual measures of sparsity the only one that meets all six of Hurley and Rickard's demands.

    Args:
        changes: Δ = z_t - z_{t-o}, within trajectories, shape `[M, D]`, D of at least 2.

    Raises:
        ValueError: shape, NaN or infinity, or no pair that changed.

    Reference:
        Hurley and Rickard, Comparing measures of sparsity (2009).
    """
    moved, share = _moving(changes)
    latents = moved.shape[1]
    weights = (latents - np.arange(1, latents + 1) + 0.5) / latents
    parts = np.sort(moved, axis=1) / moved.sum(axis=1, keepdims=True)
    return GiniOfChange(score=max(float((1 - 2 * parts @ weights).mean()), 0.0), moving=share)


def active_units(codes: np.ndarray, *, settings: Settings = DISENTANGLEMENT_LIB) -> ActiveUnits:
    """Latents whose posterior mean varies from frame to frame.

        active d:  var over frames of E[z_d | x] > threshold

    Args:
        codes: posterior means, shape `[N, D]`.
        settings: the threshold `active_above`, 0.01 by default.

    Raises:
        ValueError: shape, NaN or infinity.

    Reference:
        Burda et al., Importance weighted autoencoders (2016), section 5.
    """
    variances = checked_codes(codes).var(axis=0)
    active = variances > settings.active_above
    return ActiveUnits(count=int(active.sum()), active=active, variances=variances)


def _moving(changes: np.ndarray) -> tuple[np.ndarray, float]:
    """Sizes of the changes that are not zero, each scaled to a largest component of 1, and their share of all."""
    sizes = np.abs(checked_codes(changes, latents=2))
    largest = sizes.max(axis=1)
    moving = largest > 0
    if not moving.any():
        raise ValueError(f"expected a pair of frames whose code changed, got {len(sizes)} that did not")
    return sizes[moving] / largest[moving, None], float(moving.mean())
