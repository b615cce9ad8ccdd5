"""Rows of the study from invented cells: means, bars, ratios, and what is missing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from perma_agent.evaluation.cells import Cell
from perma_agent.evaluation.results import Row
from perma_agent.studies.continual.rows import rows_of


def life(
    arm: str, seed: int, *, best: float, change: float, position: float = 1e-3, moved: float = 0.0, **figures: Any
) -> Cell:
    return Cell(
        study="continual",
        arm=arm,
        seed=seed,
        settings={"preset": "bench"},
        figures={
            "accuracy/mean/best": best,
            "accuracy/mean/final_less_best": change,
            "accuracy/mean/worst_less_own": 2 * change,
            "accuracy/mean/later_less_best": 3 * change,
            "position_mse/mean/best": position,
            "position_mse/mean/final_less_best": moved,
            "position_mse/mean/worst_less_own": moved,
            "position_mse/mean/later_less_best": moved,
            "inference/right": 1.0,
            "inference/missed": 0.0,
            "inference/unrecognised": 0.0,
            "inference/spurious": 0.0,
            **figures,
        },
        seconds=120.0 + 60 * seed,
        commit="abc",
    )


def rows(*cells: Cell) -> dict[str, Row]:
    return {row.id: row for row in rows_of(cells)}


def test_bars_by_hand() -> None:
    made = rows(
        life("three-sda", 0, best=0.80, change=-0.01, moved=1e-4),
        life("three-sda", 1, best=0.82, change=-0.03, moved=3e-4),
        life("three-none", 0, best=0.83, change=-0.08, moved=9e-4),
        life("three-none", 1, best=0.81, change=-0.10, moved=5e-4),
    )
    assert made["sda_change_accuracy"].mean == pytest.approx(-2.0) and made["sda_change_accuracy"].met
    assert made["sda_change_position_mse"].mean == pytest.approx(2.0) and made["sda_change_position_mse"].met is False
    assert made["sda_best_accuracy_less_none"].mean == pytest.approx(-1.0)
    assert made["ccivae_over_sda_change"].mean == pytest.approx(4.5)  # 9 points over 2
    assert made["sda_keeps_more_accuracy_than_none"].mean == pytest.approx(7.0)
    assert made["sda_keeps_more_accuracy_than_none"].low == pytest.approx(5.0)  # -3 against -8 at the worst
    assert made["sda_keeps_more_position_mse_than_none"].mean == pytest.approx(5.0)
    assert made["none_change_accuracy_worst_less_own"].mean == pytest.approx(-18.0)
    assert made["run_minutes"].mean == pytest.approx(2.5)
    assert (made["inference_right_of_30"].mean, made["inference_right_of_30"].met) == (2.0, False)


def test_a_loss_of_nothing_counts_as_a_tenth_of_a_point() -> None:
    made = rows(life("three-sda", 0, best=0.8, change=0.0), life("three-none", 0, best=0.8, change=-0.05))
    assert made["ccivae_over_sda_change"].mean == pytest.approx(50.0)


def test_thirty_right_lives_meet_the_bar() -> None:
    cells = [
        life(f"{name}-sda", seed, best=0.8, change=0.0) for name in ("three", "five", "return") for seed in range(10)
    ]
    assert rows(*cells)["inference_right_of_30"].met is True
    cells[7] = life("three-sda", 7, best=0.8, change=0.0, **{"inference/right": 0.0, "inference/spurious": 1.0})
    made = rows(*cells)
    assert made["inference_right_of_30"].mean == 29 and made["inference_spurious_three"].mean == 1


def test_bars_without_cells_say_so() -> None:
    made = rows(life("five-none", 0, best=0.8, change=-0.1))
    assert made["sda_change_accuracy"].mean is None and made["sda_change_accuracy"].met is False
    assert "ccivae_over_sda_change" not in made or made["ccivae_over_sda_change"].mean is None


def test_other_cells_give_a_row_for_each_figure() -> None:
    look = Cell(
        study="continual",
        arm="cross-sda",
        seed=0,
        settings={},
        figures={"position_mean": 1.5, "class_kept": None},
        seconds=1,
    )
    made = rows(look)
    assert made["cross_sda_position_mean"].mean == 1.5 and "cross_sda_class_kept" not in made


def test_intervals_are_the_same_each_time() -> None:
    cells = [life("three-sda", seed, best=0.8, change=float(np.sin(seed)) / 100 - 0.02) for seed in range(5)]
    assert rows(*cells) == rows(*cells)
