"""The weight of the greatest mean merit, of equals the smallest, and only where all were tried alike."""

from __future__ import annotations

import pytest

from perma_agent.studies.weight_choice import best_weight


def test_the_mean_over_seeds_decides() -> None:
    tried = [(1.0, 0, 0.9), (1.0, 1, 0.1), (3.0, 0, 0.6), (3.0, 1, 0.6)]
    assert best_weight(tried) == best_weight(tried[::-1]) == 3.0


def test_of_equals_the_smallest() -> None:
    assert best_weight([(3.0, 0, 0.5), (1.0, 0, 0.5)]) == 1.0


def test_other_seeds_or_none_are_refused() -> None:
    for tried in ([], [(1.0, 0, 0.5), (3.0, 1, 0.5)]):
        with pytest.raises(ValueError, match=r"^expected the same seeds for every weight"):
            best_weight(tried)
