"""Bundle: a PPO agent that sees through a VASE, as JSON and safetensors, read back without a pickle.

| file                 | holds                                                                |
|----------------------|----------------------------------------------------------------------|
| `config.json`        | `AgentConfig`, and what the caller adds                              |
| `policy.safetensors` | weights of the policy and of the encoder within, state of its Adam   |
| `manifest.json`      | size and SHA-256 of each; `continual.run_folder` changes all at once |
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load as tensors_from_bytes
from safetensors.torch import save as tensors_to_bytes
from stable_baselines3 import PPO
from torch import Tensor

from perma_agent.continual.config_json import from_json, to_json
from perma_agent.continual.learner_state import NamedTensors
from perma_agent.continual.run_folder import read_files, write_files
from perma_agent.errors import FrameError, RunFolderError
from perma_agent.sb3.agent_config import AgentConfig, config_of, make_agent

CONFIG, POLICY = "config.json", "policy.safetensors"


@dataclass(frozen=True, kw_only=True)
class BundleContent:
    """What a bundle says of its agent."""

    config: AgentConfig
    """What it is made of."""
    extra: Mapping[str, Any]
    """What the caller of `save_bundle` added."""


def save_bundle(agent: PPO, folder: str | Path, *, extra: Mapping[str, Any] | None = None) -> None:
    """Write an agent into a folder, whole or not at all; other files there are left alone.

    Args:
        agent: PPO with a `VASEFeaturesExtractor`, between two updates.
        folder: made if missing; a bundle already there is replaced.
        extra: JSON values to keep beside, e.g. the level it was trained on.

    Raises:
        ValueError: the agent has a part that only code could make again, e.g. a schedule; nothing is written.
        RunFolderError: the folder is not ours to write to, or cannot be written; what was there is intact.
        TypeError: `extra` holds something that is no JSON value.
    """
    config = {"agent": to_json(config_of(agent)), "extra": dict(extra or {})}
    state = agent.policy.state_dict()
    tensors = {name: state[name] for name in _first_names(state).values()}
    for index, values in agent.policy.optimizer.state_dict()["state"].items():
        tensors |= {f"adam.{index}.{key}": value for key, value in values.items()}
    plain = {name: value.detach().to("cpu", copy=True).contiguous() for name, value in tensors.items()}
    write_files(folder, {CONFIG: (json.dumps(config, indent=2) + "\n").encode(), POLICY: tensors_to_bytes(plain)})


def load_bundle(folder: str | Path, *, device: str | torch.device = "cpu") -> PPO:
    """The agent that was saved, to act at once, or to learn on after `set_env`.

    Its random numbers begin anew, and its levels where they are: learning on is not bit for bit what it would have
    been.

    Args:
        folder: that `save_bundle` wrote; nothing else is needed.
        device: where to put the policy.

    Raises:
        RunFolderError: a file is missing, truncated, altered, of another version, or does not fit the others.
    """
    folder = Path(folder)
    contents = _contents(folder)
    config = _parse(folder, contents).config
    try:
        agent = make_agent(config, device=device)
    except (KeyError, TypeError, ValueError, RuntimeError, FrameError) as error:
        raise RunFolderError(
            f"expected an agent of this version in {folder / CONFIG}, got one that cannot be made ({error!r}); "
            "use the perma_agent version that wrote it"
        ) from error
    try:
        tensors = NamedTensors(tensors_from_bytes(contents[POLICY]), source=str(folder / POLICY))
    except (SafetensorError, KeyError, ValueError) as error:
        raise RunFolderError(f"expected safetensors in {folder / POLICY}, got: {error}; restore it") from error
    state = agent.policy.state_dict()
    saved = {name: tensors.take(name, like=state[name]) for name in _first_names(state).values()}
    places = _first_names(state)
    agent.policy.load_state_dict({name: saved[places[value.data_ptr()]] for name, value in state.items()})
    _restore_adam(agent.policy.optimizer, tensors)
    tensors.finish()
    return agent


def read_bundle(folder: str | Path) -> BundleContent:
    """What a bundle says of its agent; all of it is checked, and no agent is made.

    Raises:
        RunFolderError: as `load_bundle`.
    """
    folder = Path(folder)
    return _parse(folder, _contents(folder))


def is_bundle(folder: str | Path) -> bool:
    """Whether a folder looks like a bundle; its files are not checked."""
    return (Path(folder) / POLICY).is_file()


def _contents(folder: Path) -> dict[str, bytes]:
    if not is_bundle(folder):
        got = f"{folder} without {POLICY}" if folder.is_dir() else f"no folder at {folder}"
        raise RunFolderError(
            f"expected the folder of an agent, got {got}; give the one that `perma-agent train` or save_bundle wrote"
        )
    return read_files(folder, (CONFIG, POLICY))


def _parse(folder: Path, contents: Mapping[str, bytes]) -> BundleContent:
    try:
        plain = json.loads(contents[CONFIG])
        agent, extra = plain["agent"], dict(plain["extra"])
    except (ValueError, TypeError, KeyError) as error:
        raise RunFolderError(f"expected an agent in {folder / CONFIG}, got another file; restore it") from error
    return BundleContent(config=from_json(AgentConfig, agent, where=f"agent in {folder / CONFIG}"), extra=extra)


def _first_names(state: Mapping[str, Tensor]) -> dict[int, str]:
    """Place in memory → the first name of the tensor there: actor and critic share an encoder under three names."""
    names: dict[int, str] = {}
    for name, value in state.items():
        names.setdefault(value.data_ptr(), name)
    return names


def _restore_adam(optimizer: torch.optim.Optimizer, tensors: NamedTensors) -> None:
    plain = optimizer.state_dict()
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    for index, parameter in enumerate(parameters):
        names = tensors.names(f"adam.{index}.")
        likes = {"step": torch.zeros(()), "exp_avg": parameter.detach(), "exp_avg_sq": parameter.detach()}
        if names:
            plain["state"][index] = {key: tensors.take(f"adam.{index}.{key}", like=like) for key, like in likes.items()}
    optimizer.load_state_dict(plain)
