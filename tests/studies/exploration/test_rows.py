"""Rows of the study against figures that were put there."""

from __future__ import annotations

import pytest

from perma_agent.studies.exploration.rows import first_success, levels_beaten, rows_of

LEVELS = ("indoor-maze", "outdoor-maze", "four-rooms", "my-way-home")


def runs(make_cell, mode: str, level: str, arm: str, *, met=(9, 9, 9), first=(None, None, None)) -> list:
    return [
        make_cell(f"{mode}-{level}-{arm}", seed=seed, met=count, first=when, name=arm)
        for seed, (count, when) in enumerate(zip(met, first, strict=True))
    ]


def test_a_level_counts_where_the_factor_is_reached_and_the_intervals_are_apart(make_cell):
    cells = [
        *runs(make_cell, "free", "indoor-maze", "imagination", met=(15, 16, 15)),  # 1.67 times as much
        *runs(make_cell, "free", "indoor-maze", "rnd", met=(9, 9, 9)),
        *runs(make_cell, "free", "outdoor-maze", "imagination", met=(12, 12, 12)),  # apart, but 1.33 times
        *runs(make_cell, "free", "outdoor-maze", "rnd", met=(9, 9, 9)),
        *runs(make_cell, "free", "four-rooms", "imagination", met=(4, 18, 18)),  # 1.9 times, but not apart
        *runs(make_cell, "free", "four-rooms", "rnd", met=(4, 7, 10)),
        *runs(make_cell, "free", "my-way-home", "imagination", met=(16, 16, 16)),
    ]
    found = levels_beaten(cells, "rnd")
    assert (found.mean, found.n, found.met, found.goal) == (1.0, 1, False, ">= 3")
    assert "indoor maze 1.70 ✓" in found.note and "outdoor maze 1.33," in found.note and "MyWayHome" not in found.note


def test_three_levels_beaten_reach_the_goal_and_the_factor_over_none_is_two(make_cell):
    cells = [
        cell
        for level in LEVELS[:3]
        for cell in (
            *runs(make_cell, "free", level, "imagination", met=(18, 18, 18)),
            *runs(make_cell, "free", level, "none", met=(9, 9, 9)),
            *runs(make_cell, "free", level, "rnd", met=(12, 12, 12)),
        )
    ]
    assert levels_beaten(cells, "none").met and levels_beaten(cells, "rnd").met
    fewer = [cell for cell in cells if "four-rooms" not in cell.arm]
    assert not levels_beaten(fewer, "none").met


def test_what_the_oracle_would_reach_is_told_without_a_goal_and_only_where_it_was_run(make_cell):
    cells = [
        *runs(make_cell, "free", "indoor-maze", "imagination", met=(10, 10, 10)),
        *runs(make_cell, "free", "indoor-maze", "count", met=(18, 18, 18)),
        *runs(make_cell, "free", "indoor-maze", "rnd", met=(9, 9, 9)),
        *runs(make_cell, "free", "four-rooms", "count", met=(9, 9, 9)),
        *runs(make_cell, "free", "four-rooms", "rnd", met=(9, 9, 9)),
    ]
    rows = {row.id: row for row in rows_of(cells)}
    told = rows["levels_beating_rnd_by_count"]
    assert (told.mean, told.goal, told.met) == (1.0, None, None)
    assert "indoor maze 2.00 ✓, FourRooms (MiniWorld) 1.00" in told.note
    assert rows["levels_beating_rnd"].mean == 0.0
    assert "levels_beating_none_by_count" not in rows


def test_coverage_is_set_beside_that_of_every_rival(make_cell):
    cells = [
        *runs(make_cell, "free", "indoor-maze", "imagination", met=(12, 12, 12)),
        *runs(make_cell, "free", "indoor-maze", "skew-fit", met=(6, 6, 6)),
    ]
    rows = {row.id: row for row in rows_of(cells)}
    assert rows["coverage_vs_skew_fit"].mean == pytest.approx(2.0)
    assert "coverage_vs_apt" not in rows


def test_first_success_is_the_geometric_mean_of_the_levels_ratios(make_cell):
    cells = [
        *runs(make_cell, "sparse", "indoor-maze", "imagination", first=(100, 100, 100)),
        *runs(make_cell, "sparse", "indoor-maze", "rnd", first=(200, 200, 200)),
        *runs(make_cell, "sparse", "four-rooms", "imagination", first=(50, 50, 50)),
        *runs(make_cell, "sparse", "four-rooms", "rnd"),  # never: counts with its 400 steps
    ]
    found = first_success(cells)
    assert found.mean == pytest.approx((0.5 * 0.125) ** 0.5) and found.met
    assert found.low == pytest.approx(found.mean) == found.high
    assert "imagination 0, RND 3 of 6 and 6" in found.note


def test_coverage_over_all_levels_is_the_geometric_mean_of_the_levels_ratios(make_cell):
    cells = [
        *runs(make_cell, "free", "indoor-maze", "imagination", met=(16, 16, 16)),
        *runs(make_cell, "free", "indoor-maze", "rnd", met=(8, 8, 8)),
        *runs(make_cell, "free", "four-rooms", "imagination", met=(4, 4, 4)),
        *runs(make_cell, "free", "four-rooms", "rnd", met=(8, 8, 8)),
        *runs(make_cell, "free", "my-way-home", "rnd", met=(8, 8, 8)),  # without ours: left out
    ]
    rows = {row.id: row for row in rows_of(cells)}
    assert rows["coverage_vs_rnd"].mean == pytest.approx(1.0) and "over 2 levels" in rows["coverage_vs_rnd"].note
    assert rows["coverage_vs_rnd_indoor_maze"].mean == pytest.approx(2.0) and "coverage_vs_none" not in rows


def test_what_was_not_run_says_so(make_cell):
    rows = {row.id: row for row in rows_of([make_cell("free-indoor-maze-none", name="none", weight=0.0)])}
    for id in ("levels_beating_rnd", "levels_beating_none", "first_success_vs_rnd", "gae_error", "bonus_cost"):
        assert rows[id].mean is None and rows[id].met is False and "not" in rows[id].note
    assert rows["free_indoor_maze_none_coverage"].mean == pytest.approx(0.5)
    assert rows["none_weight"].mean == 0.0


def test_rows_of_partial_cells_have_all_their_own_ids(make_cell):
    cells = [
        *runs(make_cell, "free", "indoor-maze", "skew-fit", met=(3, 4, 5)),
        *runs(make_cell, "scratch", "indoor-maze", "rnd"),
        *runs(make_cell, "transfer", "outdoor-maze", "rnd"),
        *runs(make_cell, "sparse", "my-way-home", "imagination", first=(40, None, 20)),
    ]
    ids = [row.id for row in rows_of(cells)]
    assert len(ids) == len(set(ids))
    for name in ("free_indoor_maze_skew_fit", "scratch_indoor_maze_rnd", "transfer_outdoor_maze_rnd"):
        assert f"{name}_coverage" in ids
