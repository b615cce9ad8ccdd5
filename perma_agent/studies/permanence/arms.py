"""Arms of the study of permanence: one network and one budget, and for each arm a single weight that is tuned."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from perma_agent.objectives import PermanenceConfig
from perma_agent.objectives.permanence import Member
from perma_agent.temporal import (
    AdaGVAEConfig,
    ContrastiveConfig,
    HostConfig,
    JointEmbeddingConfig,
    MemoryVAEConfig,
    NetworkConfig,
    PairVAEConfig,
)

BETA = 0.5
"""β of all arms with a change term: SlowVAE's 1, on the scale of `PairVAE`, whose total is half of SlowVAE's."""
LEADS = 0.3, 0.6
"""Shares of the steps at which `handover` begins and ends to pass from SlowVAE's term to the direction of P₀."""
LEADING_GAMMA = 5.0
"""γ of SlowVAE's term while it leads in `handover`, which then loses all of its weight."""
SHARED_GAMMA, HANDED = 10.0, 0.5
"""γ of SlowVAE's term in `together` (the published one), and the share of its weight that it hands over."""


@dataclass(frozen=True, kw_only=True)
class Budget:
    """What schedules go by."""

    steps: int
    """Learning steps."""
    warm_up: int
    """Steps over which the weight of a change term rises from 0."""


MakeHost = Callable[[NetworkConfig, float, Budget], HostConfig]
"""Config of a host, of the network, the weight and the budget."""


@dataclass(frozen=True, kw_only=True)
class Arm:
    """Something that learns a code, and the one number of it that is chosen on other seeds."""

    title: str
    """In tables and figures."""
    weights: tuple[float, ...]
    """Values that are tried, ascending."""
    means: str
    """What the weight is of."""
    make: MakeHost
    """Config of its host."""


def _change(member: Member) -> MakeHost:
    def make(network: NetworkConfig, weight: float, budget: Budget) -> HostConfig:
        permanence = PermanenceConfig(member=member, weight=weight, warm_up=budget.warm_up)
        return PairVAEConfig(network=network, beta=BETA, permanence=permanence)

    return make


def _slow_vae(network: NetworkConfig, weight: float, budget: Budget) -> HostConfig:
    del budget  # its weight counts from the start
    return PairVAEConfig.slow_vae(network, gamma=weight)


def _handover(gamma: float, *, handed: float) -> MakeHost:
    def make(network: NetworkConfig, weight: float, budget: Budget) -> HostConfig:
        slow = PairVAEConfig.slow_vae(network, gamma=gamma)
        begins, ends = (round(share * budget.steps) for share in LEADS)
        permanence = PermanenceConfig(
            member="direction",
            weight=weight,
            warm_up=budget.warm_up,
            first=slow.permanence.alone,
            handover=(begins, ends),
            handed=handed,
        )
        return PairVAEConfig(network=network, beta=slow.beta, permanence=permanence)

    return make


def _beta_vae(network: NetworkConfig, weight: float, budget: Budget) -> HostConfig:
    del budget
    return PairVAEConfig(network=network, beta=weight, permanence=PermanenceConfig(member="none", weight=0.0))


def _ada_gvae(network: NetworkConfig, weight: float, budget: Budget) -> HostConfig:
    del budget
    return AdaGVAEConfig(network=network, beta=weight)


def _contrastive(network: NetworkConfig, weight: float, budget: Budget) -> HostConfig:
    del weight, budget
    return ContrastiveConfig(network=network)


def _joint_embedding(member: Member) -> MakeHost:
    def make(network: NetworkConfig, weight: float, budget: Budget) -> HostConfig:
        permanence = PermanenceConfig(member=member, weight=weight, warm_up=budget.warm_up)
        return JointEmbeddingConfig(network=network, permanence=permanence)

    return make


def _memory(member: Member, *, memory: bool = True) -> MakeHost:
    def make(network: NetworkConfig, weight: float, budget: Budget) -> HostConfig:
        permanence = PermanenceConfig(member=member, weight=weight, warm_up=budget.warm_up)
        return MemoryVAEConfig(network=network, memory=memory, permanence=permanence)

    return make


DIRECTION = "weight of the direction of P₀"

ARMS: Mapping[str, Arm] = MappingProxyType(
    {
        "none": Arm(title="β-VAE", weights=(0.5, 1.0, 4.0), means="β", make=_beta_vae),
        "l1": Arm(title="L1", weights=(3.0, 10.0, 30.0), means="weight of ‖Δ‖₁", make=_change("l1")),
        "l2": Arm(title="L2 (slowness)", weights=(1.0, 3.0, 10.0), means="weight of ‖Δ‖₂²", make=_change("l2")),
        "slowvae": Arm(title="SlowVAE", weights=(2.0, 5.0, 10.0), means="γ", make=_slow_vae),
        "ada-gvae": Arm(title="Ada-GVAE", weights=(0.5, 1.0, 4.0), means="β", make=_ada_gvae),
        "pcl": Arm(title="PCL", weights=(1.0,), means="nothing: it has no weight", make=_contrastive),
        "p_b": Arm(title="P_b", weights=(5.0, 20.0), means="weight of P_b", make=_change("p_b")),
        "direction": Arm(title="P₀ by direction", weights=(5.0, 15.0), means=DIRECTION, make=_change("direction")),
        "handover": Arm(
            title="SlowVAE → P₀ by direction",
            weights=(5.0, 15.0, 40.0),
            means=DIRECTION,
            make=_handover(LEADING_GAMMA, handed=1.0),
        ),
        "together": Arm(
            title="SlowVAE + P₀ by direction",
            weights=(10.0, 20.0, 40.0),
            means=f"{DIRECTION}, {HANDED:g} of which it has in the end",
            make=_handover(SHARED_GAMMA, handed=HANDED),
        ),
        "jepa": Arm(title="JEPA", weights=(0.0,), means="nothing", make=_joint_embedding("none")),
        "jepa-direction": Arm(
            title="JEPA, P₀ by direction",
            weights=(1.0, 5.0),
            means=DIRECTION,
            make=_joint_embedding("direction"),
        ),
        "memory": Arm(title="VAE with memory", weights=(0.0,), means="nothing", make=_memory("none")),
        "memory-direction": Arm(
            title="VAE with memory, P₀ by direction",
            weights=(20.0,),
            means=DIRECTION,
            make=_memory("direction"),
        ),
        "blind-direction": Arm(
            title="without memory, P₀ by direction",
            weights=(20.0,),
            means=DIRECTION,
            make=_memory("direction", memory=False),
        ),
    }
)
"""Arms by the name their cells have after the world's."""

FAMILY = ("p_b", "direction", "handover", "together")
"""Members of the permanence family on a VAE, the article's own first."""
BEST = "together"
"""The member that is held against the rivals where too few seeds were tuned on to choose one by rule; found on other
seeds than are reported on."""
