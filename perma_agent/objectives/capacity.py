"""Capacity: the information in the code, held at what was granted (disentangled) or merely charged for (entangled)."""

from __future__ import annotations

from dataclasses import dataclass, field

from torch import Tensor

from perma_agent.types import Posterior


def capacity(posterior: Posterior, *, nats: float) -> Tensor:
    """Squared distance between the information in the code and the capacity granted to it.

        term = ( E_x[ Σ_n KL(q(z_n|x) || N(0, 1)) ] - C )²

    The expectation is the mean over the batch, taken before the square (the paper leaves this open; Burgess et al.'s
    practice). Masked latents must be masked in `posterior` already; they add exactly 0.

    Args:
        posterior: q(z^s|x), mean and log-variance of shape `[B, D]`.
        nats: C, in nats summed over the D latents.

    Returns:
        The same value for each frame, shape `[B]`, in nats², never negative.

    Reference:
        VASE, eq. 3 and 8, second term without γ (γ is the term's weight).
    """
    information = posterior.kl().sum(dim=1).mean()
    return (information - nats).pow(2).expand(len(posterior.mean))


def information(posterior: Posterior) -> Tensor:
    """Plain information cost of the entangled baseline, Σ_n KL(q(z_n|x) || N(0, 1)): nats per frame, shape `[B]`."""
    return posterior.kl().sum(dim=1)


@dataclass(frozen=True, kw_only=True)
class CapacitySchedule:
    """C as a function of the steps learnt in an environment: rises linearly, then holds (section 3.2).

        C(t) = C_0 + min(1, t / steps) · (nats - C_0)

    C_0 is 0 for the first environment and, for a further one, the information which the latents it shares carry when
    it opens: were C above that at once, the code would have to pay the difference in noise. The paper gives neither
    start, slope nor end and leaves open whether C restarts; these choices are ours.
    """

    nats: float = 25.0
    """C at the end of the rise, in nats summed over the latents."""
    steps: int = 5_000
    """Learning steps of the rise."""

    def __post_init__(self) -> None:
        if self.steps < 1 or self.nats < 0:
            raise ValueError(f"expected steps >= 1 and nats >= 0, got {self}")

    def __call__(self, *, steps: int, start: float = 0.0) -> float:
        """C in nats after `steps` learning steps in an environment that opened with `start` nats."""
        start = min(start, self.nats)
        return start + min(1.0, steps / self.steps) * (self.nats - start)


@dataclass(frozen=True, kw_only=True)
class CapacityConfig:
    """How much information the code may carry."""

    disentangled: bool = True
    """True: γ |KL - C|² (eq. 3). False: the entangled baseline, β KL (a plain VAE at β = 1)."""
    weight: float = 5.0
    """γ, nats per nat². The paper has 100, which at these sizes stops learning dead unless it is warmed up."""
    warm_up: int = 1_000
    """Learning steps in each environment over which γ rises from 0."""
    beta: float = 1.0
    """β of the entangled baseline."""
    schedule: CapacitySchedule = field(default_factory=CapacitySchedule)
    """C over the life of an environment."""


def warm_up(weight: float, *, step: int, steps: int) -> float:
    """A weight that rises linearly from 0 to `weight` over `steps` learning steps."""
    return weight if steps <= 0 else weight * min(1.0, step / steps)
