"""Agent tensors: weights of a policy and state of its optimisers under one name each, and back."""

from __future__ import annotations

from collections.abc import Mapping
from operator import attrgetter
from typing import Any

import torch
from stable_baselines3.common.base_class import BaseAlgorithm
from torch import Tensor

from perma_agent.continual.learner_state import NamedTensors


def tensors_of_agent(agent: BaseAlgorithm) -> dict[str, Tensor]:
    """All that SB3 would put into its own zip as tensors.

    Args:
        agent: any; each tensor is taken once, although actor and critic may have it under several names.

    Returns:
        `<module>:<name in it>`, e.g. `policy:action_net.weight`; `<optimiser>:<parameter>.<name>`; `:<variable>`.
    """
    modules, variables = agent._get_torch_save_params()
    tensors: dict[str, Tensor] = {f":{name}": attrgetter(name)(agent) for name in variables}
    for name in modules:
        part = attrgetter(name)(agent)
        if isinstance(part, torch.optim.Optimizer):
            for index, values in part.state_dict()["state"].items():
                tensors |= {f"{name}:{index}.{key}": torch.as_tensor(value) for key, value in values.items()}
        else:
            state = part.state_dict()
            tensors |= {f"{name}:{first}": state[first] for first in _first_names(state).values()}
    return {name: value.detach().to("cpu", copy=True).contiguous() for name, value in tensors.items()}


def restore_agent_tensors(agent: BaseAlgorithm, tensors: NamedTensors) -> None:
    """Give an agent the weights and moments of another of the same configuration.

    Raises:
        RunFolderError: tensors are missing, of another shape, or left over.
    """
    modules, variables = agent._get_torch_save_params()
    for name in variables:
        held: Tensor = attrgetter(name)(agent)
        held.data.copy_(tensors.take(f":{name}", like=held.detach()))
    for name in modules:
        part = attrgetter(name)(agent)
        if isinstance(part, torch.optim.Optimizer):
            _restore_optimizer(part, tensors, name=name)
        else:
            state = part.state_dict()
            places = _first_names(state)
            saved = {first: tensors.take(f"{name}:{first}", like=state[first]) for first in places.values()}
            part.load_state_dict({alias: saved[places[_place(alias, value)]] for alias, value in state.items()})
    tensors.finish()


def _place(name: str, value: Tensor) -> Any:
    return (value.data_ptr(), value.shape) if value.numel() else name  # empty ones are all at the same place


def _first_names(state: Mapping[str, Tensor]) -> dict[Any, str]:
    """Place in memory → the first name of the tensor there: actor and critic share an encoder under three names."""
    names: dict[Any, str] = {}
    for name, value in state.items():
        names.setdefault(_place(name, value), name)
    return names


def _restore_optimizer(optimizer: torch.optim.Optimizer, tensors: NamedTensors, *, name: str) -> None:
    plain = optimizer.state_dict()
    plain["state"] = {}
    held = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    for index, parameter in enumerate(held):
        prefix = f"{name}:{index}."
        for key in (full.removeprefix(prefix) for full in tensors.names(prefix)):
            plain["state"].setdefault(index, {})[key] = _moment(tensors, prefix + key, like=parameter.detach())
    optimizer.load_state_dict(plain)


def _moment(tensors: NamedTensors, name: str, *, like: Tensor) -> Tensor | int:
    """Part of an optimiser's state: a count, or in the parameter's own memory layout, so that updates round alike."""
    if tensors.length(name) == 0 and like.ndim:
        count = tensors.take_any(name)
        return int(count) if count.dtype == torch.int64 else count
    empty = torch.empty_like(like)
    return empty.copy_(tensors.take(name, like=empty))
