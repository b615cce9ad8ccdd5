"""All of a PPO agent but its weights, as plain values, and an agent without weights made from them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from gymnasium import spaces
from stable_baselines3 import PPO
from stable_baselines3.common.buffers import RolloutBuffer
from stable_baselines3.common.policies import ActorCriticCnnPolicy
from torch import nn

from perma_agent.continual.config_json import from_json, to_json
from perma_agent.models import VASEConfig
from perma_agent.sb3.features_extractor import Mode, VASEFeaturesExtractor

ACTIVATIONS = {kind.__name__: kind for kind in (nn.Tanh, nn.ReLU, nn.ELU, nn.LeakyReLU, nn.SiLU, nn.GELU)}
"""Activations of the policy's layers, by name."""


@dataclass(frozen=True, kw_only=True)
class BoxConfig:
    """A `spaces.Box` of the same bounds everywhere."""

    shape: tuple[int, ...]
    """Of an element."""
    low: float
    """Smallest value."""
    high: float
    """Largest value."""
    dtype: str
    """By numpy's name."""


@dataclass(frozen=True, kw_only=True)
class ExtractorConfig:
    """Arguments of `VASEFeaturesExtractor`."""

    model: VASEConfig
    """Of its VASE."""
    run: str
    """Run folder that its weights came from."""
    mode: Mode
    """`continual` or `frozen`."""
    normalize_images: bool
    """Whether the policy divides pixels by 255."""


@dataclass(frozen=True, kw_only=True)
class PolicyShape:
    """The layers behind the extractor, by the names of SB3's `policy_kwargs`."""

    actor: tuple[int, ...]
    """Hidden layers of the actor (`net_arch["pi"]`)."""
    critic: tuple[int, ...]
    """Hidden layers of the critic (`net_arch["vf"]`)."""
    activation: str
    """One of `ACTIVATIONS`."""
    ortho_init: bool
    """Whether their weights began orthogonal."""
    share_features_extractor: bool
    """Whether actor and critic have one extractor."""


@dataclass(frozen=True, kw_only=True)
class PPOConfig:
    """PPO's settings, by the names of its own arguments."""

    learning_rate: float
    """Of Adam."""
    n_steps: int
    """Steps of each copy in a rollout."""
    batch_size: int
    """Frames in a minibatch."""
    n_epochs: int
    """Passes over each rollout."""
    gamma: float
    """Discount of rewards, in [0, 1]."""
    gae_lambda: float
    """Of generalised advantages, in [0, 1]."""
    clip_range: float
    """Of the ratio of probabilities."""
    normalize_advantage: bool
    """Whether advantages are normalised in each minibatch."""
    ent_coef: float
    """Weight of the entropy bonus."""
    vf_coef: float
    """Weight of the value loss."""
    max_grad_norm: float
    """Largest norm of the gradient."""
    target_kl: float | None
    """KL divergence at which an update ends; None for no limit."""


@dataclass(frozen=True, kw_only=True)
class AgentConfig:
    """All of a PPO agent but its weights."""

    observations: BoxConfig
    """What the policy sees."""
    actions: int | BoxConfig
    """How many actions there are, or the box they come from."""
    extractor: ExtractorConfig
    """What it sees through."""
    policy: PolicyShape
    """Its layers."""
    ppo: PPOConfig
    """How it learns."""
    copies: int
    """Levels it learnt on in parallel."""
    timesteps: int
    """Steps it was trained for."""
    seed: int | None
    """It was made with."""


def config_of(agent: PPO) -> AgentConfig:
    """What an agent is made of.

    Raises:
        ValueError: it has something that only code could make again (a schedule, a class of its own); the message
            names it.
    """
    policy = agent.policy
    _refuse_what_only_code_makes(agent)
    arch = policy.net_arch if isinstance(policy.net_arch, dict) else {"pi": policy.net_arch, "vf": policy.net_arch}
    settings = {name: getattr(agent, name) for name in PPOConfig.__dataclass_fields__}
    settings["clip_range"] = agent.clip_range(1.0)  # type: ignore[operator]  # SB3 keeps a schedule here
    return AgentConfig(
        observations=_box_config(agent.observation_space),
        actions=_actions_config(agent.action_space),
        extractor=from_json(ExtractorConfig, policy.features_extractor_kwargs, where="features_extractor_kwargs"),
        policy=PolicyShape(
            actor=tuple(arch.get("pi", ())),
            critic=tuple(arch.get("vf", ())),
            activation=policy.activation_fn.__name__,
            ortho_init=policy.ortho_init,
            share_features_extractor=policy.share_features_extractor,
        ),
        ppo=PPOConfig(**settings),
        copies=agent.n_envs,
        timesteps=agent.num_timesteps,
        seed=agent.seed,
    )


def make_agent(config: AgentConfig, *, device: str | torch.device) -> PPO:
    """An agent of that configuration, its weights not yet those it had; draws no random numbers."""
    shape = config.policy
    with torch.random.fork_rng(devices=[]):
        agent = PPO(
            "CnnPolicy",
            None,  # type: ignore[arg-type]  # as SB3's own `load` does
            **asdict(config.ppo),
            device=device,
            policy_kwargs={
                "features_extractor_class": VASEFeaturesExtractor,
                "features_extractor_kwargs": to_json(config.extractor),
                "normalize_images": config.extractor.normalize_images,
                "net_arch": {"pi": list(shape.actor), "vf": list(shape.critic)},
                "activation_fn": ACTIVATIONS[shape.activation],
                "ortho_init": shape.ortho_init,
                "share_features_extractor": shape.share_features_extractor,
            },
            _init_setup_model=False,
        )
        agent.observation_space = _box(config.observations)
        actions = config.actions
        agent.action_space = spaces.Discrete(actions) if isinstance(actions, int) else _box(actions)
        agent.n_envs = config.copies
        agent._setup_model()
    agent.num_timesteps, agent.seed = config.timesteps, config.seed
    return agent


def _refuse_what_only_code_makes(agent: PPO) -> None:
    policy = agent.policy
    if type(agent) is not PPO or type(policy) is not ActorCriticCnnPolicy:
        found = f"{type(agent).__name__} with {type(policy).__name__}"
        raise ValueError(f"expected PPO with CnnPolicy, got {found}; use the agent's own save()")
    plain = {
        "features extractor": type(policy.features_extractor) is VASEFeaturesExtractor,
        "activation_fn": policy.activation_fn in ACTIVATIONS.values(),
        "optimizer_class": policy.optimizer_class is torch.optim.Adam and policy.optimizer_kwargs == {"eps": 1e-5},
        "learning_rate": not callable(agent.learning_rate),
        "clip_range": _is_constant(agent.clip_range),
        "clip_range_vf": agent.clip_range_vf is None,
        "use_sde": not agent.use_sde,
        "rollout_buffer_class": agent.rollout_buffer_class is RolloutBuffer and not agent.rollout_buffer_kwargs,
        "actions": isinstance(agent.action_space, spaces.Box) or _counts_from_zero(agent.action_space),
    }
    unusual = [name for name, fits in plain.items() if not fits]
    if unusual:
        raise ValueError(
            "expected VASEFeaturesExtractor, constant settings and otherwise SB3's own parts, got another "
            f"{', '.join(unusual)}; use the agent's own save()"
        )


def _is_constant(schedule: Callable[[float], float] | float) -> bool:
    return not callable(schedule) or len({schedule(left) for left in np.linspace(0, 1, 101)}) == 1


def _counts_from_zero(space: spaces.Space[Any]) -> bool:
    return isinstance(space, spaces.Discrete) and space.start == 0


def _actions_config(space: spaces.Space[Any]) -> int | BoxConfig:
    return int(space.n) if isinstance(space, spaces.Discrete) else _box_config(space)


def _box_config(space: spaces.Space[Any]) -> BoxConfig:
    if not isinstance(space, spaces.Box) or len(np.unique(space.low)) > 1 or len(np.unique(space.high)) > 1:
        raise ValueError(f"expected a Box of the same bounds everywhere, got {space}; use the agent's own save()")
    low, high = float(space.low.flat[0]), float(space.high.flat[0])
    return BoxConfig(shape=space.shape, low=low, high=high, dtype=str(space.dtype))


def _box(config: BoxConfig) -> spaces.Box:
    return spaces.Box(config.low, config.high, config.shape, np.dtype(config.dtype).type)
