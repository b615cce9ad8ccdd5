"""Bundle: an agent and what belongs to it, as JSON and safetensors, read back without a pickle.

| file                     | holds                                                                                   |
|--------------------------|-----------------------------------------------------------------------------------------|
| `config.json`            | `AgentConfig`, the levels and their arguments, and what the caller adds                 |
| `policy.safetensors`     | weights of the policy and of the encoder within, state of its optimisers                |
| `normalisers.json`       | what VecEnv wrappers learnt: VecNormalize's statistics, an intrinsic reward's networks  |
| `normalisers.safetensors`| the arrays of these                                                                     |
| `manifest.json`          | size and SHA-256 of each; `continual.run_folder` changes all at once                    |
| `vase/`                  | run folder of the whole VASE and its learner, if one was given                          |

Replay buffers of off-policy algorithms are not part of it: their millions of frames are data, not the agent.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load as tensors_from_bytes
from safetensors.torch import save as tensors_to_bytes
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.vec_env import VecEnv

from perma_agent.continual import Learner
from perma_agent.continual.checkpoint import save_run
from perma_agent.continual.config_json import from_json, to_json
from perma_agent.continual.learner_state import NamedTensors
from perma_agent.continual.run_folder import read_files, write_files
from perma_agent.errors import FrameError, RunFolderError
from perma_agent.sb3.saving.agent_config import AgentConfig, config_of, make_agent
from perma_agent.sb3.saving.agent_tensors import restore_agent_tensors, tensors_of_agent
from perma_agent.sb3.saving.normalisers import Normalisers, levels_of, put_normalisers, take_normalisers
from perma_agent.sb3.state.plain_state import join_state, split_state

CONFIG, POLICY = "config.json", "policy.safetensors"
NORMALISERS, NORMALISER_ARRAYS = "normalisers.json", "normalisers.safetensors"
FILES = (CONFIG, POLICY, NORMALISERS, NORMALISER_ARRAYS)
VASE = "vase"
"""Folder within a bundle that holds the whole VASE."""


@dataclass(frozen=True, kw_only=True)
class BundleContent:
    """What a bundle says of its agent."""

    config: AgentConfig
    """What it is made of."""
    levels: Sequence[Mapping[str, Any]]
    """Each level it learnt on last, once: its `id` and `arguments`, as far as they could be asked for."""
    normalisers: Sequence[str]
    """Kinds of the VecEnv wrappers whose statistics are kept, the outermost first."""
    extra: Mapping[str, Any]
    """What the caller of `save_bundle` added."""


def save_bundle(
    agent: BaseAlgorithm,
    folder: str | Path,
    *,
    extra: Mapping[str, Any] | None = None,
    learner: Learner | None = None,
) -> None:
    """Write an agent into a folder, whole or not at all; other files there are left alone.

    Args:
        agent: PPO, A2C, DQN, SAC, TD3, or sb3-contrib's RecurrentPPO or QR-DQN, between two updates. If it still has
            its levels, their arguments and what VecEnv wrappers learnt come along.
        folder: made if missing; a bundle already there is replaced.
        extra: JSON values to keep beside, e.g. who trained it.
        learner: of the VASE, e.g. `ContinualVASECallback.learner`, to be kept beside in `vase/`; the policy's own
            encoder is in the bundle anyway.

    Raises:
        ValueError: the agent has a part that only code could make again, e.g. a schedule of the caller's own; nothing
            is written.
        RunFolderError: the folder is not ours to write to, or cannot be written; what was there is intact.
        TypeError: `extra` holds something that is no JSON value.
    """
    if learner is not None:
        config_of(agent)  # what cannot be written is refused before anything is
        save_run(learner, Path(folder) / VASE)
    write_files(folder, bundle_contents(agent, extra=extra))


def bundle_contents(
    agent: BaseAlgorithm, *, extra: Mapping[str, Any] | None = None, timesteps: int | None = None
) -> dict[str, bytes]:
    """The files of a bundle, by name.

    Args:
        agent: as for `save_bundle`.
        extra: likewise.
        timesteps: to write down instead of the agent's own, should a rollout be under way that does not count.

    Raises:
        ValueError, TypeError: as `save_bundle`.
    """
    made, venv = config_of(agent), agent.env
    config = {
        "agent": to_json(made if timesteps is None else replace(made, timesteps=timesteps)),
        "levels": [] if venv is None else levels_of(venv),
        "extra": dict(extra or {}),
    }
    plain, arrays = split_state([] if venv is None else take_normalisers(venv), name="normalisers")
    return {
        CONFIG: (json.dumps(config, indent=2) + "\n").encode(),
        POLICY: tensors_to_bytes(tensors_of_agent(agent)),
        NORMALISERS: (json.dumps(plain, indent=2) + "\n").encode(),
        NORMALISER_ARRAYS: tensors_to_bytes(arrays),
    }


def load_bundle(folder: str | Path, *, device: str | torch.device = "cpu") -> BaseAlgorithm:
    """The agent that was saved, to act at once, or to learn on after `set_env`.

    Its random numbers begin anew, and its levels where they are: learning on is not bit for bit what it would have
    been; `sb3.checkpoints` is for that. Statistics of a VecNormalize are given to one by `restore_normalisers`.

    Args:
        folder: that `save_bundle` wrote; nothing else is needed.
        device: where to put the policy.

    Returns:
        An agent of the class that was saved.

    Raises:
        RunFolderError: a file is missing, truncated, altered, of another version, or does not fit the others.
    """
    folder = Path(folder)
    contents = _contents(folder)
    config = _parse(folder, contents).config
    try:
        agent = make_agent(config, device=device)
    except (AssertionError, AttributeError, KeyError, TypeError, ValueError, RuntimeError, FrameError) as error:
        raise RunFolderError(
            f"expected an agent of this version in {folder / CONFIG}, got one that cannot be made ({error!r}); "
            "use the perma_agent version that wrote it"
        ) from error
    restore_agent_tensors(agent, _tensors(folder, contents, POLICY))
    return agent


def read_bundle(folder: str | Path) -> BundleContent:
    """What a bundle says of its agent; all of it is checked, and no agent is made.

    Raises:
        RunFolderError: as `load_bundle`.
    """
    folder = Path(folder)
    return _parse(folder, _contents(folder))


def restore_normalisers(folder: str | Path, venv: VecEnv) -> None:
    """Give VecEnv wrappers what those of the same kind had learnt when a bundle was saved.

    Args:
        folder: of the bundle.
        venv: with the same VecNormalize, intrinsic reward, ... round it, in the same order.

    Raises:
        RunFolderError: the bundle is damaged, or its wrappers are of other kinds.
    """
    folder = Path(folder)
    put_normalisers(venv, _normalisers(folder, _contents(folder)))


def read_weights(folder: str | Path) -> NamedTensors:
    """The tensors of a bundle, or of a folder with nothing but these; all of it is checked.

    Raises:
        RunFolderError: as `load_bundle`.
    """
    folder = Path(folder)
    contents = _contents(folder) if (folder / CONFIG).exists() else read_files(folder, (POLICY,))
    return _tensors(folder, contents, POLICY)


def is_bundle(folder: str | Path) -> bool:
    """Whether a folder looks like a bundle; its files are not checked."""
    return (Path(folder) / POLICY).is_file()


def _contents(folder: Path) -> dict[str, bytes]:
    if not is_bundle(folder):
        got = f"{folder} without {POLICY}" if folder.is_dir() else f"no folder at {folder}"
        raise RunFolderError(
            f"expected the folder of an agent, got {got}; give the one that `perma-agent train` or save_bundle wrote"
        )
    return read_files(folder, FILES)


def _parse(folder: Path, contents: Mapping[str, bytes]) -> BundleContent:
    try:
        plain = json.loads(contents[CONFIG])
        agent, levels, extra = plain["agent"], list(plain["levels"]), dict(plain["extra"])
    except (ValueError, TypeError, KeyError) as error:
        raise RunFolderError(f"expected an agent in {folder / CONFIG}, got another file; restore it") from error
    return BundleContent(
        config=from_json(AgentConfig, agent, where=f"agent in {folder / CONFIG}"),
        levels=levels,
        normalisers=[kind for kind, _ in _normalisers(folder, contents)],
        extra=extra,
    )


def _normalisers(folder: Path, contents: Mapping[str, bytes]) -> Normalisers:
    try:
        plain = json.loads(contents[NORMALISERS])
        arrays = _tensors(folder, contents, NORMALISER_ARRAYS)
        return [(str(kind), state) for kind, state in join_state(plain, arrays)]
    except (ValueError, TypeError) as error:
        raise RunFolderError(f"expected statistics in {folder / NORMALISERS}, got others; restore it") from error


def _tensors(folder: Path, contents: Mapping[str, bytes], name: str) -> NamedTensors:
    try:
        return NamedTensors(tensors_from_bytes(contents[name]), source=str(folder / name))
    except (SafetensorError, KeyError, ValueError) as error:
        raise RunFolderError(f"expected safetensors in {folder / name}, got: {error}; restore it") from error
