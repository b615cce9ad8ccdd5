"""dm_env's specs as Gymnasium's spaces, and actions of such a space as what the environment takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import gymnasium as gym
import numpy as np

from perma_agent.errors import LevelError


def space_of(spec: Any) -> gym.Space[Any]:
    """The space of an action spec.

    | spec | space |
    |---|---|
    | `DiscreteArray`, whole number within bounds | `Discrete` |
    | whole numbers within bounds | `MultiDiscrete` |
    | other numbers, with bounds or without | `Box` of float32 |
    | mapping, list or tuple of specs | `Dict` or `Tuple` of their spaces |

    Raises:
        LevelError: for strings, whole numbers without bounds, and what is no spec.
    """
    from dm_env import specs

    if isinstance(spec, Mapping):
        return gym.spaces.Dict({name: space_of(part) for name, part in spec.items()})
    if isinstance(spec, list | tuple):
        return gym.spaces.Tuple([space_of(part) for part in spec])
    if isinstance(spec, specs.BoundedArray) and np.issubdtype(spec.dtype, np.integer):
        low = np.broadcast_to(spec.minimum, spec.shape).astype(np.int64)
        counts = np.broadcast_to(spec.maximum, spec.shape).astype(np.int64) - low + 1
        if spec.shape == ():
            return gym.spaces.Discrete(int(counts), start=int(low))
        return gym.spaces.MultiDiscrete(counts, start=low)
    if isinstance(spec, specs.Array) and np.issubdtype(spec.dtype, np.floating):
        low, high = _bounds(spec)
        return gym.spaces.Box(low.astype(np.float32), high.astype(np.float32), dtype=np.float32)
    raise LevelError(
        f"expected actions that are numbers (whole ones within bounds), got {spec!r}; pass a table of actions instead"
    )


def native_action(spec: Any, action: Any) -> Any:
    """What the environment takes for an action of `space_of(spec)`: its type and shape, and never out of bounds."""
    if isinstance(spec, Mapping):  # by name: a Gymnasium Dict sorts its own
        return {name: native_action(part, action[name]) for name, part in spec.items()}
    if isinstance(spec, list | tuple):
        values = [native_action(part, value) for part, value in zip(spec, action, strict=True)]
        return values if isinstance(spec, list) else tuple(values)
    array = np.asarray(action).reshape(spec.shape).astype(spec.dtype)
    return np.clip(array, *_bounds(spec)).astype(spec.dtype)  # float32 may have rounded past a bound


def check_action(spec: Any, action: Any) -> None:
    """Refuse an action that the environment would not take.

    Raises:
        LevelError: with what the spec says.
    """
    try:
        if isinstance(spec, Mapping):
            if set(spec) != set(action):
                raise ValueError(f"got {sorted(action)}")
            for name, part in spec.items():
                check_action(part, action[name])
        elif isinstance(spec, list | tuple):
            for part, value in zip(spec, action, strict=True):
                check_action(part, value)
        else:
            spec.validate(np.asarray(action, dtype=spec.dtype))
    except (TypeError, ValueError) as error:
        raise LevelError(f"expected actions that fit {spec!r}, got {action!r} ({error})") from error


def _bounds(spec: Any) -> tuple[np.ndarray, np.ndarray]:
    from dm_env import specs

    low, high = (spec.minimum, spec.maximum) if isinstance(spec, specs.BoundedArray) else (-np.inf, np.inf)
    return np.broadcast_to(low, spec.shape), np.broadcast_to(high, spec.shape)
