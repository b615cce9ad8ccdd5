"""What the study `continual` runs: its sequences of worlds, its arms, and how much of each a preset takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from perma_agent.continual import LearnerConfig
from perma_agent.evaluation.probes import ProbeConfig
from perma_agent.models import VASEConfig

ARMS: Mapping[str, str] = MappingProxyType(
    {
        "sda": "VASE: environments inferred (S), dreams (D), latent masks (A)",
        "sd": "without latent masks",
        "sd-encoder": "without masks and without decoder proximity (SD-[41])",
        "da": "without environments",
        "sa": "without dreams",
        "s": "environments alone",
        "d": "dreams alone",
        "a": "masks alone",
        "none": "CCI-VAE: no protection",
    }
)
"""The paper's ablations (table 1); with `-entangled` behind it, an arm pays β KL with β = 1 instead of γ |KL - C|²."""
ENTANGLED = "-entangled"


@dataclass(frozen=True, kw_only=True)
class Sequence:
    """A life: the worlds that come one after the other, and what is read off the latents meanwhile."""

    worlds: tuple[str, ...]
    """Names for `data.image_world`; the same name again is a return."""
    steps: tuple[int, ...]
    """Batches of each."""
    classified: tuple[str, ...]
    """Worlds whose objects are told by a classifier."""
    located: tuple[str, ...]
    """Moving worlds whose objects' places are told by a regressor."""

    def __post_init__(self) -> None:
        if len(self.worlds) != len(self.steps) or not self.worlds or min(self.steps) < 1:
            raise ValueError(f"expected a positive number of steps for each world, got {self.worlds} and {self.steps}")
        strangers = {*self.classified, *self.located} - set(self.worlds)
        if strangers:
            raise ValueError(f"expected probes of worlds in the sequence, got {', '.join(sorted(strangers))}")


@dataclass(frozen=True, kw_only=True)
class LifeConfig:
    """All that a life depends on besides its seed."""

    sequence: Sequence
    """What is lived through."""
    arm: str = "sda"
    """One of `ARMS`, with or without `-entangled`."""
    model: VASEConfig
    """The network, the same for all arms."""
    learner: LearnerConfig
    """The learner with every switch on."""
    batch: int = 64
    """Frames per batch."""
    every: int = 500
    """Batches from one evaluation to the next; there is one at the end of each world too."""
    learn_probes_on: int = 20_000
    """Training frames that each probe learns from."""
    test_probes_on: int = 4_000
    """Test frames it is tested on, the same throughout a life."""
    probe: ProbeConfig = field(default_factory=ProbeConfig)
    """The probes' network."""
    renew_every: int = 5_000
    """τ: batches between snapshots in the arms without S, to which no environment ends."""

    def __post_init__(self) -> None:
        if self.arm.removesuffix(ENTANGLED) not in ARMS:
            raise ValueError(f"expected an arm among {', '.join(ARMS)}, got {self.arm!r}")
        if min(self.batch, self.every, self.learn_probes_on, self.test_probes_on) < 2:
            raise ValueError(f"expected counts of at least 2, got {self}")

    def learner_of(self, seed: int) -> LearnerConfig:
        """The learner of this arm: the switches that its letters do not name are off."""
        letters = self.arm.removesuffix(ENTANGLED)
        switches = set() if letters == "none" else set(letters.removesuffix("-encoder"))
        full = self.learner
        return replace(
            full,
            seed=seed,
            inference=replace(full.inference, enabled="s" in switches),
            mask=replace(full.mask, enabled="a" in switches),
            dreaming=replace(
                full.dreaming,
                enabled="d" in switches,
                renew_every=full.dreaming.renew_every if "s" in switches else self.renew_every,
                decoder_proximity=0.0 if letters.endswith("-encoder") else full.dreaming.decoder_proximity,
            ),
            capacity=replace(full.capacity, disentangled=not self.arm.endswith(ENTANGLED)),
        )
