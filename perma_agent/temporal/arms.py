"""Arms: which host a config makes, so that a study can loop over configs alone."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import torch

from perma_agent.temporal.ada_gvae import AdaGVAE, AdaGVAEConfig
from perma_agent.temporal.contrastive import Contrastive, ContrastiveConfig
from perma_agent.temporal.host import Host
from perma_agent.temporal.joint_embedding import JointEmbedding, JointEmbeddingConfig
from perma_agent.temporal.memory_vae import MemoryVAE, MemoryVAEConfig
from perma_agent.temporal.pair_vae import PairVAE, PairVAEConfig

HostConfig = PairVAEConfig | AdaGVAEConfig | ContrastiveConfig | JointEmbeddingConfig | MemoryVAEConfig
"""Config of any host."""

HOSTS: Mapping[str, tuple[type[Any], type[Host[Any]]]] = MappingProxyType(
    {
        "pair-vae": (PairVAEConfig, PairVAE),
        "ada-gvae": (AdaGVAEConfig, AdaGVAE),
        "contrastive": (ContrastiveConfig, Contrastive),
        "joint-embedding": (JointEmbeddingConfig, JointEmbedding),
        "memory-vae": (MemoryVAEConfig, MemoryVAE),
    }
)
"""Name of each kind of host, in files and tables → its config and its class."""


def make_host(config: HostConfig, *, seed: int = 0) -> Host[Any]:
    """The host that a config describes, with weights drawn by `seed`; torch's global generator is left as it was.

    Args:
        config: of any host.
        seed: of the first weights.

    Raises:
        TypeError: this is no host's config.
    """
    _, kind = HOSTS[kind_of(config)]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return kind(config)  # type: ignore[arg-type]  # each class takes the config beside it


def kind_of(config: HostConfig) -> str:
    """The name of the kind of host that a config describes.

    Raises:
        TypeError: this is no host's config.
    """
    for name, (kind, _) in HOSTS.items():
        if type(config) is kind:
            return name
    known = ", ".join(kind.__name__ for kind, _ in HOSTS.values())
    raise TypeError(f"expected a config among {known}, got {type(config).__name__}; build one of these")
