"""Normalisers: what the wrappers round an agent's levels have learnt and the agent needs, and the levels' arguments."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from stable_baselines3.common.vec_env import VecEnv, VecNormalize

from perma_agent.errors import RunFolderError
from perma_agent.sb3.state.level_state import put_normaliser, take_normaliser, wrappers_of
from perma_agent.wrappers.provenance import provenances_of

Normalisers = list[tuple[str, Mapping[str, Any]]]
"""Kind of each wrapper, the outermost first, and what it learnt."""


def take_normalisers(venv: VecEnv) -> Normalisers:
    """What VecNormalize, and wrappers that have `learnt_state()`, know by now."""
    found: Normalisers = []
    for wrapper in wrappers_of(venv):
        if isinstance(wrapper, VecNormalize):
            found.append((type(wrapper).__name__, take_normaliser(wrapper)))
        elif hasattr(type(wrapper), "learnt_state"):
            found.append((type(wrapper).__name__, wrapper.learnt_state()))
    return found


def put_normalisers(venv: VecEnv, normalisers: Normalisers) -> None:
    """Give wrappers what `take_normalisers` took from others.

    Raises:
        RunFolderError: they are of other kinds, or of other observations.
    """
    wrappers = [wrapper for wrapper in wrappers_of(venv) if _learns(wrapper)]
    kinds, found = [kind for kind, _ in normalisers], [type(wrapper).__name__ for wrapper in wrappers]
    if kinds != found:
        raise RunFolderError(f"expected the levels in {kinds}, outermost first, as they were saved, got {found}")
    for wrapper, (_, state) in zip(wrappers, normalisers, strict=True):
        if isinstance(wrapper, VecNormalize):
            put_normaliser(wrapper, state)
        else:
            wrapper.restore_learnt(state)


def levels_of(venv: VecEnv) -> list[dict[str, Any]]:
    """Id and arguments of each different level, in the order of the copies."""
    different: dict[str, dict[str, Any]] = {}
    for known in provenances_of(venv, policy=""):
        level = {"id": known.level, "arguments": dict(known.level_arguments)}
        different.setdefault(json.dumps(level, sort_keys=True), level)
    return list(different.values())


def _learns(wrapper: Any) -> bool:
    return isinstance(wrapper, VecNormalize) or hasattr(type(wrapper), "learnt_state")
