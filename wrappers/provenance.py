"""Where trajectories come from, as far as a level and its wrappers tell."""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping
from importlib import metadata
from typing import Any

import gymnasium as gym
from stable_baselines3.common.vec_env import DummyVecEnv, VecEnv, VecEnvWrapper

from perma_agent.types import Provenance
from perma_agent.version import __version__

PACKAGES = ("gymnasium", "stable-baselines3", "numpy", "miniworld", "vizdoom")
"""Whose versions are noted, where they are installed; an engine's decides what its levels look like."""


def provenance_of(env: gym.Env[Any, Any], *, policy: str) -> Provenance:
    """Provenance of a single level: id and arguments from its spec, wrappers from the chain it stands in."""
    level, wrappers = _names(str(env))
    arguments = {} if env.spec is None else env.spec.kwargs
    return Provenance(
        level=level, level_arguments=_json_values(arguments), wrappers=wrappers, versions=_versions(), policy=policy
    )


def provenances_of(venv: VecEnv, *, policy: str) -> list[Provenance]:
    """Provenance of each of N parallel levels.

    Across processes only text is asked for: a spec may hold what cannot be pickled, and a worker that fails to send
    its answer takes the training down with it. So there a level's arguments are known only where it has a
    dict `level_arguments` of JSON values.
    """
    outer = []
    base: VecEnv = venv
    while isinstance(base, VecEnvWrapper):
        outer.append(type(base).__name__)
        base = base.venv
    versions = _versions()
    return [
        Provenance(
            level=level,
            level_arguments=_json_values(arguments),
            wrappers=(*inner, *reversed(outer)),
            versions=versions,
            policy=policy,
        )
        for (level, inner), arguments in zip(map(_names, base.env_method("__str__")), _arguments(base), strict=True)
    ]


def _arguments(base: VecEnv) -> list[Mapping[str, Any]]:
    if isinstance(base, DummyVecEnv):
        return [{} if env.spec is None else env.spec.kwargs for env in base.envs]
    if base.has_attr("level_arguments"):
        arguments: list[Mapping[str, Any]] = base.get_attr("level_arguments")
        return arguments
    return [{}] * base.num_envs


def _names(text: str) -> tuple[str, tuple[str, ...]]:
    """`<TimeLimit<OneRoom<MiniWorld-OneRoom-v0>>>` -> level id and wrappers, inside out.

    A level that was not made by its id is called by its class: `<TimeLimit<Room instance>>`.
    """
    *wrappers, last = text.strip("<>").split("<")
    if last.endswith(" instance"):
        return last.removesuffix(" instance"), tuple(reversed(wrappers))
    return last, tuple(reversed(wrappers[:-1]))  # the last of these is the level's own class


def _json_values(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments as JSON keeps them; what it cannot keep, as text."""
    values: dict[str, Any] = json.loads(json.dumps(dict(arguments), default=repr))
    return values


def _versions() -> dict[str, str]:
    versions = {"perma_agent": __version__, "python": platform.python_version()}
    for package in PACKAGES:
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return versions
