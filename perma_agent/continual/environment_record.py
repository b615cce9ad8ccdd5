"""Environment record: what is remembered of an environment, and when a batch surprises who remembers it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from perma_agent.continual.latent_mask import Marginal


@dataclass(frozen=True, kw_only=True)
class InferenceConfig:
    """When a batch counts as surprising, and how long before that is believed."""

    enabled: bool = True
    """Off for the ablations without S: everything is environment 0."""
    kappa: float = 1.5
    """κ: a batch whose mean error exceeds κ times the environment's is surprising. No unit; ours where the paper is
    silent."""
    block: int = 4
    """Errors are compared at the scale of blocks of this many pixels a side (`objectives.coarse_error`); 1 for single
    pixels, as in the paper."""
    spread: float = 1.0
    """A batch is surprising only if its mean error also exceeds the environment's mean by this many standard
    deviations of its single frames: a level that is merely harder than the average of those met is not new."""
    patience: int = 5
    """Consecutive batches that must agree before the environment changes (the paper changes on one). Batches that
    surprise are not learnt from."""
    burn_in: int = 300
    """Learning steps before a new environment's mask and error are recorded and tested; shorter visits leave none.
    Used latents are measured again after as many more."""
    memory: float = 0.98
    """Decay per batch of the running means of an environment's error and latents: 50 batches, since both drift while
    the model learns."""
    used_below: float = 0.5
    """T: a latent is used if its noise tolerance σ* is below this, in units of the prior's standard deviation."""

    def __post_init__(self) -> None:
        if (
            self.kappa <= 1
            or self.spread < 0
            or self.patience < 1
            or self.burn_in < 1
            or self.block < 1
            or not 0 < self.memory < 1
        ):
            raise ValueError(
                f"expected kappa > 1, spread >= 0, 0 < memory < 1 and patience, burn_in and block >= 1, got {self}"
            )


@dataclass(kw_only=True)
class EnvironmentRecord:
    """What is remembered of an environment."""

    mask: Tensor
    """a^s, bool, shape `[D]`; False where masked."""
    compared: Tensor
    """Latents that the environment's decoder minds at all, σ* below the largest noise tried, on which batches are
    compared with it, bool, shape `[D]`. More than those it uses, since a half-trained code spreads what it knows: of
    two dozen latents of a nat each none counts as used, and nothing would tell static MNIST from moving MNIST."""
    used: Tensor
    """u^s, bool, shape `[D]`; all False until settled."""
    mean: Tensor
    """Running mean of each latent, shape `[D]`."""
    covariance: Tensor
    """Running covariance of the latents, shape `[D, D]`."""
    steps: int = 0
    """Learning steps spent in it."""
    settled: bool = False
    """Whether mask, used latents and error have been recorded."""
    error: float = 0.0
    """L̃_s: running mean of the coarse reconstruction error, in nats per frame."""
    error_squared: float = 0.0
    """Running mean of the squared error of single frames, in nats²."""
    contrast: float = 0.0
    """c̃_s: running mean of the frames' contrast (`objectives.contrast`), in nats per frame."""
    observed: int = 0
    """Batches in the running means."""
    opening_information: float = 0.0
    """Information in its unmasked latents when it opened, in nats; where its capacity starts to rise from."""

    @classmethod
    def new(cls, latents: int) -> EnvironmentRecord:
        """Nothing masked, nothing known."""
        everything = torch.ones(latents, dtype=torch.bool)
        return cls(
            mask=everything,
            compared=~everything,
            used=~everything,
            mean=torch.zeros(latents),
            covariance=torch.eye(latents),
        )

    @property
    def marginal(self) -> Marginal:
        """What is typical of each latent in this environment."""
        return Marginal(self.mean, self.covariance)

    def observe(self, errors: Tensor, marginal: Marginal, *, contrast: float, memory: float) -> None:
        """Take a batch into the running means.

        Args:
            errors: coarse errors in nats per frame, shape `[B]`.
            marginal: of the batch's latents, shape `[D]`.
            contrast: mean of the frames' contrast, in nats.
            memory: decay per batch.
        """
        self.observed += 1
        rate = max(1.0 - memory, 1.0 / self.observed)
        self.contrast += rate * (contrast - self.contrast)
        self.error += rate * (float(errors.mean()) - self.error)
        self.error_squared += rate * (float(errors.pow(2).mean()) - self.error_squared)
        shift = marginal.mean - self.mean
        self.mean = self.mean + rate * shift
        # Of the mixture of what was and what is; means of products, less the product of means, would cancel to noise.
        mixed = (1.0 - rate) * self.covariance + rate * marginal.covariance
        self.covariance = mixed + rate * (1.0 - rate) * torch.outer(shift, shift)

    def limit(self, config: InferenceConfig, *, contrast: float) -> float:
        """The largest mean error of a batch that is not surprising, in nats.

            max( L̃,  min( max(κ L̃, L̃ + spread · std),  κ L̃ c / c̃ ) )

        The second of the two limits says that the *share* of its contrast which a batch leaves unexplained may be κ
        times the usual one. It is what tells a dark environment from a bright one that errs as much in nats: moving
        MNIST errs 1.8 times as much as moving Fashion under the latter's decoder, but leaves 3.4 times the share (one
        seed, 1,300 steps at 32x32). What errs no more than usual is never surprising, however little contrast it has.

        Args:
            config: κ and spread.
            contrast: c, mean of the batch's frames, in nats.

        Reference:
            VASE, eq. 6 (κ L_s); the rest is ours, since L_s depends on how much there is to explain.
        """
        deviation = math.sqrt(max(0.0, self.error_squared - self.error**2))
        by_error = max(config.kappa * self.error, self.error + config.spread * deviation)
        by_share = config.kappa * self.error * contrast / self.contrast if self.contrast > 0 else math.inf
        return max(self.error, min(by_error, by_share))
