"""Update: what one call of `Learner.update` saw and did."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor

from perma_agent.continual.environment_inference import EnvironmentInference, Verdict


@dataclass(frozen=True, kw_only=True)
class Update:
    """What one call of `Learner.update` saw and did."""

    step: int
    """Batches seen so far, this one included."""
    environment: int | None
    """s inferred; None if the batch surprised and was not learnt from."""
    opened: bool
    """A new environment began with this batch."""
    alpha: Tensor
    """Atypicality, in nats, shape `[D]`."""
    mask: Tensor
    """a^s in force, bool, shape `[D]`."""
    metrics: dict[str, float]
    """Scalars to log, by name."""

    @classmethod
    def of(
        cls,
        verdict: Verdict,
        *,
        step: int,
        alpha: Tensor,
        inference: EnvironmentInference,
        learnt: Mapping[str, float],
    ) -> Update:
        """Sum up one update.

        Args:
            verdict: what was made of the batch.
            step: batches seen so far.
            alpha: atypicality of the batch, in nats, shape `[D]`.
            inference: as it stands after the batch.
            learnt: metrics of the learning; empty if the batch was not learnt from.
        """
        mask = inference.mask.clone()
        scalars = {
            "environment/index": float("nan") if verdict.environment is None else float(verdict.environment),
            "environment/count": float(len(inference.records)),
            "environment/pending": float(inference.pending_batches),
            "latents/masked": float((~mask).sum()),
            "latents/atypicality_max": float(alpha.max()),
        }
        if verdict.error is not None and verdict.limit is not None:
            scalars |= {"environment/error": verdict.error, "environment/limit": verdict.limit}
        return cls(
            step=step,
            environment=verdict.environment,
            opened=verdict.opened,
            alpha=alpha,
            mask=mask,
            metrics={**learnt, **scalars},
        )
