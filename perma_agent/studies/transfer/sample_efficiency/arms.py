"""The arms of the part `sample-efficiency`: what a policy sees of the level, and who has learnt it where."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.vec_env import DummyVecEnv, VecEnv

from perma_agent.sb3 import ContinualVASECallback, EncodedObservation, VASEFeaturesExtractor
from perma_agent.sb3.learning.continual_config import ContinualConfig
from perma_agent.studies.transfer.sample_efficiency.factor_observation import FactorObservation

Code = Literal["vase", "vae"]
"""What is pretrained."""


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What PPO is made of in one arm."""

    venv: VecEnv
    """The levels as the policy sees them."""
    policy: Literal["CnnPolicy", "MlpPolicy"]
    """SB3's name."""
    policy_kwargs: dict[str, Any] = field(default_factory=dict)
    """Of the policy, but for its layers."""
    callbacks: tuple[BaseCallback, ...] = ()
    """At work while it learns."""


@dataclass(frozen=True, kw_only=True)
class Arm:
    """One way of seeing a level."""

    title: str
    """In figures and tables."""
    see: Callable[[DummyVecEnv, Path, ContinualConfig, int], Seen]
    """Makes it, given the levels, the run folder of the code, how it goes on learning, and the seed."""
    code: Code | None = None
    """Whose run folder is needed."""
    pretrained: bool = True
    """Whether the frames that the code was pretrained on count; of the random one only the size is taken."""


def _nature(venv: DummyVecEnv, run: Path, continual: ContinualConfig, seed: int) -> Seen:
    return Seen(venv=venv, policy="CnnPolicy")


def _oracle(venv: DummyVecEnv, run: Path, continual: ContinualConfig, seed: int) -> Seen:
    return Seen(venv=FactorObservation(venv), policy="MlpPolicy")


def _random(venv: DummyVecEnv, run: Path, continual: ContinualConfig, seed: int) -> Seen:
    return Seen(venv=EncodedObservation(venv, run, mode="random", seed=seed), policy="MlpPolicy")


def _frozen(venv: DummyVecEnv, run: Path, continual: ContinualConfig, seed: int) -> Seen:
    return Seen(venv=EncodedObservation(venv, run), policy="MlpPolicy")


def _continual(venv: DummyVecEnv, run: Path, continual: ContinualConfig, seed: int) -> Seen:
    kwargs = VASEFeaturesExtractor.policy_kwargs(run, mode="continual")
    return Seen(
        venv=venv, policy="CnnPolicy", policy_kwargs=kwargs, callbacks=(ContinualVASECallback(config=continual),)
    )


ARMS: Mapping[str, Arm] = MappingProxyType(
    {
        "nature": Arm(title="NatureCNN from scratch", see=_nature, pretrained=False),
        "random": Arm(title="random encoder, frozen", see=_random, code="vase", pretrained=False),
        "vae": Arm(title="VAE, frozen", see=_frozen, code="vae"),
        "vase": Arm(title="VASE, frozen", see=_frozen, code="vase"),
        "vase-continual": Arm(title="VASE, continual", see=_continual, code="vase"),
        "oracle": Arm(title="true factors", see=_oracle, pretrained=False),
    }
)
"""Arms by the name that cells call them, in the order of figures and tables."""
