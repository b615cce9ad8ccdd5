"""Optimizer state: what Adam remembers of each parameter, as a list in the order of the parameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor


def optimizer_state(optimizer: torch.optim.Optimizer) -> list[dict[str, Tensor]]:
    """Tensors by name for each parameter; empty before its first step."""
    return [dict(optimizer.state.get(parameter, {})) for parameter in _parameters(optimizer)]


def restore_optimizer(optimizer: torch.optim.Optimizer, state: Sequence[Mapping[str, Any]]) -> None:
    """Take over what `optimizer_state` gave.

    Raises:
        ValueError: it is of other parameters.
    """
    parameters = _parameters(optimizer)
    fits = len(parameters) == len(state) and all(
        part["exp_avg"].shape == parameter.shape for parameter, part in zip(parameters, state, strict=True) if part
    )
    if not fits:
        raise ValueError(f"expected what Adam remembers of {len(parameters)} parameters like these, got other ones")
    optimizer.state.clear()
    for parameter, part in zip(parameters, state, strict=True):
        if part:
            kept = {name: value.clone() for name, value in part.items()}
            moved = {name: value.to(parameter.device) for name, value in kept.items() if name != "step"}
            optimizer.state[parameter] = {**kept, **moved}


def _parameters(optimizer: torch.optim.Optimizer) -> list[Tensor]:
    return [parameter for group in optimizer.param_groups for parameter in group["params"]]
