"""Plausibility: what is drawn and seen again as it was imagined is plausible, what the decoder ignores is not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from perma_agent.imagination.plausibility import plausibility, return_trip

CODES = np.array([[1.0, 2.0], [-1.0, 0.5]], dtype=np.float32)
SECOND, BOTH = np.array([[False, True]] * 2), np.array([True, True])


def trip(view: Any, *, sources: tuple[int, int] = (0, 0), coarsest: float = 10.0) -> Any:
    return return_trip(
        view, CODES, replaced=SECOND, latents=BOTH, here=0, sources=np.array(sources), coarsest=np.full(2, coarsest)
    )


def test_codes_that_are_drawn_as_they_are_come_back(painted: Any) -> None:
    found = trip(painted())
    assert found.distance.max() < 0.5  # 8 bits of grey: half a grey is .0118, a quarter of σ


def test_what_the_decoder_ignores_does_not_come_back(painted: Any) -> None:
    found = trip(painted(ignored={0: (1,)}))
    assert found.replaced == pytest.approx([2.0 / 0.05, 0.5 / 0.05], abs=0.3)  # drawn as 0, in σ = .05
    assert found.kept.max() < 0.5


def test_what_was_met_elsewhere_may_come_back_from_there(painted: Any) -> None:
    found = trip(painted(ignored={0: (1,)}), sources=(1, 0))
    assert found.replaced[0] < 0.5 < 5 < found.replaced[1]


def test_where_the_posterior_is_wider_than_the_latent_its_spread_is_the_unit(painted: Any) -> None:
    assert trip(painted(ignored={0: (1,)}), coarsest=0.01).replaced[0] == pytest.approx(200.0, rel=0.01)


def test_the_score_is_as_written() -> None:
    score = plausibility(np.array([0.0, 3.0, 6.0, 1e6]), usual=0.2, tolerance=3.0)
    assert score[:3] == pytest.approx([1.0, np.exp(-0.5), np.exp(-2.0)])
    assert 0 < score[3] < 1e-30
    assert plausibility(np.array([6.0]), usual=2.0, tolerance=3.0)[0] == pytest.approx(np.exp(-0.5))
