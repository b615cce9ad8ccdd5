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


def atypicality(samples: Tensor) -> Tensor:
    """How far each latent's marginal over a batch strays from the prior, by a Gaussian fitted to samples.

        α_n = KL( N(m_n, v_n) || N(0, 1) ) = ½ ( v_n + m_n² - 1 - ln v_n )

    Args:
        samples: z ~ q(z|x), one per frame, shape `[B, D]`, B of at least 2.

    Returns:
        α in nats, shape `[D]`, never negative; about 1/B for a typical latent.

    Reference:
        VASE, eq. 4 and appendix A.2 (the mixture over the batch is replaced by a Gaussian with its moments).
    """
    if len(samples) < 2:
        raise ValueError(f"expected at least 2 samples to tell how they spread, got {len(samples)}")
    mean = samples.mean(dim=0)
    variance = samples.var(dim=0).clamp_min(1e-8)
    return 0.5 * (variance + mean.pow(2) - 1.0 - variance.log())


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


def contradicts(mask: Tensor, alpha: Tensor, *, used: Tensor, config: LatentMaskConfig) -> Tensor:
    """Latents which an environment uses and whose atypicality speaks against that environment's mask.

        (a_n = 1 and α_n > λ_1)  or  (a_n = 0 and α_n < λ_0),  for n with u_n = 1

    Args:
        mask: a^s as recorded for the environment, bool, shape `[D]`.
        alpha: α of the batch, in nats, shape `[D]`.
        used: u^s, bool, shape `[D]`.
        config: thresholds.

    Returns:
        Bool, shape `[D]`; all false if the batch agrees with the environment, or if masks are off.

    Reference:
        VASE, eq. 6 (a^s = a^ŝ), compared on used latents only (appendix A.2).
    """
    if not config.enabled:
        return torch.zeros_like(mask)
    return torch.where(mask, alpha > config.high, alpha < config.low) & used
