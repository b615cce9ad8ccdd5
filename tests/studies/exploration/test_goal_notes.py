"""Goal notes: shares by hand, of a bonus that says what became of its goals."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from perma_agent.studies.exploration.goal_notes import GoalNotes


def noted(*said: dict[str, float]) -> dict[str, float | None]:
    figures = iter(said)
    notes = GoalNotes(SimpleNamespace(take_figures=lambda: next(figures)))
    for _ in said:
        notes._on_rollout_end()
    return notes.figures()


def test_goals_of_the_first_and_the_last_quarter_are_weighed_by_their_number():
    figures = noted(
        {"goals_ended": 0.0},
        {"goals_ended": 4.0, "reached": 0.5},
        *({"goals_ended": 9.0, "reached": 1.0} for _ in range(4)),
        {"goals_ended": 10.0, "reached": 0.9},
        {"goals_ended": 30.0, "reached": 0.1},
    )
    assert figures["goals_ended"] == 80
    assert figures["goals_reached_first"] == pytest.approx(2 / 4)
    assert figures["goals_reached_last"] == pytest.approx((9 + 3) / 40)


def test_no_share_where_no_goal_ended_and_nothing_where_none_is_pursued():
    assert noted({"goals_ended": 0.0}) == {
        "goals_ended": 0.0,
        "goals_reached_first": None,
        "goals_reached_last": None,
    }
    assert noted({"loss": 1.0}, {"loss": 2.0}) == {}
