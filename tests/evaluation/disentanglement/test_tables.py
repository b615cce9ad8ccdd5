"""What the metrics refuse, word for word, and how rows are split."""

import re

import numpy as np
import pytest

from perma_agent.evaluation.disentanglement import Settings
from perma_agent.evaluation.disentanglement.tables import checked_table, split_rows

CODES = np.arange(12.0).reshape(6, 2)
FACTORS = np.array([[0, 0], [0, 1], [1, 0], [1, 1], [2, 0], [2, 1]])
HOLED = np.where(np.arange(12).reshape(6, 2) == 3, np.nan, CODES)


@pytest.mark.parametrize(
    ("arguments", "more", "sentence"),
    [
        ((CODES[0], FACTORS), {}, "expected codes of shape [N, D], got (2,)"),
        ((CODES[:1], FACTORS[:1]), {}, "expected at least 2 rows of codes, got 1"),
        ((CODES[:, :1], FACTORS), {"latents": 2}, "expected at least 2 latents, got 1"),
        ((HOLED, FACTORS), {}, "expected finite codes, got 1 that are not; drop the rows"),
        ((CODES, FACTORS[:5]), {}, "expected factors of shape [6, K], a row per code, got (5, 2)"),
        ((CODES, FACTORS[:, 0]), {}, "expected factors of shape [6, K], a row per code, got (6,)"),
        ((CODES, FACTORS[:, :1]), {"least_factors": 2}, "expected at least 2 factors, got 1"),
        ((CODES, HOLED), {}, "expected finite factors, got 1 that are not; drop the rows"),
        (
            (CODES, FACTORS, [True]),
            {},
            "expected continuous to be one bool or 2, one per factor, got 1",
        ),
        ((CODES, FACTORS * [1, 0]), {}, "expected factors that vary, got factor 1 constant at 0; leave it out"),
        (
            (CODES, CODES),
            {},
            "expected a discrete factor 0 to repeat its values, got 6 in 6 rows; declare it continuous, or bring more "
            "rows",
        ),
    ],
)
def test_refusals(arguments, more, sentence):
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        checked_table(*arguments, **more)


def test_labels_number_discrete_values_and_bin_continuous_ones():
    table = checked_table(CODES, np.stack([FACTORS[:, 0] * 7 - 3, CODES[:, 0]], axis=1), [False, True])
    assert table.labels(2).tolist() == [[0, 1], [0, 1], [1, 1], [1, 2], [2, 2], [2, 2]]


def test_a_third_is_held_out_and_the_generator_decides_which():
    table = checked_table(CODES, FACTORS[:, 1:])
    train, test = split_rows(table, np.random.default_rng(0), held_out=None, share=1 / 3)
    assert test.sum() == 2
    assert (train ^ test).all()
    again = split_rows(table, np.random.default_rng(0), held_out=None, share=1 / 3)[1]
    assert again.tolist() == test.tolist()
    drawn = {tuple(split_rows(table, np.random.default_rng(s), held_out=None, share=1 / 3)[1]) for s in range(9)}
    assert len(drawn) > 1


@pytest.mark.parametrize(
    ("held_out", "sentence"),
    [
        (np.zeros(6), "expected held_out as bool of shape [6], got float64 (6,)"),
        (np.zeros(5, bool), "expected held_out as bool of shape [6], got bool (5,)"),
        (np.zeros(6, bool), "expected held_out to leave rows on both sides, got 0 of 6 held out"),
        (np.ones(6, bool), "expected held_out to leave rows on both sides, got 6 of 6 held out"),
        (FACTORS[:, 0] > 0, "expected factor 0 to vary in the rows learnt from, got 0 only; bring more"),
    ],
)
def test_splits_that_cannot_be(held_out, sentence, rng):
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        split_rows(checked_table(CODES, FACTORS), rng, held_out=held_out, share=0.5)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"bins": 1}, "expected bins >= 2, got 1"),
        ({"boosting_trees": 0}, "expected boosting_trees >= 1, got 0"),
        ({"test_share": 1.0}, "expected test_share in (0, 1), got 1.0"),
        ({"svm_c": 0.0}, "expected svm_c > 0, got 0.0"),
        ({"smallest_std": -1.0}, "expected smallest_std >= 0, got -1.0"),
    ],
)
def test_settings_that_cannot_be(settings, sentence):
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        Settings(**settings)


def test_defaults_are_those_of_the_study():
    study = Settings()
    assert (study.bins, study.svm_c, study.boosting_trees, study.group) == (20, 0.01, 100, 64)
    assert (study.train_groups, study.test_groups, study.smallest_std) == (10_000, 5_000, 0.05)
