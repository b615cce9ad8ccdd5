"""Figure 5B's plan, rows and figure, from cells made by hand."""

from __future__ import annotations

import json
import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure

from perma_agent.evaluation.cells import Cell
from perma_agent.studies.exploration.figure_5b import figure_5b_figure, figure_5b_rows, plan_figure_5b
from perma_agent.studies.exploration.figure_5b_config import ARMS, FIGURE_5B, Figure5BConfig


def cell(arm: str, seed: int, *, still: float, moving: float) -> Cell:
    return Cell(
        study="exploration",
        arm=f"figure-5b-{arm}",
        seed=seed,
        settings={"preset": "smoke"},
        figures={
            "accuracy_still": still,
            "accuracy_moving": moving,
            "gap": moving - still,
            "position_garments": 0.9,
            "position_digits": 0.8,
            "covered": 0.5,
            "pushed": 0.7,
            "environments": 3.0,
        },
        series={
            "batches": [20, 40, 60],
            "accuracy": [0.2, still, moving],
            "world": ["still", "still", "moving"],
            "starts": [10, 40],
            "lay": np.eye(9, dtype=int).tolist(),
        },
        seconds=1.0,
    )


CELLS = [
    cell("imagination", 0, still=0.70, moving=0.76),
    cell("imagination", 1, still=0.72, moving=0.80),
    cell("still", 0, still=0.30, moving=0.75),
    cell("still", 1, still=0.20, moving=0.77),
    cell("random", 0, still=0.60, moving=0.75),
]


def test_the_gaps_are_points_between_the_ends_of_the_two_worlds() -> None:
    rows = {row.id: row for row in figure_5b_rows(CELLS)}
    with_imagination, without = rows["fig5b_gap_with"], rows["fig5b_gap_without"]
    assert with_imagination.mean == pytest.approx((6.0 + 8.0) / 2) and with_imagination.met is True
    assert without.mean == pytest.approx((45.0 + 57.0) / 2) and without.met is True
    assert (with_imagination.goal, without.goal, with_imagination.unit) == ("<= 10", ">= 20", "points")
    assert rows["fig5b_gap_random"].mean == pytest.approx(15.0)
    assert rows["fig5b_accuracy_still_over_still"].mean == pytest.approx(71.0 - 25.0)
    assert rows["fig5b_position_digits"].mean == pytest.approx(0.8)
    assert len(rows) == len(figure_5b_rows(CELLS))


def test_bars_that_were_missed_are_told_as_missed() -> None:
    rows = {row.id: row for row in figure_5b_rows([cell("imagination", 0, still=0.5, moving=0.8)])}
    assert rows["fig5b_gap_with"].met is False
    assert rows["fig5b_gap_without"].mean is None


def test_other_cells_of_the_study_do_not_matter() -> None:
    other = replace(CELLS[0], arm="free-indoor-maze-imagination")
    assert figure_5b_rows([*CELLS, other]) == figure_5b_rows(CELLS)


@pytest.mark.parametrize("preset", FIGURE_5B)
def test_the_plan_has_a_cell_for_each_arm_and_seed_seed_after_seed(preset: str) -> None:
    config = FIGURE_5B[preset]
    plan = plan_figure_5b(config)
    assert len(plan) == sum(map(len, config.seeds.values()))
    assert [cell.seed for cell in plan] == sorted(cell.seed for cell in plan)
    assert {cell.arm for cell in plan} == {f"figure-5b-{arm}" for arm in config.seeds}
    for planned in plan:
        assert planned.settings["preset"] == preset
        assert json.loads(json.dumps(planned.settings)) == planned.settings
        pickle.dumps(planned.measure)  # as processes need it


def test_settings_tell_all_that_matters_and_nothing_else() -> None:
    config = FIGURE_5B["bench"]
    settings = plan_figure_5b(config)[0].settings
    assert plan_figure_5b(replace(config, data=Path("elsewhere")))[0].settings == settings
    assert plan_figure_5b(replace(config, seeds={"still": (0,)}))[0].settings == settings
    assert plan_figure_5b(replace(config, push=1))[0].settings != settings


def test_the_figure_has_a_panel_of_curves_and_a_map_for_each_arm() -> None:
    figure = figure_5b_figure(CELLS)
    assert isinstance(figure, Figure)
    curves, *maps = figure.axes
    assert len(maps) == len(ARMS)
    assert [text.get_text() for text in curves.get_legend().get_texts()] == [
        "with imagination",
        "without",
        "random pushes",
    ]
    thick = [line for line in curves.get_lines() if line.get_label() == "with imagination"]
    assert np.allclose(thick[0].get_ydata(), [0.2, 0.71, 0.78])


def test_the_figure_needs_cells_of_its_own() -> None:
    with pytest.raises(ValueError, match="expected cells whose arms begin with figure-5b, got none"):
        figure_5b_figure([replace(CELLS[0], arm="gae")])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"seeds": {"imaginary": (0,)}}, "expected arms among imagination, still, random, got imaginary"),
        ({"episode": 0}, "expected positive numbers"),
        ({"test_on": 5}, "at least 10 frames"),
    ],
)
def test_settings_that_cannot_be_run_are_refused(change: dict[str, object], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        replace(FIGURE_5B["smoke"], **change)
    assert isinstance(FIGURE_5B["smoke"], Figure5BConfig)
