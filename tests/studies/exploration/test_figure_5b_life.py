"""Figure 5B's life, small: what is recorded of it, and that a seed sets it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from perma_agent.studies.exploration.figure_5b_config import FIGURE_5B
from perma_agent.studies.exploration.figure_5b_life import GRID, measure_figure_5b
from perma_agent.studies.planned_cell import Measured

SMOKE = FIGURE_5B["smoke"]
BRIEF = replace(
    SMOKE,
    batches=(6, 16, 6),
    batch=16,
    every=8,
    learn_on=100,
    test_on=50,
    pusher=replace(SMOKE.pusher, practice=128),
)


def live(arm: str, seed: int = 0) -> tuple[Measured, float]:
    told: list[float] = []
    measured = measure_figure_5b(BRIEF, arm, seed, told.append)
    return measured, sum(told)


@pytest.fixture(scope="module")
def still() -> Measured:
    return live("still")[0]


def test_without_imagination_digits_lie_where_they_lay(still: Measured) -> None:
    lay = np.array(still.series["lay"])
    assert lay.shape == (GRID, GRID) and lay[GRID // 2, GRID // 2] == lay.sum() >= 16 * 16
    assert still.figures["pushed"] == 0.0 and still.figures["covered"] == pytest.approx(1 / GRID**2)
    assert still.series["realised"] == []


def test_it_is_examined_every_so_many_batches_and_at_the_end_of_both_worlds(still: Measured) -> None:
    assert still.series["batches"] == [8, 16, 22, 24, 28]
    assert still.series["world"] == ["still", "still", "still", "moving", "moving"]
    assert still.series["starts"] == [6, 22]
    accuracy = still.series["accuracy"]
    assert still.figures["accuracy_still"] == accuracy[2] and still.figures["accuracy_moving"] == accuracy[-1]
    assert still.figures["gap"] == pytest.approx(accuracy[-1] - accuracy[2])


def test_the_seed_sets_all_of_it(still: Measured) -> None:
    again, told = live("still")
    assert again == still
    assert told == sum(BRIEF.batches)
    assert live("still", seed=1)[0].series["accuracy"] != still.series["accuracy"]


def test_arms_share_the_first_world(still: Measured) -> None:
    random = live("random")[0]
    assert random.figures["position_digits"] == still.figures["position_digits"]
    assert random.figures["pushed"] > 0.3


def test_with_imagination_all_parts_work_together() -> None:
    first, told = live("imagination")
    assert told == sum(BRIEF.batches)
    assert np.array(first.series["lay"]).sum() >= 16 * 16
    assert first.series["realised"]
    assert live("imagination")[0] == first
