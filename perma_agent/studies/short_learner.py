"""Learner of the studies' short lives: a few thousand batches, where `LearnerConfig`'s defaults count on many more."""

from __future__ import annotations

from perma_agent.continual import LearnerConfig
from perma_agent.objectives import CapacityConfig, CapacitySchedule, PermanenceConfig


def short_learner(*, nats: float = 30.0, warm_up: int = 1_000, rise: int = 1_000, settle: int = 500) -> LearnerConfig:
    """A learner in a hurry: larger steps, and terms that count after fewer of them.

    Args:
        nats: of information that the code may carry in the end.
        warm_up: batches over which the capacity term's weight rises.
        rise: batches over which capacity rises to `nats`.
        settle: batches over which permanence's weight rises.
    """
    return LearnerConfig(
        learning_rate=1e-3,
        capacity=CapacityConfig(warm_up=warm_up, schedule=CapacitySchedule(nats=nats, steps=rise)),
        permanence=PermanenceConfig(warm_up=settle),
    )
