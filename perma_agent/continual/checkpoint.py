"""Checkpoint: a learner as a run folder of JSON and safetensors, resumed bit for bit; no pickle is written or read.

| file                  | holds                                                                              |
|-----------------------|------------------------------------------------------------------------------------|
| `config.json`         | `VASEConfig` and `LearnerConfig`                                                   |
| `model.safetensors`   | the parameters of VASE                                                             |
| `learner.safetensors` | optimiser, snapshot, what is remembered of environments, random state, last frames |
| `state.json`          | step, present and pending environment, records' numbers, what the caller adds      |
| `manifest.json`       | size and SHA-256 of each; `continual.run_folder` tells how all change at once      |
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import torch
from safetensors import SafetensorError
from safetensors.torch import load as tensors_from_bytes
from safetensors.torch import save as tensors_to_bytes
from torch import Tensor

from perma_agent.continual.config_json import from_json, to_json
from perma_agent.continual.learner import Learner, LearnerConfig
from perma_agent.continual.learner_state import NamedTensors, restore, state_of, tensors_of
from perma_agent.continual.run_folder import read_files, write_files
from perma_agent.errors import RunFolderError
from perma_agent.models import VASE, VASEConfig

FILES = ("config.json", "model.safetensors", "learner.safetensors", "state.json")
"""What a run folder holds beside its manifest."""

T = TypeVar("T")


@dataclass(frozen=True)
class SavedModel:
    """A VASE out of a run folder, to look through and not to train."""

    model: VASE
    """In evaluation mode, its parameters without gradient."""
    mask: Tensor
    """a^s of the present environment, bool, shape `[D]`."""
    environment: int | None
    """s of the present environment, None if the model has not seen any."""
    step: int
    """Batches that the learner had seen."""


def save_run(learner: Learner, folder: str | Path, *, extra: Mapping[str, Any] | None = None) -> None:
    """Write the learner into a run folder, whole or not at all; other files there are left alone.

    Args:
        learner: between two updates.
        folder: made if missing; a checkpoint already there is replaced.
        extra: JSON values to keep beside (provenance, history); `load_extra` gives them back.

    Raises:
        RunFolderError: the folder is not ours to write to, or cannot be written; what was there is intact.
        TypeError: `extra` holds something that is no JSON value.
    """
    config = {"model": to_json(learner.model.config), "learner": to_json(learner.config)}
    contents = {
        "config.json": _json_bytes(config),
        "model.safetensors": _tensor_bytes(learner.model.state_dict()),
        "learner.safetensors": _tensor_bytes(tensors_of(learner)),
        "state.json": _json_bytes({**state_of(learner), "extra": dict(extra or {})}),
    }
    write_files(folder, contents)


def load_learner(folder: str | Path, *, device: str | torch.device = "cpu") -> Learner:
    """The learner as it was saved: its next updates equal those it would have made (same device, same processor).

    Args:
        folder: a run folder.
        device: where to put the model.

    Raises:
        RunFolderError: a file is missing, truncated, altered, of another version, or does not fit the others.
    """
    folder = Path(folder)
    contents = read_files(folder, FILES)
    model = _model(folder, contents).to(device)
    learner = Learner(model, _config(folder, contents, part="learner", kind=LearnerConfig))
    tensors = _tensors(folder, contents, name="learner.safetensors")
    try:
        restore(learner, _json(folder, contents, name="state.json"), tensors)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise RunFolderError(
            f"expected the state of this version's learner in {folder / 'state.json'}, got one that does not fit "
            f"({error!r}); use the perma_agent version that wrote it"
        ) from error
    return learner


def load_model(folder: str | Path, *, device: str | torch.device = "cpu") -> SavedModel:
    """The model of a run folder for inference, with the mask of its present environment.

    Args:
        folder: a run folder; all of it is checked.
        device: where to put model and mask.

    Raises:
        RunFolderError: as `load_learner`.
    """
    learner = load_learner(folder, device=device)
    model = learner.model.eval().requires_grad_(False)
    return SavedModel(model, learner.mask.to(device), learner.environment, learner.step)


def load_extra(folder: str | Path) -> dict[str, Any]:
    """What the caller of `save_run` added.

    Raises:
        RunFolderError: a file is missing, truncated, altered or of another version.
    """
    folder = Path(folder)
    extra = _json(folder, read_files(folder, FILES), name="state.json").get("extra")
    if not isinstance(extra, dict):
        raise RunFolderError(f"expected `extra` in {folder / 'state.json'}, got none; use the version that wrote it")
    return extra


def _model(folder: Path, contents: Mapping[str, bytes]) -> VASE:
    config = _config(folder, contents, part="model", kind=VASEConfig)
    tensors = _tensors(folder, contents, name="model.safetensors")
    try:
        with torch.device("meta"):  # shapes only: nothing is allocated for sizes that the tensors do not bear out
            model = VASE(config)
    except (RuntimeError, TypeError) as error:
        raise RunFolderError(f"expected sizes that fit a machine in {folder / 'config.json'}, got {config}") from error
    state = {name: tensors.take(name, like=value) for name, value in model.state_dict().items()}
    tensors.finish()
    model.load_state_dict(state, assign=True)
    return model


def _config(folder: Path, contents: Mapping[str, bytes], *, part: str, kind: type[T]) -> T:
    plain = _json(folder, contents, name="config.json").get(part)
    return from_json(kind, plain, where=f"{part} in {folder / 'config.json'}")


def _json(folder: Path, contents: Mapping[str, bytes], *, name: str) -> dict[str, Any]:
    try:
        plain = json.loads(contents[name])
    except (ValueError, RecursionError) as error:
        raise RunFolderError(f"expected JSON in {folder / name}, got: {error}; restore it from a copy") from error
    if not isinstance(plain, dict):
        raise RunFolderError(f"expected a JSON object in {folder / name}, got a {type(plain).__name__}; restore it")
    return plain


def _tensors(folder: Path, contents: Mapping[str, bytes], *, name: str) -> NamedTensors:
    try:
        tensors: dict[str, Tensor] = tensors_from_bytes(contents[name])
    except (SafetensorError, KeyError, ValueError) as error:
        raise RunFolderError(f"expected safetensors in {folder / name}, got: {error}; restore it") from error
    return NamedTensors(tensors, source=str(folder / name))


def _json_bytes(plain: Mapping[str, Any]) -> bytes:
    return (json.dumps(plain, indent=2) + "\n").encode()


def _tensor_bytes(tensors: Mapping[str, Tensor]) -> bytes:
    plain = {name: value.detach().to("cpu", copy=True).contiguous() for name, value in tensors.items()}
    content: bytes = tensors_to_bytes(plain)
    return content
