"""Level state: N levels side by side with an episode under way in each, and what the wrappers round them know."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from stable_baselines3.common.running_mean_std import RunningMeanStd
from stable_baselines3.common.vec_env import (
    VecCheckNan,
    VecEnv,
    VecEnvWrapper,
    VecExtractDictObs,
    VecFrameStack,
    VecMonitor,
    VecNormalize,
    VecTransposeImage,
)
from stable_baselines3.common.vec_env.stacked_observations import StackedObservations

from perma_agent.errors import RunFolderError
from perma_agent.sb3.seeing.encoded_observation import EncodedObservation
from perma_agent.sb3.state.plain_state import copied, need
from perma_agent.wrappers import RecordTrajectories, ReplayableLevel, TolerantVecEnv
from perma_agent.wrappers.replayed_episode import ReplayedEpisode

Take = Callable[[Any], dict[str, Any]]
Put = Callable[[Any, Mapping[str, Any]], None]


def level_state(venv: VecEnv) -> dict[str, Any]:
    """All that the levels' next steps depend on, for `split_state`; nothing of it changes when they are stepped.

    Args:
        venv: of `ReplayableLevel`s, with wrappers of SB3 or ours round it, or of others that have `resume_state()` and
            `resume_from(state)` themselves.

    Raises:
        ValueError: copies are not wrapped in `ReplayableLevel`, or a VecEnv wrapper's state is not known.
    """
    base = venv.unwrapped
    if not all(base.env_is_wrapped(ReplayableLevel)):
        raise ValueError(
            "expected levels that can be taken up again, got some that cannot; wrap each copy outermost in "
            "ReplayableLevel, e.g. make_vec_env(level, wrapper_class=ReplayableLevel)"
        )
    wrappers = wrappers_of(venv)
    for wrapper in wrappers:
        if not _is_known(wrapper):
            raise ValueError(
                f"expected VecEnv wrappers whose state is known, got {type(wrapper).__name__}; give it resume_state() "
                "-> dict of plain values and arrays, and resume_from(state)"
            )
        if isinstance(wrapper, RecordTrajectories) and wrapper.venv is not base:
            raise ValueError("expected RecordTrajectories next to the levels, got it round another wrapper; swap them")
    return {
        "episodes": base.env_method("episode_state"),
        "workers": base.resume_state() if isinstance(base, TolerantVecEnv) else None,
        "wrappers": [{"kind": type(wrapper).__name__, "state": copied(_take(wrapper))} for wrapper in wrappers],
    }


def restore_levels(venv: VecEnv, state: Mapping[str, Any]) -> None:
    """Play the episodes under way again, and give the wrappers what they knew.

    Args:
        venv: made as the one was that the state is of.
        state: from `level_state`, through `join_state`.

    Raises:
        RunFolderError: there are other copies or wrappers.
        LevelError: a level came out differently.
    """
    base, wrappers = venv.unwrapped, wrappers_of(venv)
    episodes, saved = need(state, "episodes", where="the levels' state"), need(state, "wrappers", where="the levels'")
    names = [type(wrapper).__name__ for wrapper in wrappers]
    if len(episodes) != base.num_envs or [part["kind"] for part in saved] != names:
        raise RunFolderError(
            f"expected {len(episodes)} copies of the level in {[part['kind'] for part in saved]}, got "
            f"{base.num_envs} in {names}; make them as before, or begin anew elsewhere"
        )
    keep = any(isinstance(wrapper, RecordTrajectories) for wrapper in wrappers)
    played: list[ReplayedEpisode | None] = []
    for index, episode in enumerate(episodes):
        again = None if episode is None else base.env_method("replay", episode, keep=keep, indices=index)[0]
        played.append(again)
    if isinstance(base, TolerantVecEnv):
        base.resume_from(state["workers"], [None if one is None else one.observation for one in played])
    for wrapper, part in zip(reversed(wrappers), reversed(saved), strict=True):
        if isinstance(wrapper, RecordTrajectories):
            wrapper.resume_from(part["state"], played)
        else:
            _put(wrapper, part["state"])


def leave_levels(venv: VecEnv) -> None:
    """Let no recorder store the episodes under way when it is closed: another process will go on with them."""
    for wrapper in wrappers_of(venv):
        if isinstance(wrapper, RecordTrajectories):
            wrapper.leave()


def wrappers_of(venv: VecEnv) -> list[VecEnvWrapper]:
    """VecEnv wrappers, the outermost first."""
    found = []
    while isinstance(venv, VecEnvWrapper):
        found.append(venv)
        venv = venv.venv
    return found


def take_normaliser(normaliser: VecNormalize) -> dict[str, Any]:
    """Running statistics of rewards and observations, and the returns under way."""
    observed = normaliser.obs_rms if normaliser.norm_obs else {}
    parts = observed if isinstance(observed, dict) else {"": observed}
    return {
        "observations": {name: _take_mean(part) for name, part in parts.items()},
        "returns": _take_mean(normaliser.ret_rms),
        "under_way": normaliser.returns,
        "rewards": normaliser.old_reward,
    }


def put_normaliser(normaliser: VecNormalize, state: Mapping[str, Any]) -> None:
    """Take over what `take_normaliser` gave.

    Raises:
        RunFolderError: the statistics are of other observations.
    """
    observed = normaliser.obs_rms if normaliser.norm_obs else {}
    parts = observed if isinstance(observed, dict) else {"": observed}
    shapes = {name: np.shape(part.mean) for name, part in parts.items()}
    found = {name: np.shape(part["mean"]) for name, part in state["observations"].items()}
    if shapes != found:
        raise RunFolderError(
            f"expected statistics of observations of shapes {shapes}, got {found}; normalise as before"
        )
    for name, part in parts.items():
        _put_mean(part, state["observations"][name])
    _put_mean(normaliser.ret_rms, state["returns"])
    if len(state["under_way"]) == normaliser.num_envs:
        normaliser.returns = np.array(state["under_way"])
        normaliser.old_reward = np.array(state["rewards"])


def _take_mean(statistics: RunningMeanStd) -> dict[str, Any]:
    return {"mean": np.asarray(statistics.mean), "var": np.asarray(statistics.var), "count": float(statistics.count)}


def _put_mean(statistics: RunningMeanStd, state: Mapping[str, Any]) -> None:
    statistics.mean, statistics.var = np.array(state["mean"]), np.array(state["var"])
    statistics.count = state["count"]


def _stacks(stack: VecFrameStack) -> dict[str, StackedObservations[Any]]:
    parts: Any = stack.stacked_obs
    return dict(parts.sub_stacked_observations) if hasattr(parts, "sub_stacked_observations") else {"": parts}


def _take_stack(stack: VecFrameStack) -> dict[str, Any]:
    return {name: part.stacked_obs for name, part in _stacks(stack).items()}


def _put_stack(stack: VecFrameStack, state: Mapping[str, Any]) -> None:
    for name, part in _stacks(stack).items():
        part.stacked_obs = np.array(state[name])


def _take_monitor(monitor: VecMonitor) -> dict[str, Any]:
    counted = {"count": monitor.episode_count}
    return {"returns": monitor.episode_returns, "lengths": monitor.episode_lengths, **counted}


def _put_monitor(monitor: VecMonitor, state: Mapping[str, Any]) -> None:
    monitor.episode_returns, monitor.episode_lengths = np.array(state["returns"]), np.array(state["lengths"])
    monitor.episode_count = state["count"]


def _take_features(wrapper: EncodedObservation) -> dict[str, Any]:
    return dict(wrapper.extractor.published._memory.resume_state())


def _put_features(wrapper: EncodedObservation, state: Mapping[str, Any]) -> None:
    wrapper.extractor.published._memory.resume_from(state)


_KNOWN: dict[type[VecEnvWrapper], tuple[Take, Put]] = {
    VecNormalize: (take_normaliser, put_normaliser),
    VecFrameStack: (_take_stack, _put_stack),
    VecMonitor: (_take_monitor, _put_monitor),
    EncodedObservation: (_take_features, _put_features),
    **dict.fromkeys((VecTransposeImage, VecCheckNan, VecExtractDictObs), (lambda _: {}, lambda *_: None)),
}
"""Wrappers without `resume_state`: how to take their state, and how to put it back."""


def _is_known(wrapper: VecEnvWrapper) -> bool:
    return type(wrapper) in _KNOWN or "resume_state" in dir(type(wrapper))  # the instance would ask the wrapped one


def _take(wrapper: VecEnvWrapper) -> dict[str, Any]:
    state: dict[str, Any] = _KNOWN[type(wrapper)][0](wrapper) if type(wrapper) in _KNOWN else wrapper.resume_state()
    return state


def _put(wrapper: VecEnvWrapper, state: Mapping[str, Any]) -> None:
    if type(wrapper) in _KNOWN:
        _KNOWN[type(wrapper)][1](wrapper, state)
    else:
        wrapper.resume_from(state)
