"""What a user of ViZDoom's levels can get wrong: one clear sentence, with what is valid."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from perma_agent.envs import make_level
from perma_agent.errors import LevelError


def test_without_the_package_one_sentence_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "vizdoom", None)  # as if it were not installed
    with pytest.raises(LevelError, match=r"run `pip install perma-agent\[vizdoom\]`$") as caught:
        make_level("perma/VizdoomBasic-v0")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"size": 8}, "expected size to be a whole number from 16 to 512, got 8"),
        ({"action_repeat": 0}, "expected action_repeat to be a whole number from 1 to 35, got 0"),
        ({"turn_step": 180}, "expected turn_step to be a number from 1 to 90, got 180"),
        ({"skill": 6}, "expected skill to be a whole number from 1 to 5, got 6"),
        ({"split": "test"}, "expected arguments among action_repeat, .*, turn_step, view, got split"),
        ({"name": "Doom"}, "expected name to be one of Basic, .*, Outdoor, got 'Doom'"),
        ({"view": "behind"}, "expected view to be one of agent, top"),
    ],
)
def test_bad_argument(arguments: dict[str, Any], words: str) -> None:
    with pytest.raises(LevelError, match=words) as caught:
        make_level("perma/VizdoomMyWayHome-v0", **arguments)
    assert "\n" not in str(caught.value)


def test_unknown_level_names_the_nearest() -> None:
    with pytest.raises(LevelError, match="did you mean perma/VizdoomMyWayHome-v0"):
        make_level("perma/VizdoomMyWayHom-v0")


def test_use_before_reset_and_foreign_actions() -> None:
    pytest.importorskip("vizdoom", reason="the extra vizdoom is not installed")
    level = make_level("perma/VizdoomBasic-v0").unwrapped
    with pytest.raises(LevelError, match="call reset"):
        level.step(0)
    level.reset(seed=0)
    with pytest.raises(ValueError, match="expected an action from 0 to 4, got 5"):
        level.step(5)
    with pytest.raises(LevelError, match="expected a level with a map, got one without"):
        level.top_view()
    level.close()
