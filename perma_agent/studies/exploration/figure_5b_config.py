"""Figure 5B's settings: worlds, arms, the agent that pushes, and how much of each a preset takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from perma_agent.continual import DreamConfig, InferenceConfig, LearnerConfig
from perma_agent.evaluation.probes import ProbeConfig
from perma_agent.imagination.configurations import MixConfig
from perma_agent.imagination.imagination_config import ImaginationConfig
from perma_agent.models import VASEConfig
from perma_agent.objectives import CapacityConfig, CapacitySchedule, PermanenceConfig
from perma_agent.studies.ppo_config import PPOConfig

ARMS: Mapping[str, str] = MappingProxyType(
    {
        "imagination": "with imagination",
        "still": "without: nothing to gain, so nothing is pushed",
        "random": "random pushes",
    }
)
"""Who acts while the digits lie still."""


@dataclass(frozen=True, kw_only=True)
class PusherConfig(PPOConfig):
    """SB3's PPO with a small MLP on the code and on what is missing from it to the goal; copies are tables."""

    copies: int = 32
    steps_per_rollout: int = 32
    batch_size: int = 128
    epochs: int = 10
    learning_rate: float = 1e-3
    practice: int = 40_960
    """Pushes of garments that it learns with before it meets a digit."""
    discount: float = 0.7
    """γ of PPO: a push pays at once."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.practice < 1 or not 0 < self.discount <= 1:
            raise ValueError(f"expected practice of at least 1 and a discount in (0, 1], got {self}")


@dataclass(frozen=True, kw_only=True)
class Figure5BConfig:
    """All that a cell of figure 5B depends on besides its arm and seed."""

    preset: str
    """Name of these settings."""
    seeds: Mapping[str, tuple[int, ...]]
    """Seeds of each arm, see `ARMS`."""
    images: tuple[str, str] = ("fashion-mnist", "mnist")
    """Image sets of what moves first, and of what lies still and moves later; names for `load_image_set`."""
    batches: tuple[int, int, int] = (1_200, 1_200, 900)
    """Of the three worlds: the first set moving, the second still but pushable, the second moving."""
    batch: int = 64
    """Frames per batch."""
    episode: int = 16
    """Steps after which the next picture is laid on the middle of the table, where it lies still."""
    push: int = 2
    """Pixels of one push. So an agent that knows where to can bring a picture anywhere within an episode, and one that
    pushes at random brings it four or five pixels away at its end."""
    model: VASEConfig
    """The VASE; its image_size is the table's."""
    learner: LearnerConfig
    """How it learns."""
    pusher: PusherConfig = field(default_factory=PusherConfig)
    """The agent."""
    bonus: ImaginationConfig = field(default_factory=lambda: _bonus(horizon=16, memory=2_048))
    """What it is paid for."""
    renew_every: int = 4
    """Rollouts after which policy and bonus see through the VASE as it is by then."""
    every: int = 200
    """Batches between two examinations, from the second world on."""
    learn_on: int = 20_000
    """Frames met in the present world that the classifier learns from, at most."""
    test_on: int = 3_000
    """Frames of moving digits never met that it is tested on."""
    probe: ProbeConfig = field(default_factory=ProbeConfig)
    """The classifier's network."""
    data: Path | None = None
    """Folder of the image sets; None looks where PERMA_DATA says, then downloads."""

    def __post_init__(self) -> None:
        if unknown := set(self.seeds) - set(ARMS):
            raise ValueError(f"expected arms among {', '.join(ARMS)}, got {', '.join(sorted(unknown))}")
        least = min(*self.batches, self.episode, self.push, self.renew_every, self.every, self.batch - 1)
        if least < 1 or min(self.learn_on, self.test_on) < 10:
            raise ValueError(
                f"expected positive numbers, and at least 10 frames to learn on and to test on, got {self}"
            )


def _bonus(**arguments: Any) -> ImaginationConfig:
    """Goals are configurations met as they stand, or with all that another environment lends of one of its own.

    A VASE this young spreads two coordinates over half a dozen latents: moved one by one they make no place.
    """
    mix = MixConfig(elsewhere=8.0, rim=0.0, whole=1.0, recombined=0.0, most_replaced=64)
    return ImaginationConfig(mix=mix, near=2.0, renew_every=1, **arguments)


def _learner(*, nats: float, rise: int, warm_up: int, burn_in: int, learning_rate: float) -> LearnerConfig:
    return LearnerConfig(
        learning_rate=learning_rate,
        capacity=CapacityConfig(weight=1.0, warm_up=warm_up, schedule=CapacitySchedule(nats=nats, steps=rise)),
        permanence=PermanenceConfig(weight=0.0),  # pictures of a set follow one another at random
        inference=InferenceConfig(burn_in=burn_in),
        dreaming=DreamConfig(encoder_proximity=4.0, decoder_proximity=4.0),
    )


def _smoke() -> Figure5BConfig:
    return Figure5BConfig(
        preset="smoke",
        seeds={"imagination": (0,), "still": (0,)},
        images=("digits", "digits"),
        batches=(40, 40, 24),
        batch=32,
        episode=8,
        model=VASEConfig(channels=1, image_size=32, filters=(8, 8, 8), hidden=32, latents=8, likelihood="bernoulli"),
        learner=_learner(nats=12.0, rise=40, warm_up=10, burn_in=10, learning_rate=2e-3),
        pusher=PusherConfig(practice=512, copies=8, steps_per_rollout=16, batch_size=64, epochs=1),
        bonus=_bonus(horizon=8, memory=256, enough=64, imagined=32, judged=16),
        every=20,
        learn_on=400,
        test_on=200,
        probe=ProbeConfig(hidden=(32,), epochs=5),
    )


def _bench() -> Figure5BConfig:
    return Figure5BConfig(
        preset="bench",
        seeds={"imagination": (0, 1, 2), "still": (0, 1, 2), "random": (0, 1)},
        model=VASEConfig(
            channels=1, image_size=32, filters=(32, 32, 64), hidden=256, latents=24, likelihood="bernoulli"
        ),
        learner=_learner(nats=22.0, rise=800, warm_up=300, burn_in=300, learning_rate=1e-3),
    )


def _full() -> Figure5BConfig:
    every = tuple(range(10))
    return Figure5BConfig(
        preset="full",
        seeds={"imagination": every, "still": every, "random": every},
        batches=(28_000, 19_000, 28_000),
        model=VASEConfig.paper(),
        learner=_learner(nats=35.0, rise=15_000, warm_up=2_000, burn_in=1_500, learning_rate=6e-4),
        push=4,
        pusher=PusherConfig(practice=409_600),
        every=2_500,
        learn_on=60_000,
        test_on=10_000,
    )


FIGURE_5B: Mapping[str, Figure5BConfig] = MappingProxyType(
    {made.preset: made for made in (_smoke(), _bench(), _full())}
)
"""By preset of the study: smoke (seconds a cell), bench (minutes), full (the paper's sizes)."""
