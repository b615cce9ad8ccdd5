"""Algorithms of Stable-Baselines3 whose agents can be written down as plain values and made again from them."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Mapping
from typing import Any

from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.buffers import (
    DictReplayBuffer,
    DictRolloutBuffer,
    NStepReplayBuffer,
    ReplayBuffer,
    RolloutBuffer,
)
from stable_baselines3.common.type_aliases import TrainFreq
from stable_baselines3.common.utils import ConstantSchedule, FloatSchedule, LinearSchedule

PACKAGES: Mapping[str, str] = {
    **dict.fromkeys(("PPO", "A2C", "DQN", "SAC", "TD3"), "stable_baselines3"),
    **dict.fromkeys(("RecurrentPPO", "QRDQN"), "sb3_contrib"),
}
"""Name of each algorithm to the package that has it."""
SCHEDULES = ("learning_rate", "clip_range", "clip_range_vf")
"""Settings that may change over training."""
_ELSEWHERE = {
    "policy",
    "env",
    "policy_kwargs",
    "tensorboard_log",
    "verbose",
    "seed",
    "device",
    "_init_setup_model",
    "action_noise",
    "replay_buffer_class",
    "replay_buffer_kwargs",
    "rollout_buffer_class",
    "rollout_buffer_kwargs",
}
_BUFFERS = (None, ReplayBuffer, DictReplayBuffer, NStepReplayBuffer, RolloutBuffer, DictRolloutBuffer)


def algorithm_named(name: str) -> type[BaseAlgorithm]:
    """The class of an algorithm.

    Raises:
        ValueError: it is none of `PACKAGES`, or its package is not installed.
    """
    if name not in PACKAGES:
        raise ValueError(f"expected one of {', '.join(PACKAGES)}, got {name!r}; use the agent's own save()")
    try:
        kind: type[BaseAlgorithm] = getattr(importlib.import_module(PACKAGES[name]), name)
    except ImportError as error:
        raise ValueError(
            f"expected {PACKAGES[name]} for {name}, got none; pip install 'perma-agent[contrib]'"
        ) from error
    return kind


def settings_of(agent: BaseAlgorithm) -> dict[str, Any]:
    """What an algorithm was made with, beside its policy, as JSON values.

    Raises:
        ValueError: some of it only code could make again, e.g. a schedule of the caller's own; the message names it.
    """
    settings, unusual = {}, []
    for name in setting_names(type(agent)):
        if not hasattr(agent, name):
            continue  # A2C's use_rms_prop, which is in policy_kwargs by now
        value = getattr(agent, name)
        try:
            settings[name] = plain_schedule(value) if name in SCHEDULES else _plain(value)
        except TypeError:
            unusual.append(name)
    parts = {
        name: getattr(agent, name, None) for name in ("action_noise", "rollout_buffer_class", "replay_buffer_class")
    }
    if parts["action_noise"] is not None:
        unusual.append("action_noise")
    unusual += [name for name in ("rollout_buffer_class", "replay_buffer_class") if not _is_usual(agent, name)]
    if unusual:
        raise ValueError(
            f"expected plain settings, constant or linear schedules and SB3's own parts, got another "
            f"{', '.join(unusual)}; use the agent's own save()"
        )
    return settings


def setting_names(kind: type[BaseAlgorithm]) -> list[str]:
    """Arguments of an algorithm that are settings."""
    return [name for name in inspect.signature(kind).parameters if name not in _ELSEWHERE]


def arguments_from(kind: type[BaseAlgorithm], settings: Mapping[str, Any]) -> dict[str, Any]:
    """What `settings_of` gave, as arguments of the algorithm.

    Raises:
        ValueError: a setting is unknown or of another type than its default.
    """
    parameters = inspect.signature(kind).parameters
    arguments = {}
    for name, value in settings.items():
        if name not in setting_names(kind):
            raise ValueError(f"expected a setting of {kind.__name__}, got {name!r}")
        default = parameters[name].default
        if name in SCHEDULES and isinstance(value, Mapping):
            value = schedule_from(value)
        elif isinstance(value, list):
            value = tuple(value)
        elif not _fits(value, default):
            raise ValueError(f"expected {name} of {kind.__name__} like its default {default!r}, got {value!r}")
        arguments[name] = value
    return arguments


def plain_schedule(value: Any) -> float | dict[str, Any] | None:
    """A number, or an object for a linear schedule.

    Raises:
        TypeError: only code could make this schedule again.
    """
    while isinstance(value, FloatSchedule):
        value = value.value_schedule
    if isinstance(value, ConstantSchedule):
        value = value.val
    if isinstance(value, LinearSchedule):
        return {"kind": "linear", "start": value.start, "end": value.end, "end_fraction": value.end_fraction}
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"no plain schedule: {value!r}")
    return float(value)


def schedule_from(plain: Mapping[str, Any]) -> LinearSchedule:
    """The schedule that `plain_schedule` wrote down as an object.

    Raises:
        ValueError: it is of another kind.
    """
    if plain.get("kind") != "linear":
        raise ValueError(f"expected a linear schedule, got {dict(plain)}")
    return LinearSchedule(float(plain["start"]), float(plain["end"]), float(plain["end_fraction"]))


def _is_usual(agent: BaseAlgorithm, name: str) -> bool:
    kind = getattr(agent, name, None)
    if "Recurrent" in type(agent).__name__:
        return True  # sb3-contrib chooses it by itself
    kwargs = getattr(agent, name.replace("class", "kwargs"), None)
    return kind in _BUFFERS and (not kwargs or kind is NStepReplayBuffer)


def _plain(value: Any) -> Any:
    if isinstance(value, TrainFreq):
        return [value.frequency, value.unit.value]
    if isinstance(value, tuple | list):
        return [_plain(part) for part in value]
    if value is not None and not isinstance(value, bool | int | float | str):
        raise TypeError(f"no plain value: {value!r}")
    return value


def _fits(value: Any, default: Any) -> bool:
    """Whether a setting is of a type that its default may be of."""
    if isinstance(default, bool) or isinstance(value, bool):
        return isinstance(default, bool) and isinstance(value, bool)
    if isinstance(default, str):
        return isinstance(value, str | int | float)  # "auto", or a number
    if default is None or callable(default):
        return value is None or isinstance(value, int | float)
    return isinstance(value, int | float)
