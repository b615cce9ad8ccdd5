"""Snapshot: a frozen copy of the model and the environments it can dream of; the teacher of the dreams."""

from __future__ import annotations

import copy
from dataclasses import dataclass

from perma_agent.continual.environment_record import EnvironmentRecord
from perma_agent.continual.latent_mask import Marginal
from perma_agent.models import VASE


@dataclass(frozen=True)
class Snapshot:
    """(φ', θ') of section 3.5: the model as it was when the last environment ended."""

    model: VASE
    """The frozen copy, in evaluation mode, its parameters without gradient."""
    marginals: dict[int, Marginal]
    """What was typical of the latents in each environment s' that had settled, by index."""

    @classmethod
    def take(cls, model: VASE, records: list[EnvironmentRecord]) -> Snapshot:
        """Copy `model` as it is now, able to dream of every settled environment in `records`."""
        frozen = copy.deepcopy(model).eval().requires_grad_(False)
        return cls(frozen, {index: record.marginal for index, record in enumerate(records) if record.settled})
