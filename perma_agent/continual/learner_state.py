"""Learner state: all that makes a learner's next update what it is, as JSON values and named tensors, and back."""

from __future__ import annotations

import copy
from dataclasses import fields
from typing import Any

import torch
from torch import Tensor

from perma_agent.continual.environment_record import EnvironmentRecord
from perma_agent.continual.latent_mask import Marginal
from perma_agent.continual.learner import Learner
from perma_agent.continual.snapshot import Snapshot
from perma_agent.errors import RunFolderError

_SETTINGS = ("latents", "max_environments", "config", "mask_config", "records")  # of EnvironmentInference


class NamedTensors:
    """Tensors to be taken one by one, each checked for shape and dtype, none left over.

    Args:
        tensors: by name.
        source: what to call their origin in an error.
    """

    def __init__(self, tensors: dict[str, Tensor], *, source: str) -> None:
        self._left = dict(tensors)
        self._source = source

    def take(self, name: str, *, like: Tensor) -> Tensor:
        """The tensor `name`.

        Raises:
            RunFolderError: it is missing, or has another shape or dtype than `like`.
        """
        found = self._left.pop(name, None)
        if found is None or found.shape != like.shape or found.dtype != like.dtype:
            raise RunFolderError(
                f"expected {name} of {_describe(like)} in {self._source}, as its configuration says, got "
                f"{'none' if found is None else _describe(found)}; the files come from different runs or versions"
            )
        return found

    def take_any(self, name: str) -> Tensor:
        """The tensor `name`, whatever its shape and dtype.

        Raises:
            RunFolderError: it is missing.
        """
        if name not in self._left:
            raise RunFolderError(
                f"expected {name} in {self._source}, got none; the files come from different runs or versions"
            )
        return self._left.pop(name)

    def names(self, prefix: str) -> list[str]:
        """Names of what is left that begin with `prefix`."""
        return [name for name in self._left if name.startswith(prefix)]

    def length(self, name: str) -> int:
        """First axis of the tensor `name`, 0 where there is none."""
        found = self._left.get(name)
        return 0 if found is None or found.ndim == 0 else len(found)

    def finish(self) -> None:
        """Say that no more is needed.

        Raises:
            RunFolderError: some tensors were not taken.
        """
        if self._left:
            raise RunFolderError(
                f"expected nothing else in {self._source}, got {', '.join(sorted(self._left)[:3])}; "
                "the files come from different runs or versions"
            )


def state_of(learner: Learner) -> dict[str, Any]:
    """Its numbers, as JSON values."""
    return {
        "counters": {name: getattr(learner, name) for name in _counters(learner)},
        "inference": {name: getattr(learner.inference, name) for name in _cursor(learner)},
        "records": [_numbers(record) for record in learner.inference.records],
        "snapshot": None if learner.snapshot is None else list(learner.snapshot.marginals),
    }


def tensors_of(learner: Learner) -> dict[str, Tensor]:
    """Its tensors by name, all but the model's parameters."""
    tensors = {"generator": learner.generator.get_state()}
    for index, record in enumerate(learner.inference.records):
        tensors |= {f"records.{index}.{name}": value for name, value in _tensors(record).items()}
    if learner.snapshot is not None:
        tensors |= {f"snapshot.model.{name}": value for name, value in learner.snapshot.model.state_dict().items()}
        for index, marginal in learner.snapshot.marginals.items():
            tensors |= {f"snapshot.marginals.{index}.{name}": value for name, value in _tensors(marginal).items()}
    for name, parameter in learner.model.named_parameters():
        state = learner.optimizer.state.get(parameter, {})  # empty until the parameter has had a gradient
        tensors |= {f"optimizer.{name}.{key}": value for key, value in state.items()}
    if learner._last is not None:
        tensors["last.frames"], tensors["last.means"] = learner._last
    return tensors


def restore(learner: Learner, state: dict[str, Any], tensors: NamedTensors) -> None:
    """Put a fresh learner, whose model holds the saved parameters, into the state that was saved.

    Raises:
        RunFolderError: tensors do not fit the learner's configuration.
        KeyError, TypeError, ValueError, AttributeError: `state` does not fit this version.
    """
    inference = learner.inference
    for name in _counters(learner):
        setattr(learner, name, _like(getattr(learner, name), state["counters"][name]))
    _restore_generator(learner, tensors)
    for name in _cursor(learner):
        setattr(inference, name, None if state["inference"][name] is None else _like(0, state["inference"][name]))
    inference.records = [_record(learner, index, numbers, tensors) for index, numbers in enumerate(state["records"])]
    known = len(inference.records)
    if known > inference.max_environments or inference.current not in (None, *range(known)):
        raise ValueError(f"environment {inference.current} of {known}, at most {inference.max_environments}")
    if state["snapshot"] is not None:
        learner.snapshot = _snapshot(learner, state["snapshot"], tensors)
    _restore_optimizer(learner, tensors)
    _restore_last(learner, tensors)
    tensors.finish()


def _counters(learner: Learner) -> list[str]:
    """The learner's numbers: its step, and whatever else it counts or keeps a running mean of."""
    return [name for name, value in vars(learner).items() if type(value) in (int, float)]


def _cursor(learner: Learner) -> list[str]:
    """Where the inference stands: the fields that are neither settings nor records."""
    return [field.name for field in fields(learner.inference) if field.name not in _SETTINGS]


def _tensors(record: EnvironmentRecord | Marginal) -> dict[str, Tensor]:
    values = {field.name: getattr(record, field.name) for field in fields(record)}
    return {name: value for name, value in values.items() if isinstance(value, Tensor)}


def _numbers(record: EnvironmentRecord) -> dict[str, Any]:
    names = [field.name for field in fields(record) if field.name not in _tensors(record)]
    return {name: getattr(record, name) for name in names}


def _record(learner: Learner, index: int, numbers: dict[str, Any], tensors: NamedTensors) -> EnvironmentRecord:
    record = EnvironmentRecord.new(learner.model.config.latents)
    for name, value in _tensors(record).items():
        setattr(record, name, tensors.take(f"records.{index}.{name}", like=value))
    for name, value in _numbers(record).items():
        setattr(record, name, _like(value, numbers[name]))
    if len(numbers) != len(_numbers(record)):
        raise ValueError(f"numbers of record {index} are {sorted(numbers)}")
    return record


def _restore_generator(learner: Learner, tensors: NamedTensors) -> None:
    saved = tensors.take("generator", like=learner.generator.get_state())
    try:
        learner.generator.set_state(saved)
    except RuntimeError as error:
        raise ValueError(f"random state: {error}") from error


def _snapshot(learner: Learner, environments: list[int], tensors: NamedTensors) -> Snapshot:
    teacher = copy.deepcopy(learner.model).eval().requires_grad_(False)
    for name, value in teacher.state_dict().items():
        value.copy_(tensors.take(f"snapshot.model.{name}", like=value))
    marginals = {}
    for index in environments:
        if index not in range(len(learner.inference.records)):
            raise ValueError(f"snapshot of environments {environments}")
        like = _tensors(learner.inference.records[index].marginal)
        taken = {name: tensors.take(f"snapshot.marginals.{index}.{name}", like=value) for name, value in like.items()}
        marginals[index] = Marginal(**taken)
    return Snapshot(teacher, marginals)


def _restore_optimizer(learner: Learner, tensors: NamedTensors) -> None:
    plain = learner.optimizer.state_dict()
    held = [parameter for group in learner.optimizer.param_groups for parameter in group["params"]]
    places = {parameter: index for index, parameter in enumerate(held)}
    for name, parameter in learner.model.named_parameters():
        prefix = f"optimizer.{name}."
        state: dict[str, Tensor] = {}
        for key in (full.removeprefix(prefix) for full in tensors.names(prefix)):
            if key == "step":
                state[key] = tensors.take(prefix + key, like=torch.zeros(()))
            else:  # in the parameter's own memory layout, so that updates round alike
                empty = torch.empty_like(parameter.detach())
                state[key] = empty.copy_(tensors.take(prefix + key, like=empty))
        if state and set(state) != {"step", "exp_avg", "exp_avg_sq"}:
            raise ValueError(f"optimiser state of {name} is {sorted(state)}")
        if state:
            plain["state"][places[parameter]] = state
    learner.optimizer.load_state_dict(plain)


def _restore_last(learner: Learner, tensors: NamedTensors) -> None:
    count, config = tensors.length("last.frames"), learner.model.config
    if not count:
        return
    side = config.image_size
    frames = tensors.take("last.frames", like=torch.empty(count, config.channels, side, side))
    means = tensors.take("last.means", like=torch.empty(count, config.latents))
    device = learner.device
    learner._last = (frames.to(device).contiguous(memory_format=torch.channels_last), means.to(device))


def _like(value: Any, plain: Any) -> Any:
    """`plain`, if it is of the type of `value`; a whole number may stand for a float."""
    if type(plain) is type(value) or (type(value) is float and type(plain) is int):
        return plain
    raise TypeError(f"{type(value).__name__} expected, got {plain!r}")


def _describe(tensor: Tensor) -> str:
    return f"{str(tensor.dtype).removeprefix('torch.')} {list(tensor.shape)}"
