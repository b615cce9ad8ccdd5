"""Plain state: nested values with arrays and tensors in them as JSON and named tensors, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from perma_agent.continual.learner_state import NamedTensors
from perma_agent.errors import RunFolderError

ARRAY, TENSOR = "$array", "$tensor"
"""Keys of the JSON objects that stand for a numpy array and for a tensor: their value is its name."""


def split_state(state: Any, *, name: str = "state") -> tuple[Any, dict[str, Tensor]]:
    """Take the arrays out of a state.

    Args:
        state: None, bools, numbers, strings, arrays, tensors, and lists, tuples and mappings (by text) of these.
        name: what its tensors' names begin with.

    Returns:
        JSON values, and the tensors by name, as copies in main memory. Tuples become lists, numpy's numbers plain ones.

    Raises:
        TypeError: something else is in it; the message says where.
    """
    if isinstance(state, np.ndarray):
        return {ARRAY: name}, {name: torch.from_numpy(np.array(state, order="C"))}
    if isinstance(state, Tensor):
        return {TENSOR: name}, {name: state.detach().to("cpu", copy=True).contiguous()}
    if isinstance(state, np.generic):
        return state.item(), {}
    if state is None or isinstance(state, bool | int | float | str):
        return state, {}
    if isinstance(state, Mapping):
        if not all(isinstance(key, str) for key in state) or {ARRAY, TENSOR} & set(state):
            raise TypeError(f"expected keys of plain text in {name}, got {list(state)[:3]}")
        parts = {key: split_state(value, name=f"{name}.{key}") for key, value in state.items()}
        return {key: plain for key, (plain, _) in parts.items()}, _merged(found for _, found in parts.values())
    if isinstance(state, list | tuple):
        listed = [split_state(value, name=f"{name}.{index}") for index, value in enumerate(state)]
        return [plain for plain, _ in listed], _merged(found for _, found in listed)
    raise TypeError(f"expected plain values, arrays or tensors in {name}, got a {type(state).__name__}")


def join_state(plain: Any, tensors: NamedTensors) -> Any:
    """Put the arrays back where `split_state` took them from.

    Raises:
        RunFolderError: one is missing.
    """
    if isinstance(plain, Mapping):
        if set(plain) in ({ARRAY}, {TENSOR}):
            ((kind, name),) = plain.items()
            found = tensors.take_any(str(name))
            return found.numpy().copy() if kind == ARRAY else found.clone()
        return {key: join_state(value, tensors) for key, value in plain.items()}
    if isinstance(plain, list):
        return [join_state(value, tensors) for value in plain]
    return plain


def copied(state: Any) -> Any:
    """A state whose arrays and tensors are copies, which do not change when those they were taken from do."""
    if isinstance(state, np.ndarray):
        return state.copy()
    if isinstance(state, Tensor):
        return state.detach().clone()
    if isinstance(state, Mapping):
        return {key: copied(value) for key, value in state.items()}
    if isinstance(state, list | tuple):
        return [copied(value) for value in state]
    return state


def need(state: Any, name: str, *, where: str) -> Any:
    """An entry of a saved state.

    Raises:
        RunFolderError: there is none.
    """
    if not isinstance(state, Mapping) or name not in state:
        raise RunFolderError(f"expected {name} in {where}, got none; use the perma_agent version that wrote it")
    return state[name]


def _merged(parts: Any) -> dict[str, Tensor]:
    return {name: tensor for part in parts for name, tensor in part.items()}
