"""The plan: weights first, on other seeds; then every arm with the weight chosen for it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from perma_agent.evaluation.cells import Cell
from perma_agent.studies.permanence.arms import ARMS
from perma_agent.studies.permanence.config import Comparison
from perma_agent.studies.permanence.planning import plan_arms, plan_tuning, weights_of
from perma_agent.studies.permanence.presets import PRESETS, PermanenceStudy

FOLDER = Path("nowhere")


@pytest.fixture
def config(comparison: Comparison) -> PermanenceStudy:
    both = replace(comparison, seeds={"l1": (0, 1), "pcl": (0,)}, tuned_on=(100, 101))
    return PermanenceStudy(preset="test", comparisons={"sprites": both})


def tried(weight: float, seed: int, score: float) -> Cell:
    figures = {"weight": weight, "dci_forest": score, "mcc": score}
    name = f"sprites-tune-l1-{weight:g}"
    return Cell(study="permanence", arm=name, seed=seed, settings={}, figures=figures, seconds=1.0, commit="0")


def test_every_weight_is_tried_on_every_seed_to_tune_on_and_no_other(config):
    cells = [(cell.arm, cell.seed) for cell in plan_tuning(config, FOLDER)]
    assert cells == [(f"sprites-tune-l1-{weight:g}", seed) for weight in ARMS["l1"].weights for seed in (100, 101)]


def test_a_ground_may_try_other_weights_than_an_arms_own(config):
    other = replace(config.comparisons["sprites"], weights={"l1": (7.0, 70.0), "pcl": (1.0, 2.0)})
    cells = plan_tuning(replace(config, comparisons={"sprites": other}), FOLDER)
    assert {cell.arm for cell in cells} == {f"sprites-tune-{name}" for name in ("l1-7", "l1-70", "pcl-1", "pcl-2")}
    done = [tried(weight, seed, weight) for weight in (7.0, 70.0) for seed in (100, 101)]
    assert weights_of(replace(config, comparisons={"sprites": other}), done)["sprites", "l1"] == 70.0


def test_an_arm_is_planned_once_its_weight_can_be_chosen(config):
    all_but_one = [tried(weight, seed, 0.1) for weight in ARMS["l1"].weights for seed in (100, 101)][:-1]
    assert weights_of(config, []) == weights_of(config, all_but_one) == {("sprites", "pcl"): 1.0}
    last = ARMS["l1"].weights[-1]
    weights = weights_of(config, [*all_but_one, tried(last, 101, 0.9)])
    assert weights == {("sprites", "pcl"): 1.0, ("sprites", "l1"): last}
    planned = plan_arms(config, FOLDER, weights)
    assert [(cell.arm, cell.seed) for cell in planned] == [("sprites-l1", 0), ("sprites-l1", 1), ("sprites-pcl", 0)]
    assert planned[0].settings["host"]["permanence"]["weight"] == last


def test_seeds_of_another_run_do_not_choose_a_weight(config):
    others = [tried(weight, seed, 0.9) for weight in ARMS["l1"].weights for seed in (0, 1, 102)]
    assert ("sprites", "l1") not in weights_of(config, others)


def test_a_seed_that_is_reported_on_cannot_be_tuned_on(comparison):
    with pytest.raises(ValueError, match=r"^expected other seeds to tune on than to report on, got \[0\] for both$"):
        replace(comparison, tuned_on=(0, 100))
    with pytest.raises(ValueError, match=r"^expected a seed to tune on and a look"):
        replace(comparison, tuned_on=())


@pytest.mark.parametrize("preset", list(PRESETS))
def test_cells_are_planned_once_and_say_all_that_they_depend_on(preset):
    config = replace(PRESETS[preset], data=Path("somewhere"), processes=7)
    weights = {(name, arm): ARMS[arm].weights[0] for name, one in config.comparisons.items() for arm in one.seeds}
    arms = plan_arms(config, FOLDER, weights)
    cells = [*plan_tuning(config, FOLDER), *arms]
    keys = [(cell.arm, cell.seed) for cell in cells]
    assert arms and len(set(keys)) == len(keys)
    for cell in cells:
        text = json.dumps(dict(cell.settings))
        assert json.loads(text) == cell.settings  # as it will be read back, or no cell would be found again
        assert cell.settings["preset"] == preset and "somewhere" not in text and "nowhere" not in text
    settings = {json.dumps(dict(cell.settings), sort_keys=True) for cell in arms}
    assert len(settings) == len({cell.arm for cell in arms})


def test_bench_has_the_arms_and_seeds_of_the_issue():
    seeds = PRESETS["bench"].comparisons["sprites"].seeds
    assert {"none", "l1", "l2", "slowvae", "ada-gvae", "pcl", "p_b", "direction"} <= set(seeds)
    assert all(len(own) >= 3 for own in seeds.values())
