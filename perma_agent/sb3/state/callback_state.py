"""Callback state: where SB3's callbacks and others stand at the beginning of a rollout, as plain values, and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from stable_baselines3.common.callbacks import BaseCallback, CallbackList, EventCallback

from perma_agent.errors import RunFolderError

SB3: Mapping[str, tuple[str, ...]] = {
    "EveryNTimesteps": ("last_time_trigger",),
    "EvalCallback": (
        "best_mean_reward",
        "last_mean_reward",
        "evaluations_results",
        "evaluations_timesteps",
        "evaluations_length",
        "evaluations_successes",
    ),
    "StopTrainingOnMaxEpisodes": ("n_episodes",),
    "StopTrainingOnNoModelImprovement": ("last_best_mean_reward", "no_improvement_evals"),
}
"""Kinds of SB3's callbacks to the attributes that are kept of them, beside the count of their calls."""


def callbacks_within(callback: BaseCallback | None) -> list[BaseCallback]:
    """A callback and all within it, in one order."""
    if callback is None:
        return []
    inner: Sequence[BaseCallback | None] = ()
    if isinstance(callback, CallbackList):
        inner = callback.callbacks
    elif isinstance(callback, EventCallback):
        inner = [callback.callback, getattr(callback, "callback_on_new_best", None)]
    return [callback, *(found for part in inner for found in callbacks_within(part))]


def callback_states(callbacks: Sequence[BaseCallback]) -> list[dict[str, Any]]:
    """Kind and state of each; those with a `resume_state()` are asked, of others SB3's own attributes are taken."""
    return [_state(callback) for callback in callbacks]


def restore_callbacks(callbacks: Sequence[BaseCallback], states: Sequence[Mapping[str, Any]]) -> None:
    """Set each to where the same one stood.

    Raises:
        RunFolderError: they are others, or in another order.
    """
    kinds, found = [state["kind"] for state in states], [type(callback).__name__ for callback in callbacks]
    if kinds != found:
        raise RunFolderError(
            f"expected the callbacks {', '.join(kinds)}, in this order, got {', '.join(found)}; give the same ones, or "
            "begin anew in another folder"
        )
    for callback, state in zip(callbacks, states, strict=True):
        callback.n_calls = state["calls"]
        for name, value in state["attributes"].items():
            setattr(callback, name, value)
        if state["own"] is not None:
            callback.resume_from(state["own"])  # type: ignore[attr-defined]  # it had resume_state() too


def _state(callback: BaseCallback) -> dict[str, Any]:
    kind = type(callback)
    names = [name for parent in kind.__mro__ for name in SB3.get(parent.__name__, ()) if hasattr(callback, name)]
    own = callback.resume_state() if hasattr(callback, "resume_state") else None
    attributes = {name: getattr(callback, name) for name in names}
    return {"kind": kind.__name__, "calls": callback.n_calls, "attributes": attributes, "own": own}
