"""Checkpoint: an on-policy agent between two rollouts, so whole that another process goes on bit for bit.

| part     | holds                                                                                                  |
|----------|--------------------------------------------------------------------------------------------------------|
| `agent/` | a bundle; of an agent that only code can make again, its weights alone                                  |
| `vase/`  | run folder of the learner behind a `ContinualVASECallback`, if there is one                             |
| `run/`   | random generators, episodes under way, counts, VecEnv wrappers, callbacks: `state.json`, `.safetensors` |
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load as tensors_from_bytes
from safetensors.torch import save as tensors_to_bytes
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.callbacks import BaseCallback

from perma_agent.continual import Learner
from perma_agent.continual.checkpoint import load_learner, save_run
from perma_agent.continual.config_json import to_json
from perma_agent.continual.learner_state import NamedTensors
from perma_agent.continual.run_folder import read_files, write_files
from perma_agent.errors import RunFolderError
from perma_agent.sb3.learning.continual_callback import ContinualVASECallback
from perma_agent.sb3.learning.continual_state import continual_state, restore_continual
from perma_agent.sb3.saving.agent_config import config_of
from perma_agent.sb3.saving.agent_tensors import restore_agent_tensors, tensors_of_agent
from perma_agent.sb3.saving.bundle import POLICY, bundle_contents, read_weights
from perma_agent.sb3.state.agent_state import agent_state, mean_return, restore_agent, settle
from perma_agent.sb3.state.callback_state import callbacks_within
from perma_agent.sb3.state.plain_state import join_state, split_state

AGENT, VASE, RUN = "agent", "vase", "run"
STATE, ARRAYS = "state.json", "state.safetensors"
_MISFITS = (AttributeError, IndexError, KeyError, TypeError, ValueError, RuntimeError)


@dataclass(frozen=True)
class Checkpoint:
    """What was read from a checkpoint, every byte checked."""

    folder: Path
    """Where from."""
    weights: NamedTensors
    """Of the policy and its optimisers."""
    learner: Learner | None
    """Of the VASE, if there was a `ContinualVASECallback`."""
    state: Mapping[str, Any]
    """The rest."""

    @property
    def timesteps(self) -> int:
        """Steps that the agent had been trained for."""
        return int(self.state["agent"]["counts"]["num_timesteps"])


def save_checkpoint(
    agent: BaseAlgorithm,
    folder: str | Path,
    *,
    callback: BaseCallback | Sequence[BaseCallback] | None = None,
    state: Mapping[str, Any] | None = None,
) -> None:
    """Write an agent into a new folder, to be taken up by `resume_checkpoint`.

    `ResumableTraining` does it by itself, whole or not at all, and keeps several; this is the part of it that may be
    called between two calls of `learn`.

    Args:
        agent: PPO, A2C or RecurrentPPO between two rollouts, its levels wrapped in `ReplayableLevel`.
        folder: new.
        callback: what `learn` was given.
        state: what `agent_state` gave as the rollout began, should one be under way.

    Raises:
        ValueError: the agent is of another kind, or its levels cannot be taken up again.
        RunFolderError: the folder cannot be written.
    """
    folder, callbacks = Path(folder), all_callbacks(callback)
    continual = _continual_in(callbacks)
    state = agent_state(agent, callbacks) if state is None else state
    whole = {
        "agent": state,
        "continual": None if continual is None else continual_state(continual),
        "identity": identity_of(agent),
    }
    plain, arrays = split_state(whole)
    plain["mean_return"] = mean_return(state)
    try:
        bundle = bundle_contents(agent, timesteps=int(state["counts"]["num_timesteps"]))
    except ValueError:  # it takes the caller's code to make it again, which a resumed script has
        bundle = {POLICY: tensors_to_bytes(tensors_of_agent(agent))}
    write_files(folder / AGENT, bundle)
    if continual is not None:
        save_run(continual.learner, folder / VASE)
    write_files(folder / RUN, {STATE: (json.dumps(plain) + "\n").encode(), ARRAYS: tensors_to_bytes(arrays)})


def read_checkpoint(folder: str | Path, *, device: Any = "cpu") -> Checkpoint:
    """Read a checkpoint, and check all of it, before anything of an agent is changed.

    Raises:
        RunFolderError: a file is missing, truncated, altered, or of another version.
    """
    folder = Path(folder)
    contents = read_files(folder / RUN, (STATE, ARRAYS))
    try:
        plain = json.loads(contents[STATE])
        arrays = NamedTensors(tensors_from_bytes(contents[ARRAYS]), source=str(folder / RUN / ARRAYS))
        state = join_state(plain, arrays)
        learner = None if state["continual"] is None else load_learner(folder / VASE, device=device)
        weights = read_weights(folder / AGENT)
        return Checkpoint(folder, weights, learner, state)
    except (SafetensorError, *_MISFITS) as error:
        raise RunFolderError(
            f"expected a checkpoint of this version in {folder}, got one that does not fit ({error!r}); use the "
            "perma_agent version that wrote it"
        ) from error


def resume_checkpoint(
    agent: BaseAlgorithm,
    folder: str | Path,
    *,
    callback: BaseCallback | Sequence[BaseCallback] | None = None,
) -> None:
    """Put a fresh agent, made as the saved one was, into the state that was saved.

    Args:
        agent: of the same settings, with the same levels.
        folder: from `save_checkpoint`.
        callback: as it was given there; bound to the agent by now, as it is within `learn`.

    Raises:
        RunFolderError: the checkpoint is damaged, or the agent, its levels or callbacks are not as they were.
        LevelError: a level came out differently.
    """
    restore(agent, read_checkpoint(folder, device=agent.device), all_callbacks(callback))


def restore(agent: BaseAlgorithm, checkpoint: Checkpoint, callbacks: Sequence[BaseCallback]) -> None:
    """`resume_checkpoint` with what was read."""
    found, saved = identity_of(agent), checkpoint.state["identity"]
    if found != saved:
        changed = [name for name in found if found[name] != saved.get(name)]
        raise RunFolderError(
            f"expected the agent of {checkpoint.folder}, got another {', '.join(changed)}; start the same command "
            "again, or begin anew in another folder"
        )
    continual = _continual_in(callbacks)
    if (continual is None) != (checkpoint.learner is None):
        raise RunFolderError(f"expected a ContinualVASECallback as in {checkpoint.folder}, or none; give the same ones")
    try:
        restore_agent_tensors(agent, checkpoint.weights)
        restore_agent(agent, checkpoint.state["agent"], callbacks)
        _restore_learner(checkpoint, continual)
    except _MISFITS as error:
        raise RunFolderError(
            f"expected the state of this version's agent in {checkpoint.folder}, got one that does not fit "
            f"({error!r}); use the perma_agent version that wrote it"
        ) from error


def settle_checkpoint(agent: BaseAlgorithm, checkpoint: Checkpoint, callbacks: Sequence[BaseCallback]) -> None:
    """Just before the first step: undo what the callbacks' own beginnings and SB3 did since `restore`."""
    settle(agent, checkpoint.state["agent"], callbacks)
    _restore_learner(checkpoint, _continual_in(callbacks))


def all_callbacks(callback: BaseCallback | Sequence[BaseCallback] | None) -> list[BaseCallback]:
    """What `learn` was given and all within, without the lists that SB3 makes of it."""
    given = callback if isinstance(callback, list | tuple) else [callback]
    found = [each for part in given for each in callbacks_within(part)]  # type: ignore[arg-type]  # a Sequence is a list
    return [each for each in found if type(each).__name__ != "CallbackList"]


def identity_of(agent: BaseAlgorithm) -> dict[str, Any]:
    """What must be the same for an agent to be taken up."""
    identity: dict[str, Any] = {
        "algorithm": type(agent).__name__,
        "seed": agent.seed,
        "number of copies": agent.n_envs,
        "observation space": str(agent.observation_space),
        "action space": str(agent.action_space),
    }
    try:
        config = to_json(config_of(agent))
    except ValueError:  # only code could make it again, so only the caller can tell
        return identity
    return identity | {"policy": config["policy"], "VASE": config["extractor"], "settings": config["settings"]}


def _continual_in(callbacks: Sequence[BaseCallback]) -> ContinualVASECallback | None:
    found = [callback for callback in callbacks if isinstance(callback, ContinualVASECallback)]
    if len(found) > 1:
        raise ValueError(f"expected one ContinualVASECallback at most, got {len(found)}")
    return found[0] if found else None


def _restore_learner(checkpoint: Checkpoint, continual: ContinualVASECallback | None) -> None:
    if continual is not None and checkpoint.learner is not None:
        restore_continual(continual, checkpoint.state["continual"], learner=checkpoint.learner)
