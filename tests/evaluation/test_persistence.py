"""A memory is found where there is one, and no more is read off hidden frames than they hold."""

from __future__ import annotations

import numpy as np
import pytest

from perma_agent.data.article_worlds import HiddenObjectWorld
from perma_agent.evaluation.persistence import Persistence, persistence

WORLD = HiddenObjectWorld(canvas=16, hues=3)
DRAWN = WORLD.sequences(150, 30, np.random.default_rng(0))
IDENTITY = DRAWN.factors[:, 0, list(WORLD.identity)]
KINDS = [False, False, True]
EVERYWHERE = np.broadcast_to(IDENTITY[:, None], (*DRAWN.visible.shape, 3))
NOISE = np.random.default_rng(1).standard_normal((*DRAWN.visible.shape, 3))


def measured(codes: np.ndarray, *, seed: int = 0) -> Persistence:
    return persistence(codes, IDENTITY, DRAWN.visible, continuous=KINDS, seed=seed)


def test_a_code_that_remembers_tells_the_hidden_as_well_as_the_seen() -> None:
    found = measured(np.concatenate([EVERYWHERE + 1e-3 * NOISE, NOISE], axis=2))
    for scores in (found.seen, found.hidden, found.same):
        assert scores.min() > 0.95
    assert np.abs(found.chance[:2]).max() < 0.45
    hidden, seen = (DRAWN.visible == 0).sum(), (DRAWN.visible == 1).sum()
    assert found.frames[0] == pytest.approx(seen / 3, rel=0.2)
    assert found.frames[1] == pytest.approx(hidden / 3, rel=0.2)


def test_a_code_of_the_present_frame_tells_the_seen_only() -> None:
    shown = np.where(DRAWN.visible[..., None] > 0, EVERYWHERE, -1.0)
    found = measured(shown + 1e-3 * NOISE)
    assert found.seen.min() > 0.95
    assert np.abs(found.hidden).max() < 0.2
    assert found.same.max() < 0.2


@pytest.mark.slow
def test_a_memory_that_is_put_elsewhere_is_hidden_but_not_the_same() -> None:
    seen = DRAWN.visible[..., None] > 0
    codes = np.concatenate([np.where(seen, EVERYWHERE, 0), np.where(seen, 0, EVERYWHERE)], axis=2)
    found = measured(codes + 1e-3 * np.concatenate([NOISE, NOISE], axis=2))
    assert found.hidden.min() > 0.95
    assert found.same.max() < 0.2


@pytest.mark.slow
def test_a_code_that_knows_the_sequence_by_heart_tells_no_other_sequences_object() -> None:
    number = np.broadcast_to(np.random.default_rng(2).standard_normal((len(DRAWN), 1, 4)), (*DRAWN.visible.shape, 4))
    found = measured(number + 1e-3)  # every frame of a sequence alike, but unrelated to what the object is
    assert max(found.seen.max(), found.hidden.max()) < 0.25


@pytest.mark.slow
def test_what_was_never_seen_does_not_count() -> None:
    visible = DRAWN.visible.copy()
    visible[:, :10] = 0.0  # hidden from the start
    late = persistence(EVERYWHERE + NOISE, IDENTITY, visible, continuous=KINDS)
    counted = (visible == 0) & np.maximum.accumulate(visible == 1, axis=1)
    assert late.frames[1] == pytest.approx(counted.sum() / 3, rel=0.25)
    assert late.frames[1] < 0.2 * (visible == 0).sum() / 3


@pytest.mark.slow
def test_visibility_may_be_told_as_yes_or_no() -> None:
    codes = EVERYWHERE + 0.5 * NOISE
    sharp = DRAWN.visible > 0.5
    of_bool, of_share = (persistence(codes, IDENTITY, v, continuous=KINDS) for v in (sharp, sharp.astype(float)))
    np.testing.assert_array_equal(of_bool.hidden, of_share.hidden)


@pytest.mark.slow
def test_the_same_seed_gives_the_same_answer() -> None:
    codes = EVERYWHERE + NOISE
    first, again, other = (measured(codes, seed=seed) for seed in (3, 3, 4))
    np.testing.assert_array_equal(first.hidden, again.hidden)
    np.testing.assert_array_equal(first.chance, again.chance)
    assert (first.hidden != other.hidden).any()


def test_what_cannot_be_measured_is_told_in_a_sentence() -> None:
    codes = np.zeros((4, 5, 2))
    with pytest.raises(ValueError, match=r"expected codes \[B, T, D\], identity \[B, K\] and visible \[B, T\], got"):
        persistence(codes, np.zeros((4, 5)), np.zeros((4, 6)))
    with pytest.raises(ValueError, match="visible as shares from 0 to 1"):
        persistence(codes, np.zeros((4, 1)), np.full((4, 5), 2.0))
    with pytest.raises(ValueError, match="expected at least 30 frames that show all of the object"):
        persistence(codes, np.zeros((4, 1)), np.ones((4, 5)))
    with pytest.raises(ValueError, match="expected finite codes"):
        persistence(np.full((4, 5, 2), np.nan), np.zeros((4, 1)), np.ones((4, 5)))
