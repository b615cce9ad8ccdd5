"""Objective: the terms that one update adds up, each with the weight it has at that moment (eq. 8)."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from torch import Tensor

from perma_agent.continual.dreams import DreamConfig, Dreams
from perma_agent.continual.environment_record import EnvironmentRecord
from perma_agent.objectives import (
    CapacityConfig,
    PermanenceConfig,
    capacity,
    change_terms,
    encoder_proximity,
    information,
    total,
    warm_up,
)
from perma_agent.types import Posterior


@dataclass(frozen=True)
class Objective:
    """Gathers the terms of one update."""

    terms: dict[str, Tensor] = field(default_factory=dict)
    """Values per frame (or pair, or dream) by name, each of shape `[B_k]`."""
    weights: dict[str, float] = field(default_factory=dict)
    """A weight for each."""

    def add(self, name: str, term: Tensor, *, weight: float) -> None:
        """Add a term."""
        self.terms[name], self.weights[name] = term, weight

    def add_permanence(
        self, posterior: Posterior, mask: Tensor, offsets: np.ndarray, *, config: PermanenceConfig, step: int
    ) -> None:
        """Add what the changes of a batch of pairs cost.

        Args:
            posterior: of the frames and, after them, of the earlier ones, shape `[2 B, D]`.
            mask: a^s, shape `[D]`.
            offsets: steps between the two of each pair, shape `[B]`.
            config: member of the family, its parameters, weight and warm-up.
            step: batches seen so far, over which the weight warms up and b goes its course.
        """
        frames, earlier = _halves(posterior)
        for name, term, weight in change_terms(frames, earlier, mask, offsets, config=config, step=step):
            self.add(name, term, weight=weight)

    def add_capacity(self, posterior: Posterior, *, config: CapacityConfig, record: EnvironmentRecord) -> float:
        """Add what the code is charged for its information, and return C in nats (NaN where none is granted).

        Args:
            posterior: of the frames, masked, shape `[B, D]`.
            config: entangled or not, weights and schedule.
            record: of the present environment, over whose steps weight and capacity rise.
        """
        if not config.disentangled:
            self.add("information", information(posterior), weight=config.beta)
            return float("nan")
        granted = config.schedule(steps=record.steps, start=record.opening_information)
        weight = warm_up(config.weight, step=record.steps, steps=config.warm_up)
        self.add("capacity", capacity(posterior, nats=granted), weight=weight)
        return granted

    def add_dreams(self, dreams: Dreams, *, seen: Posterior, divergence: Tensor, config: DreamConfig) -> None:
        """Add what dreams ask of the present model (eq. 7).

        Args:
            dreams: drawn from the snapshot.
            seen: what the present encoder sees in them, shape `[B, D]`.
            divergence: between what the present decoder draws from their latents and what the snapshot drew, `[B]`.
            config: weights.
        """
        self.add("encoder_proximity", encoder_proximity(seen, dreams.posterior), weight=config.encoder_proximity)
        self.add("decoder_proximity", divergence, weight=config.decoder_proximity)

    def total(self) -> tuple[Tensor, dict[str, float]]:
        """The scalar to minimise, and its metrics (`objectives.total`)."""
        return total(self.terms, self.weights)


def _halves(posterior: Posterior) -> tuple[Posterior, Posterior]:
    half = len(posterior.mean) // 2
    first = Posterior(posterior.mean[:half], posterior.log_variance[:half])
    return first, Posterior(posterior.mean[half:], posterior.log_variance[half:])
