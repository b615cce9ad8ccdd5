"""Weights are chosen by the area under coverage, on equal seeds."""

from __future__ import annotations

import pytest

from perma_agent.studies.exploration.tuning import chosen_weight


def test_the_weight_of_the_greatest_mean_area_is_chosen_and_of_equals_the_smallest(make_cell):
    def tried(weight: float, *met: int) -> list:
        return [
            make_cell(f"tune-indoor-maze-rnd-{weight:g}", seed=100 + seed, met=count, weight=weight)
            for seed, count in enumerate(met)
        ]

    assert chosen_weight([*tried(0.1, 4, 4), *tried(0.3, 9, 9), *tried(1.0, 2, 12)]) == 0.3
    assert chosen_weight([*tried(1.0, 5), *tried(0.1, 5)]) == 0.1
    with pytest.raises(ValueError, match="same seeds for every weight"):
        chosen_weight([*tried(0.1, 4, 4), *tried(0.3, 9)])
    with pytest.raises(ValueError, match="same seeds for every weight"):
        chosen_weight([])
