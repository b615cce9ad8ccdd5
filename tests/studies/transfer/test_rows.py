"""Rows out of made-up cells, against numbers worked out by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from perma_agent.evaluation.results import Row
from perma_agent.studies.transfer.sample_efficiency.results import levels_of
from perma_agent.studies.transfer.sample_efficiency.rows import rows_of

SLOW = [0.0, 0.0, 1.0, 2.0]
FAST = [0.0, 2.0, 2.0, 3.0]


def by_id(cells) -> dict[str, Row]:
    return {row.id: row for row in rows_of(cells)}


@pytest.fixture
def cells(make_cell, make_players, make_codes):
    """Two levels, three seeds: VASE is twice as fast on one, and never as good as NatureCNN on the other."""
    made = []
    for seed in range(3):
        for level, ours in (("forage", FAST), ("oneroom", [0.0, 0.0, 1.0, 1.0])):
            made += [make_players(seed, level=level), make_codes(seed, level=level)]
            made += [
                make_cell("nature", seed, SLOW, level=level),
                make_cell("vase", seed, ours, level=level),
                make_cell("random", seed, [0.0] * 4, level=level),
                make_cell("vae", seed, [0.0, 1.0, 1.0, 1.0 + seed], level=level),
            ]
    return made


def test_the_steps_ratio_of_each_level_and_of_the_worst(cells):
    rows = by_id(cells)
    assert rows["steps_ratio_to_nature_return_forage"].mean == pytest.approx(20 / 40)
    missed = rows["steps_ratio_to_nature_return_oneroom"]
    assert missed.mean == 1.0 and "did not reach it within 40" in missed.note and "at least this" in missed.note
    main = rows["steps_ratio_to_nature_return"]
    assert main.mean == 1.0 and main.goal == "<= 0.333" and main.met is False and main.n == 3
    assert (main.low, main.high) == (1.0, 1.0)  # the worst in each resample too
    assert main.note.startswith("the worst level, oneroom, of forage, oneroom")
    pooled = rows["steps_ratio_to_nature_return_pooled"]
    # NatureCNN ends with 2; of VASE's six, (3, 3, 3, 1, 1, 1), the middle four do too, and not before
    assert pooled.mean == pytest.approx(40 / 40)


def test_a_ratio_within_a_third_meets_the_goal(make_cell):
    cells = [make_cell("nature", seed, [0.0, 0.0, 0.0, 1.0]) for seed in range(3)]
    cells += [make_cell("vase", seed, [1.0] * 4) for seed in range(3)]
    main = by_id(cells)["steps_ratio_to_nature_return"]
    assert (main.mean, main.low, main.high, main.met) == (0.25, 0.25, 0.25, True)


def test_a_nature_that_learnt_nothing_is_told_of(make_cell, make_players):
    cells = [make_cell("nature", seed, [0.0, 0.0, 0.0, -1.0]) for seed in range(3)]
    cells += [make_cell("vase", seed, [1.0] * 4) for seed in range(3)]
    cells += [make_players(0)]
    assert "NatureCNN did not beat the random player" in by_id(cells)["steps_ratio_to_nature_return"].note
    cells[0] = make_cell("nature", 0, [0.0, 0.0, 0.0, 1.0])
    assert "did not beat" in by_id(cells)["steps_ratio_to_nature_return"].note  # two of three seeds are not enough
    cells[1:3] = [make_cell("nature", seed, [0.0, 0.0, 0.0, 1.0]) for seed in (1, 2)]
    assert "did not beat" not in by_id(cells)["steps_ratio_to_nature_return"].note


def test_the_worst_level_may_be_one_that_was_not_reached(make_cell):
    cells = []
    for seed in range(3):  # NatureCNN is as good as in the end after 10 steps on one level: ratio 4, and it is reached
        for level, theirs, ours in (
            ("forage", [1.0] * 4, [0.0, 0.0, 0.0, 1.0]),
            ("oneroom", [0.0, 0.0, 0.0, 1.0], [0.0] * 4),
        ):
            cells += [make_cell("nature", seed, theirs, level=level), make_cell("vase", seed, ours, level=level)]
    main = by_id(cells)["steps_ratio_to_nature_return"]
    assert main.mean == 4.0 and "not reached on oneroom: the ratio is at least this" in main.note


def test_pretraining_is_counted_in_rows_of_their_own(cells):
    rows = by_id(cells)
    counted = rows["steps_ratio_with_pretraining_forage"]
    assert counted.mean == pytest.approx((40 + 20) / 40) and "40 frames" in counted.note
    # 4 s of recording, 10 s of learning, 4 s until the second rollout ended, over NatureCNN's 8 s
    assert rows["seconds_ratio_with_pretraining_forage"].mean == pytest.approx((4 + 10 + 4) / 8)
    assert rows["steps_ratio_to_nature_budget_forage"].mean == pytest.approx(0.5)


def test_differences_are_of_scores_between_the_two_players(cells):
    rows = by_id(cells)
    ours = np.array([3.0, 3.0, 3.0, 1.0, 1.0, 1.0])
    scores = (stats.trim_mean(ours, 0.25) + 1) / 4  # chance has -1, the knowing player 3
    assert rows["vase_final_score"].mean == pytest.approx(scores)
    over_random = rows["vase_over_random"]
    assert over_random.mean == pytest.approx(scores - 1 / 4)
    assert over_random.goal == "> 0 beyond the interval" and over_random.met is True and over_random.low > 0
    vae = np.array([1.0, 2.0, 3.0, 1.0, 2.0, 3.0])
    assert rows["vase_over_vae"].mean == pytest.approx(scores - (stats.trim_mean(vae, 0.25) + 1) / 4)
    assert rows["vase_over_vae"].met is False


def test_each_level_says_what_its_arms_and_players_had(cells):
    rows = by_id(cells)
    assert rows["forage_vase_final_return"].mean == 3.0 and rows["forage_vase_final_return"].unit == "reward"
    assert rows["forage_random_player_return"].mean == -1.0 and rows["forage_knowing_player_return"].mean == 3.0
    assert rows["forage_vase_learning_seconds"].mean == 8.0
    assert rows["oneroom_vae_pretraining_seconds"].mean == 6.0
    assert len(set(by_id(cells))) == len(rows_of(cells))


def test_the_bars_are_there_before_anything_was_run(make_cell, make_players):
    for cells in ([], [make_players(0)], [make_cell("nature", 0, SLOW)]):
        rows = by_id(cells)
        for bar in ("steps_ratio_to_nature_return", "vase_over_random", "vase_over_vae"):
            assert rows[bar].mean is None and rows[bar].met is False and "not been run" in rows[bar].note


def test_one_seed_has_no_interval_and_no_players_no_scores(make_cell, make_players):
    rows = by_id([make_cell("nature", 0, SLOW), make_cell("vase", 0, FAST)])
    main = rows["steps_ratio_to_nature_return"]
    assert main.n == 1 and main.low == main.mean == main.high == 0.5
    assert rows["vase_over_nature"].mean is None
    useless = replace(make_players(0), figures={"chance_return": 1.0, "knowing_return": 1.0})
    assert by_id([make_cell("nature", 0, SLOW), make_cell("vase", 0, FAST), useless])["vase_over_nature"].mean is None
    assert rows["forage_vase_final_return"].mean == 3.0


def test_arms_are_read_by_level_and_in_the_order_of_seeds(make_cell, make_players):
    cells = [make_cell("vase-continual", seed, [0.0, float(seed)]) for seed in (2, 0, 1)] + [make_players(0)]
    (level,) = levels_of(cells)
    assert level.final_returns("vase-continual").tolist() == [0.0, 1.0, 2.0]
    assert level.final_scores("vase-continual").tolist() == [0.25, 0.5, 0.75]
    assert (
        "vase" not in level.arms and level.before("vase-continual") == (40, 0.0) and level.before("nature") == (0, 0.0)
    )
