"""Latent mask: which latents behave as their prior says on a batch, and which stray from it (eq. 4 and 5)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class LatentMaskConfig:
    """When a latent counts as atypical."""

    enabled: bool = True
    """Off for the ablations without A: no latent is ever masked and masks are not compared."""
    threshold: float = 0.6
    """λ, in nats; 0.6 means that the mean moved by 1.1 σ or the variance fell below 0.13. Sampling noise of a typical
    latent is about 1/B (0.016 at B = 64). The paper says only that λ lies between 0 and 1."""
    hysteresis: float = 0.2
    """Half the width of the band around λ in which a latent keeps its mask (appendix A.2's λ_0 and λ_1), in nats."""

    def __post_init__(self) -> None:
        if not 0 <= self.hysteresis < self.threshold:
            raise ValueError(f"expected 0 <= hysteresis < threshold, got {self.hysteresis} and {self.threshold}")

    @property
    def low(self) -> float:
        """λ_0: below it a latent is typical."""
        return self.threshold - self.hysteresis

    @property
    def high(self) -> float:
        """λ_1: above it a latent is atypical."""
        return self.threshold + self.hysteresis


@dataclass(frozen=True)
class Marginal:
    """A Gaussian fitted to the latents over many frames: what is typical of an environment."""

    mean: Tensor
    """m_n, shape `[D]`."""
    covariance: Tensor
    """Of the latents with each other, shape `[D, D]`; its diagonal holds the variances v_n."""

    @classmethod
    def of(cls, samples: Tensor) -> Marginal:
        """Fit to samples z ~ q(z|x), one per frame, shape `[B, D]`, B of at least 2."""
        if len(samples) < 2:
            raise ValueError(f"expected at least 2 samples to tell how they spread, got {len(samples)}")
        return cls(samples.mean(dim=0), torch.cov(samples.T).reshape(samples.shape[1], samples.shape[1]))

    @classmethod
    def prior(cls, latents: int) -> Marginal:
        """N(0, 1) for each of D latents."""
        return cls(torch.zeros(latents), torch.eye(latents))

    @property
    def variance(self) -> Tensor:
        """v_n, shape `[D]`, positive."""
        return self.covariance.diagonal().clamp_min(1e-8)

    def sample(self, count: int, *, generator: torch.Generator) -> Tensor:
        """Draw `count` codes from the Gaussian, shape `[count, D]`; its covariance may be of any rank."""
        spreads, axes = torch.linalg.eigh(self.covariance)
        noise = torch.randn(count, len(self.mean), generator=generator)
        codes: Tensor = self.mean + (noise * spreads.clamp_min(0.0).sqrt()) @ axes.T
        return codes


def atypicality(marginal: Marginal, typical: Marginal) -> Tensor:
    """How far each latent's marginal over a batch strays from what is typical.

        α_n = KL( N(m_n, v_n) || N(m'_n, v'_n) ) = ½ ( v_n / v'_n + (m_n - m'_n)² / v'_n - 1 - ln(v_n / v'_n) )

    With `typical` the prior this is eq. 4. We pass the marginal recorded for an environment instead: it is the prior
    for a model at its optimum, but long before that, and always where the reconstruction outweighs the capacity term
    (3D levels), a code can serve an environment well and yet stray from the prior by more than λ on every batch.

    Args:
        marginal: of the batch, shape `[D]`.
        typical: of the environment it is compared with, or the prior.

    Returns:
        α in nats, shape `[D]`, never negative; about 1/B for a typical latent.

    Reference:
        VASE, eq. 4 and appendix A.2 (the mixture over the batch is replaced by a Gaussian with its moments).
    """
    ratio = marginal.variance / typical.variance
    shift = (marginal.mean - typical.mean).pow(2) / typical.variance
    return 0.5 * (ratio + shift - 1.0 - ratio.log())


def update_mask(mask: Tensor, alpha: Tensor, *, maskable: Tensor, config: LatentMaskConfig) -> Tensor:
    """The mask after one more batch, with hysteresis.

        a_n ← 0 if α_n > λ_1;  1 if α_n < λ_0;  unchanged between;  always 1 where not maskable

    A latent that no settled environment uses is never masked: it would get no gradient, stay atypical, and so stay
    masked for ever. (The paper masks by α alone; this departure removes that deadlock at the start of learning.)

    Args:
        mask: a so far, bool, shape `[D]`.
        alpha: α of the batch, in nats, shape `[D]`.
        maskable: latents that some other settled environment uses, bool, shape `[D]`.
        config: thresholds.

    Returns:
        a, bool, shape `[D]`.

    Reference:
        VASE, eq. 5 and appendix A.2.
    """
    if not config.enabled:
        return torch.ones_like(mask)
    updated = torch.where(alpha > config.high, torch.zeros_like(mask), mask)
    updated = torch.where(alpha < config.low, torch.ones_like(mask), updated)
    return updated | ~maskable


def contradicts(alpha: Tensor, *, used: Tensor, config: LatentMaskConfig) -> Tensor:
    """Latents which an environment uses and whose atypicality, against its marginal, speaks against that environment.

        α_n > λ_1  for n with u_n = 1

    Used latents are unmasked by definition, so this is where the masks of eq. 6 can differ on them (a^s != a^ŝ).

    Args:
        alpha: α of the batch against the environment's marginal, in nats, shape `[D]`.
        used: u^s, bool, shape `[D]`.
        config: thresholds.

    Returns:
        Bool, shape `[D]`; all false if the batch agrees with the environment, or if masks are off.

    Reference:
        VASE, eq. 6 (a^s = a^ŝ), compared on used latents only (appendix A.2).
    """
    return (alpha > config.high) & used if config.enabled else torch.zeros_like(used)
