"""Hosts that learn a code from frames in time: one interface for all arms of a study of temporal disentanglement."""

from typing import TYPE_CHECKING

from perma_agent.lazy import lazy_names

if TYPE_CHECKING:
    from perma_agent.temporal.ada_gvae import AdaGVAE, AdaGVAEConfig
    from perma_agent.temporal.arms import HOSTS, HostConfig, make_host
    from perma_agent.temporal.collapse_guard import CollapseGuardConfig
    from perma_agent.temporal.contrastive import Contrastive, ContrastiveConfig
    from perma_agent.temporal.encoding import codes, posteriors
    from perma_agent.temporal.frame_vae import FrameVAE
    from perma_agent.temporal.host import Host, Summands
    from perma_agent.temporal.joint_embedding import JointEmbedding, JointEmbeddingConfig
    from perma_agent.temporal.memory_vae import MemoryVAE, MemoryVAEConfig
    from perma_agent.temporal.network import NetworkConfig
    from perma_agent.temporal.pair_vae import PairVAE, PairVAEConfig
    from perma_agent.temporal.saving import load_host, save_host
    from perma_agent.temporal.sequences import FrameSequences, PairsOfSequences, Source
    from perma_agent.temporal.training import History, TrainingConfig, train

_FILES = {
    "NetworkConfig": "network",
    "Host": "host",
    "Summands": "host",
    "FrameVAE": "frame_vae",
    "PairVAE": "pair_vae",
    "PairVAEConfig": "pair_vae",
    "AdaGVAE": "ada_gvae",
    "AdaGVAEConfig": "ada_gvae",
    "Contrastive": "contrastive",
    "ContrastiveConfig": "contrastive",
    "JointEmbedding": "joint_embedding",
    "JointEmbeddingConfig": "joint_embedding",
    "CollapseGuardConfig": "collapse_guard",
    "MemoryVAE": "memory_vae",
    "MemoryVAEConfig": "memory_vae",
    "HOSTS": "arms",
    "HostConfig": "arms",
    "make_host": "arms",
    "FrameSequences": "sequences",
    "PairsOfSequences": "sequences",
    "Source": "sequences",
    "History": "training",
    "TrainingConfig": "training",
    "train": "training",
    "codes": "encoding",
    "posteriors": "encoding",
    "load_host": "saving",
    "save_host": "saving",
}
"""Public name → the file it is loaded from when first used."""

__all__ = [
    "HOSTS",
    "AdaGVAE",
    "AdaGVAEConfig",
    "CollapseGuardConfig",
    "Contrastive",
    "ContrastiveConfig",
    "FrameSequences",
    "FrameVAE",
    "History",
    "Host",
    "HostConfig",
    "JointEmbedding",
    "JointEmbeddingConfig",
    "MemoryVAE",
    "MemoryVAEConfig",
    "NetworkConfig",
    "PairVAE",
    "PairVAEConfig",
    "PairsOfSequences",
    "Source",
    "Summands",
    "TrainingConfig",
    "codes",
    "load_host",
    "make_host",
    "posteriors",
    "save_host",
    "train",
]

if not TYPE_CHECKING:  # a type checker reads the imports above, and so still sees a mistyped name
    __getattr__, __dir__ = lazy_names(__name__, _FILES)
