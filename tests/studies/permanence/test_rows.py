"""Rows of the study from invented cells: the bars by their ids, by hand, and what is missing."""

from __future__ import annotations

from typing import Any

import pytest

from perma_agent.evaluation.cells import Cell
from perma_agent.evaluation.results import Row
from perma_agent.studies.permanence.arms import BEST
from perma_agent.studies.permanence.rows import judged_member, rows_of

BARS = {
    "sprites_dci_gain",
    "sprites_mcc_gain",
    "miniworld_dci_gain",
    "miniworld_mcc_gain",
    "sprites_dci_gain_over_betavae",
    "arm_minutes",
    "metrics_seconds",
    "metrics_identical",
    "article_cases_met",
}


def cell(arm: str, seed: int, *, minutes: float = 4.0, **figures: Any) -> Cell:
    settings = {"preset": "bench"}
    return Cell(
        study="permanence",
        arm=arm,
        seed=seed,
        settings=settings,
        figures={"weight": 3.0, **figures},
        seconds=60 * minutes,
        commit="0",
    )


def rows(*cells: Cell) -> dict[str, Row]:
    return {row.id: row for row in rows_of(cells)}


def test_bars_are_there_with_and_without_cells():
    made = rows(cell("sprites-tune-l1-3", 100, weight=3.0, dci_forest=0.1, mcc=0.1))
    with_goals = {id for id, row in made.items() if row.goal is not None}
    assert with_goals >= BARS
    assert with_goals - BARS == {f"{ground}_{name}_gain" for ground in ("sparse", "outdoor") for name in ("dci", "mcc")}
    assert all(made[id].mean is None and made[id].met is False for id in BARS)


def test_gains_are_differences_of_means_in_points():
    made = rows(
        *(
            cell(f"sprites-{BEST}", seed, dci_disentanglement=dci, mcc_spearman=0.7)
            for seed, dci in ((0, 0.4), (1, 0.5))
        ),
        cell("sprites-slowvae", 0, dci_disentanglement=0.3, mcc_spearman=0.8),
        cell("sprites-none", 0, dci_disentanglement=0.1, mcc_spearman=0.4),
    )
    assert made["sprites_dci_gain"].mean == pytest.approx(15.0) and made["sprites_dci_gain"].met
    assert made["sprites_mcc_gain"].mean == pytest.approx(-10.0) and made["sprites_mcc_gain"].met is False
    assert made["sprites_dci_gain_over_betavae"].mean == pytest.approx(35.0)
    assert made["miniworld_dci_gain"].mean is None


def tried(arm: str, weight: float, seed: int, merit: float) -> Cell:
    return cell(f"miniworld-tune-{arm}-{weight:g}", seed, weight=weight, dci_forest=merit, mcc=merit)


def test_a_ground_is_judged_by_the_member_that_did_best_where_weights_are_chosen() -> None:
    p_b = [tried("p_b", weight, seed, merit) for weight, merit in ((5, 0.2), (20, 0.5)) for seed in (100, 101, 102)]
    other = [tried("together", 10, seed, merit) for seed, merit in ((100, 0.9), (101, 0.3), (102, 0.2))]
    assert judged_member([*p_b, *other], "miniworld") == judged_member([*p_b, *other], "outdoor") == "p_b"
    assert judged_member([*p_b, *other], "sprites") == BEST  # nothing was tried there
    assert judged_member([*p_b, *other[:2]], "miniworld") == BEST  # too few seeds
    assert judged_member([*p_b[1:], *other], "miniworld") == BEST  # not all of them yet
    measured = [
        cell(f"miniworld-{arm}", 0, dci_disentanglement=dci, mcc_spearman=0.5)
        for arm, dci in (("p_b", 0.4), ("together", 0.1), ("slowvae", 0.3))
    ]
    assert rows(*measured)["miniworld_dci_gain"].mean == pytest.approx(-20)
    made = rows(*measured, *p_b, *other)
    assert made["miniworld_dci_gain"].mean == made["miniworld_dci_gain_p_b"].mean == pytest.approx(10)


def test_costs_by_hand():
    made = rows(
        cell(f"sprites-{BEST}", 0, minutes=5.0, metrics_seconds=1.0, dci_disentanglement=0.1),
        cell(f"sprites-{BEST}", 1, minutes=8.0, metrics_seconds=1.0, dci_disentanglement=0.1),
        cell("metrics", 0, seconds=40.0, identical=1.0),
        cell("metrics", 1, seconds=50.0, identical=0.0),
        cell("sprites-tune-l1-3", 100, minutes=90.0),
    )
    assert made["arm_minutes"].mean == pytest.approx(6.5) and made["arm_minutes"].met is False
    assert made["metrics_seconds"].mean == pytest.approx(45.0) and made["metrics_seconds"].met
    assert made["metrics_identical"].mean == pytest.approx(0.5) and made["metrics_identical"].met is False


def test_a_gain_that_seeds_may_explain_misses_its_bar():
    ours = [cell(f"sprites-{BEST}", seed, dci_disentanglement=dci) for seed, dci in enumerate((0.2, 0.4, 0.3))]
    slow = [cell("sprites-slowvae", seed, dci_disentanglement=dci) for seed, dci in enumerate((0.3, 0.2, 0.35))]
    gain = rows(*ours, *slow)["sprites_dci_gain"]
    assert gain.mean is not None and gain.low is not None
    assert gain.mean > 0 > gain.low and gain.met is False


def test_seeds_to_tune_on_are_never_reported_on():
    reported = cell("sprites-l1", 0, weight=3.0, dci_disentanglement=0.2, mcc_spearman=0.3)
    tuned = [cell("sprites-tune-l1-3", seed, weight=3.0, dci_forest=0.9, mcc=0.9) for seed in (100, 101)]
    assert rows(reported) == rows(reported, *tuned)
    assert rows(reported)["sprites_l1_weight"].mean == 3.0


def test_equal_seeds_have_an_interval():
    made = rows(*(cell("sprites-l1", seed, permanence_of_noise=0.76) for seed in (0, 1, 2)))
    row = made["sprites_l1_permanence_of_noise"]
    assert row.low <= row.high and row.mean == pytest.approx(0.76)
