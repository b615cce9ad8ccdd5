"""Weights are chosen by one rule: the greatest mean merit, of equals the smallest."""

from __future__ import annotations

import pytest

from perma_agent.evaluation.cells import Cell
from perma_agent.studies.permanence.tuning import chosen_weight, merit


def tried(weight: float, seed: int, dci: float, mcc: float) -> Cell:
    return Cell(
        study="permanence",
        arm=f"sprites-tune-l1-{weight:g}",
        seed=seed,
        settings={},
        figures={"weight": weight, "dci_forest": dci, "mcc": mcc},
        seconds=1.0,
        commit="0",
    )


def test_merit_is_the_mean_of_dci_and_mcc():
    assert merit(tried(1.0, 100, 0.2, 0.6)) == pytest.approx(0.4)


def test_the_greatest_mean_over_seeds_is_chosen_not_the_greatest_of_a_seed():
    cells = [
        tried(1.0, 100, 0.9, 0.9),
        tried(1.0, 101, 0.0, 0.0),  # mean 0.45
        tried(3.0, 100, 0.5, 0.5),
        tried(3.0, 101, 0.5, 0.5),  # mean 0.5
    ]
    assert chosen_weight(cells) == 3.0 and chosen_weight(cells[::-1]) == 3.0


def test_of_equals_the_smallest_is_chosen_whatever_the_order():
    cells = [tried(weight, 100, 0.3, 0.3) for weight in (10.0, 1.0, 3.0)]
    assert chosen_weight(cells) == 1.0 and chosen_weight(cells[::-1]) == 1.0


def test_weights_tried_on_other_seeds_are_not_compared():
    cells = [tried(1.0, 100, 0.3, 0.3), tried(3.0, 100, 0.9, 0.9), tried(3.0, 101, 0.9, 0.9)]
    with pytest.raises(ValueError, match=r"^expected the same seeds for every weight, got .*run the missing cells$"):
        chosen_weight(cells)
    with pytest.raises(ValueError, match=r"^expected the same seeds"):
        chosen_weight([])
