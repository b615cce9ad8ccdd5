"""All of an agent but its weights, as plain values, and an agent without weights made from them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.sb2_compat.rmsprop_tf_like import RMSpropTFLike
from stable_baselines3.common.torch_layers import CombinedExtractor, FlattenExtractor, NatureCNN
from torch import nn

from perma_agent.continual.config_json import to_json
from perma_agent.sb3.saving.algorithms import algorithm_named, arguments_from, settings_of
from perma_agent.sb3.saving.space_config import SpaceConfig
from perma_agent.sb3.seeing.extractor_config import ExtractorConfig
from perma_agent.sb3.seeing.features_extractor import VASEFeaturesExtractor

ACTIVATIONS = "torch.nn.modules.activation"
"""Module whose classes may be activations of a policy's layers."""
OPTIMIZERS = {
    kind.__name__: kind
    for kind in (torch.optim.Adam, torch.optim.AdamW, torch.optim.RMSprop, torch.optim.SGD, RMSpropTFLike)
}
"""Optimisers of a policy, by name."""
EXTRACTORS = {kind.__name__: kind for kind in (CombinedExtractor, FlattenExtractor, NatureCNN)}
"""SB3's own features extractors, by name."""
_CLASSES = ("activation_fn", "optimizer_class", "features_extractor_class")


@dataclass(frozen=True, kw_only=True)
class AgentConfig:
    """All of an agent but its weights."""

    algorithm: str
    """One of `sb3.algorithms.PACKAGES`."""
    policy_class: str
    """The algorithm's name for the policy, e.g. `CnnPolicy`."""
    observations: SpaceConfig
    """What the policy sees."""
    actions: SpaceConfig
    """What it does."""
    extractor: ExtractorConfig | None
    """What it sees through; None where that is not a VASE."""
    policy: dict[str, Any]
    """The rest of SB3's `policy_kwargs`, classes by name."""
    settings: dict[str, Any]
    """How it learns, by the names of the algorithm's own arguments; a linear schedule is an object."""
    copies: int
    """Levels it learnt on in parallel."""
    timesteps: int
    """Steps it was trained for."""
    seed: int | None
    """It was made with."""


def config_of(agent: BaseAlgorithm) -> AgentConfig:
    """What an agent is made of.

    Raises:
        ValueError: it has something that only code could make again (a schedule or a class of the caller's own); the
            message names it.
    """
    name = type(agent).__name__
    if type(agent) is not algorithm_named(name):
        raise ValueError(f"expected SB3's own {name}, got a class of the same name; use the agent's own save()")
    aliases = [alias for alias, kind in agent.policy_aliases.items() if kind is agent.policy_class]
    if not aliases:
        raise ValueError(f"expected one of {name}'s own policies, got {agent.policy_class}; use the agent's own save()")
    kwargs = dict(agent.policy_kwargs or {})
    extractor = None
    if kwargs.get("features_extractor_class") is VASEFeaturesExtractor:
        del kwargs["features_extractor_class"]
        extractor = ExtractorConfig.of(kwargs.pop("features_extractor_kwargs"))
    return AgentConfig(
        algorithm=name,
        policy_class=aliases[0],
        observations=SpaceConfig.of(agent.observation_space),
        actions=SpaceConfig.of(agent.action_space),
        extractor=extractor,
        policy={key: _plain(key, value) for key, value in kwargs.items()},
        settings=settings_of(agent),
        copies=agent.n_envs,
        timesteps=agent.num_timesteps,
        seed=agent.seed,
    )


def make_agent(config: AgentConfig, *, device: str | torch.device) -> BaseAlgorithm:
    """An agent of that configuration, its weights not yet those it had; draws no random numbers.

    Raises:
        KeyError, TypeError, ValueError, RuntimeError: the configuration fits no agent.
    """
    kind = algorithm_named(config.algorithm)
    kwargs = {key: _class_named(key, value) if key in _CLASSES else value for key, value in config.policy.items()}
    if config.extractor is not None:
        kwargs["features_extractor_class"] = VASEFeaturesExtractor
        kwargs["features_extractor_kwargs"] = to_json(config.extractor)
    with torch.random.fork_rng(devices=[]):
        make: Any = kind  # each algorithm has arguments of its own
        agent: BaseAlgorithm = make(
            config.policy_class,
            None,  # as SB3's own `load` does
            **arguments_from(kind, config.settings),
            device=device,
            policy_kwargs=kwargs,
            _init_setup_model=False,
        )
        agent.observation_space, agent.action_space = config.observations.make(), config.actions.make()
        agent.n_envs = config.copies
        agent._setup_model()
    agent.num_timesteps, agent.seed = config.timesteps, config.seed
    return agent


def _plain(key: str, value: Any) -> Any:
    """An entry of `policy_kwargs` as JSON values."""
    known = value is None or isinstance(value, bool | int | float | str)
    if key in _CLASSES:
        known = isinstance(value, type) and _known_class(key, value.__name__) is value
        value = getattr(value, "__name__", value)
    elif isinstance(value, Mapping):
        return {str(name): _plain(f"{key}[{name!r}]", part) for name, part in value.items()}
    elif isinstance(value, list | tuple):
        return [_plain(key, part) for part in value]
    if not known:
        raise ValueError(
            f"expected VASEFeaturesExtractor or SB3's own parts in the policy, got another {key}; use the agent's own "
            "save()"
        )
    return value


def _known_class(key: str, name: str) -> type | None:
    if key == "activation_fn":
        kind = getattr(nn, name, None)
        return kind if isinstance(kind, type) and kind.__module__ == ACTIVATIONS else None
    return (OPTIMIZERS if key == "optimizer_class" else EXTRACTORS).get(name)


def _class_named(key: str, name: Any) -> type:
    kind = _known_class(key, str(name))
    if kind is None:
        raise ValueError(f"expected a known {key}, got {name!r}")
    return kind
