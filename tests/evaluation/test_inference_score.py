"""Scores of made-up histories whose truth is known."""

import numpy as np
import pytest

from perma_agent.evaluation.history import LearningHistory, World
from perma_agent.evaluation.inference_score import score_inference


def history(environments, opened) -> LearningHistory:
    batches = len(environments)
    return LearningHistory(
        steps=np.arange(1, batches + 1),
        environments=np.array(environments),
        opened=np.isin(np.arange(1, batches + 1), opened),
        alpha=np.zeros((batches, 2), dtype=np.float32),
        mask=np.ones((batches, 2), dtype=bool),
        metrics={},
    )


INDOOR, OUTDOOR = World(name="indoor", start=1), World(name="outdoor", start=7)


def test_a_switch_found_two_batches_late():
    #                  1  2  3  4  5  6 |7   8  9 10
    score = score_inference(history([0, 0, 0, 0, 0, 0, -1, -1, 1, 1], opened=[1, 9]), [INDOOR, OUTDOOR])
    assert score.environments == (0, 1)
    assert score.lags == (2,)
    assert (score.missed, score.unrecognised, score.spurious) == (0, 0, 0)
    assert score.right(within=2)
    assert not score.right(within=1)


def test_a_switch_that_was_missed():
    score = score_inference(history([0] * 10, opened=[1]), [INDOOR, OUTDOOR])
    assert score.lags == (None,)
    assert (score.missed, score.spurious) == (1, 0)
    assert not score.right(within=100)


def test_spurious_environments_count_even_if_they_were_forgotten_and_their_index_used_again():
    # Index 1 opens at batch 3, is forgotten, and opens again at the true switch.
    score = score_inference(history([0, 0, 1, 0, 0, 0, 1, 1, 1, 1], opened=[1, 3, 7]), [INDOOR, OUTDOOR])
    assert score.environments == (0, 1)
    assert score.lags == (0,)
    assert score.spurious == 1
    assert not score.right(within=5)


def test_a_return_that_is_recognised():
    worlds = [INDOOR, World(name="outdoor", start=4), World(name="indoor", start=7)]
    score = score_inference(history([0, 0, 0, 1, 1, 1, -1, 0, 0, 0], opened=[1, 4]), worlds)
    assert score.lags == (0, 1)
    assert score.right(within=1)


def test_a_return_taken_for_something_new():
    worlds = [INDOOR, World(name="outdoor", start=4), World(name="indoor", start=7)]
    score = score_inference(history([0, 0, 0, 1, 1, 1, 2, 2, 2, 2], opened=[1, 4, 7]), worlds)
    assert score.lags == (0, None)
    assert (score.missed, score.unrecognised, score.spurious) == (0, 1, 1)


def test_a_world_that_only_surprised():
    score = score_inference(history([0] * 6 + [-1] * 4, opened=[1]), [INDOOR, OUTDOOR])
    assert score.environments == (0, None)
    assert (score.lags, score.missed) == ((None,), 1)


@pytest.mark.parametrize("starts", [[], [2], [1, 1], [5, 1], [1, 11]])
def test_worlds_that_do_not_fit_the_history_are_refused(starts):
    with pytest.raises(ValueError, match="expected"):
        score_inference(history([0] * 10, opened=[1]), [World(name=str(start), start=start) for start in starts])


def test_a_switch_noticed_only_after_more_than_half_of_the_visit_counts_as_late_not_as_missed():
    environments = [0] * 6 + [0] * 6 + [1] * 4  # 1 holds the second visit's second half (0 1 1 1 1)
    score = score_inference(history(environments, opened=[1, 13]), [INDOOR, OUTDOOR])
    assert score.environments == (0, 1)
    assert (score.lags, score.missed) == ((6,), 0)
