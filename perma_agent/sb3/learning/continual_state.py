"""Continual state: all that `ContinualVASECallback` knows beside its learner, as plain values and arrays, and back."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from perma_agent.continual import Learner
from perma_agent.continual.config_json import from_json, to_json
from perma_agent.errors import RunFolderError
from perma_agent.sb3.learning.continual_callback import ContinualVASECallback
from perma_agent.sb3.learning.experience import Experience, Window
from perma_agent.sb3.learning.round_record import RoundRecord


def continual_state(callback: ContinualVASECallback) -> dict[str, Any]:
    """For `split_state`; frames are not copied.

    Raises:
        ValueError: it draws from a store, whose content at a moment depends on how fast it is written.
    """
    if not isinstance(callback._earlier, Window):
        raise ValueError(
            "expected a ContinualVASECallback that draws from its window, got one with store=, which holds more or "
            "less depending on how fast it is written; leave store= out to resume exactly"
        )
    return {
        "config": to_json(callback.config),
        "generator": callback._rng.bit_generator.state,
        "window": [_taken(part) for part in callback._earlier.parts],
        "waiting": None if callback._waiting is None else _taken(callback._waiting),
        "history": [to_json(record) for record in callback._history],
        "published": callback._published,
        "rounds": callback._rounds,
        "last_round": callback._last_round,
        "extra": callback._extra,
    }


def restore_continual(callback: ContinualVASECallback, state: Mapping[str, Any], *, learner: Learner) -> None:
    """Go on where another callback was.

    Args:
        callback: of the same settings, bound to an agent.
        state: from `continual_state`.
        learner: the other's, which replaces this one's; whoever listened to this one's updates does to that one's.

    Raises:
        RunFolderError: the settings are others.
    """
    settings = to_json(callback.config)
    if settings != state["config"]:
        changed = [name for name, value in settings.items() if value != state["config"].get(name)]
        raise RunFolderError(
            f"expected the VASE to go on learning as before, got another {', '.join(changed)}; give the same "
            "ContinualConfig, or begin anew in another folder"
        )
    if callback._learner is not None:
        learner.on_update = callback._learner.on_update
    callback._learner = learner
    callback._rng.bit_generator.state = state["generator"]
    callback._earlier.clear()
    for part in state["window"]:
        callback._earlier.add(_given(part))
    callback._waiting = None if state["waiting"] is None else _given(state["waiting"])
    callback._history.clear()
    callback._history.extend(from_json(RoundRecord, record, where="a round") for record in state["history"])
    callback._published, callback._rounds = state["published"], state["rounds"]
    callback._last_round, callback._extra = state["last_round"], state["extra"]


def _taken(experience: Experience) -> dict[str, Any]:
    return dataclasses.asdict(experience)


def _given(plain: Mapping[str, Any]) -> Experience:
    return Experience(plain["frames"], plain["episode_starts"])
