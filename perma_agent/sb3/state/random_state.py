"""Random state: the generators that Stable-Baselines3 draws from, which are global, and an agent's action space."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from gymnasium import spaces


def random_state(space: spaces.Space[Any], *, device: torch.device) -> dict[str, Any]:
    """State of Python's, numpy's and torch's global generators, and of the space's own.

    Args:
        space: of actions.
        device: of the policy; on CUDA its generator comes along.
    """
    version, words, normal = random.getstate()
    kind, key, position, has_normal, cached = np.random.get_state()  # noqa: NPY002
    cuda = torch.cuda.get_rng_state(device) if device.type == "cuda" else None
    return {
        "python": [version, list(words), normal],
        "numpy": [kind, np.asarray(key), position, has_normal, cached],
        "torch": torch.get_rng_state(),
        "cuda": cuda,
        "actions": [generator.bit_generator.state for generator in _generators(space)],
    }


def restore_random(state: Mapping[str, Any], space: spaces.Space[Any], *, device: torch.device) -> None:
    """Set all generators as they were.

    Raises:
        KeyError, TypeError, ValueError, RuntimeError: the state is of another version or machine.
    """
    version, words, normal = state["python"]
    random.setstate((version, tuple(words), normal))
    kind, key, position, has_normal, cached = state["numpy"]
    np.random.set_state((kind, key, position, has_normal, cached))  # noqa: NPY002
    torch.set_rng_state(state["torch"])
    if device.type == "cuda":
        torch.cuda.set_rng_state(state["cuda"], device)
    for generator, saved in zip(_generators(space), state["actions"], strict=True):
        generator.bit_generator.state = saved


def _generators(space: spaces.Space[Any]) -> list[np.random.Generator]:
    """Of a space and of those in it."""
    inner: list[Any] = list(space.spaces.values()) if isinstance(space, spaces.Dict) else []
    if isinstance(space, spaces.Tuple):
        inner = list(space.spaces)
    return [space.np_random, *(generator for part in inner for generator in _generators(part))]
