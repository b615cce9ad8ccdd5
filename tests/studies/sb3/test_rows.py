"""Rows of the study, worked out by hand; what was not measured says so."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace

import pytest

from perma_agent.evaluation.cells import Cell
from perma_agent.evaluation.results import Row
from perma_agent.studies.sb3.rows import rows_of


def by_id(cells: Sequence[Cell]) -> dict[str, Row]:
    found = {row.id: row for row in rows_of(cells)}
    assert len(found) == len(rows_of(cells))  # each id once
    return found


def test_speed_ratios_are_medians_of_each_rounds_own_ratio(invent: SimpleNamespace) -> None:
    one = invent.timed(
        1, nature=[100.0, 200.0, 50.0], frozen=[200.0, 380.0, 150.0], continual=[80.0, 150.0, 45.0], level=[700.0] * 3
    )
    two = invent.timed(2, nature=[100.0] * 3, frozen=[150.0] * 3)
    rows = by_id([two, one])
    # frozen: 2, 1.9, 3; continual: 0.8, 0.75, 0.9
    frozen, continual = rows["frozen_speed_ratio"], rows["continual_speed_ratio"]
    assert (frozen.mean, frozen.low, frozen.high, frozen.n) == (2.0, 1.9, 3.0, 3)
    assert (frozen.goal, frozen.met) == (">= 2", True)
    assert (continual.mean, continual.goal, continual.met) == (0.8, ">= 0.8", True)
    assert rows["frozen_speed_ratio_2_threads"].mean == 1.5 and rows["frozen_speed_ratio_2_threads"].goal is None
    assert "torch with 1 thread;" in frozen.note and "8 copies of perma/IndoorForage-v0" in frozen.note
    assert rows["steps_per_second_nature"].mean == 100.0 and rows["steps_per_second_level"].mean == 700.0
    assert {"random_speed_ratio", "finetune_speed_ratio", "frozen_extractor_speed_ratio"} <= set(rows)
    assert "nature_speed_ratio" not in rows


def test_the_trial_of_resuming_tells_its_kills_and_tensors(invent: SimpleNamespace) -> None:
    row = by_id([invent.killed()])["resume_max_difference"]
    assert (row.mean, row.goal, row.met) == (0.0, "== 0", True)
    assert "20 kills" in row.note and "9 SIGTERM, 11 SIGKILL" in row.note and "182 tensors" in row.note
    assert by_id([invent.killed(1e-9)])["resume_max_difference"].met is False
    assert "20 kills were asked for" in by_id([invent.killed(killed=3)])["resume_max_difference"].note


def test_runs_that_do_not_hold_the_same_tensors_miss_the_goal(invent: SimpleNamespace) -> None:
    row = by_id([invent.killed(None)])["resume_max_difference"]
    assert row.met is False and row.mean is None and row.note.startswith("the runs do not hold the same")


def test_returns_are_compared_seed_by_seed(invent: SimpleNamespace) -> None:
    continual = [invent.switched("continual", seed, at=value) for seed, value in enumerate((1.0, 3.0))]
    frozen = [invent.switched("frozen", seed, at=value) for seed, value in enumerate((0.5, 2.5))]
    rows = by_id([*frozen, *continual, invent.chance()])
    assert rows["return_before_switch_continual"].mean == 2.0 and rows["return_after_switch_frozen"].mean == 3.0
    assert (rows["return_at_switch_continual"].mean, rows["return_at_switch_continual"].n) == (2.0, 2)
    change = rows["return_change_at_switch_continual"]
    assert (change.mean, change.low, change.high) == (0.0, -1.0, 1.0)
    gain = rows["return_gain_over_frozen_at_switch"]
    assert (gain.mean, gain.low, gain.high) == (0.5, 0.5, 0.5)  # the same with either seed, so no spread
    assert rows["return_chance_before_switch"].mean == 0.25 and rows["return_chance_after_switch"].mean == 0.5
    assert "first 200 steps after it" in rows["return_at_switch_frozen"].note


def test_publications_and_what_they_move(invent: SimpleNamespace) -> None:
    rows = by_id([invent.switched(mode, 0) for mode in ("continual", "frozen")])
    assert rows["publications_continual"].mean == 7.0 and rows["publications_frozen"].mean == 0.0
    assert rows["publications_elsewhere_continual"].met is True
    assert rows["feature_move_at_switch_continual"].mean == pytest.approx(0.2)
    assert rows["policy_kl_after_switch_continual"].mean == pytest.approx(0.003)
    assert rows["action_information_at_switch_frozen"].mean == pytest.approx(0.2)
    assert rows["update_kl_before_switch_frozen"].mean == 0.01 and "feature_move_at_switch_frozen" not in rows
    assert rows["switch_noticed_after_rollouts"].mean == 2.0 and rows["environments_known_continual"].mean == 2.0


def test_a_switch_that_one_seed_missed_has_no_mean_lag(invent: SimpleNamespace) -> None:
    cells = [invent.switched("continual", 0), invent.switched("continual", 1, noticed=None)]
    row = by_id(cells)["switch_noticed_after_rollouts"]
    assert row.mean is None and row.note.startswith("1 of 2 seeds")


def test_a_seed_that_only_one_arm_has_is_not_paired(invent: SimpleNamespace) -> None:
    rows = by_id([*(invent.switched("continual", seed) for seed in (0, 1)), invent.switched("frozen", 0)])
    assert rows["return_gain_over_frozen_at_switch"].mean is None


def test_bars_that_were_not_measured_are_there_and_say_why(invent: SimpleNamespace) -> None:
    for cells in ([invent.chance()], [invent.cell("resume-else")]):
        rows = by_id(cells)
        bars = {id: row for id, row in rows.items() if row.goal is not None}
        assert {"frozen_speed_ratio", "continual_speed_ratio", "resume_max_difference"} <= set(bars)
        assert all(row.met is False and "not been run" in row.note for row in bars.values())
