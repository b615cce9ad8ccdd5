"""Which cells the study has, what they say of themselves, and what `--only` runs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from perma_agent.studies.exploration import PRESETS, run, study
from perma_agent.studies.exploration.arms import ARMS, WEIGHTS
from perma_agent.studies.exploration.cell_names import tuning_name
from perma_agent.studies.exploration.checks import plan_timing
from perma_agent.studies.exploration.config import ExplorationStudy, Tuning
from perma_agent.studies.exploration.explorer import ExplorerConfig
from perma_agent.studies.exploration.grounds import LEVELS
from perma_agent.studies.exploration.planning import levels_seen, plan_places, plan_runs, plan_tuning, weights_of

CONFIG = ExplorationStudy(
    preset="test",
    explorer=ExplorerConfig(steps=1_024),
    levels=("indoor-maze", "four-rooms"),
    free={"none": (0, 1), "rnd": (0,)},
    sparse={"rnd": (0,)},
    scratch={"rnd": (0,)},
    transferred={"none": (0,)},
    checked=(),
)


def test_every_arm_has_a_cell_in_each_mode_on_each_level_with_each_seed():
    names = [(cell.arm, cell.seed) for cell in plan_runs(CONFIG, Path("x"), {"none": 0.0, "rnd": 0.3})]
    assert names == [
        ("free-indoor-maze-none", 0),
        ("free-indoor-maze-none", 1),
        ("free-indoor-maze-rnd", 0),
        ("free-four-rooms-none", 0),
        ("free-four-rooms-none", 1),
        ("free-four-rooms-rnd", 0),
        ("sparse-indoor-maze-rnd", 0),
        ("sparse-four-rooms-rnd", 0),
        ("scratch-indoor-maze-rnd", 0),
        ("transfer-outdoor-maze-none", 0),
    ]


def test_settings_tell_modes_weights_and_levels_apart():
    cells = {cell.arm: cell for cell in plan_runs(CONFIG, Path("x"), {"none": 0.0, "rnd": 0.3})}
    free, sparse = cells["free-indoor-maze-rnd"].settings, cells["sparse-indoor-maze-rnd"].settings
    assert (free["extrinsic"], sparse["extrinsic"], free["weight"], free["arm"]) == (0.0, 1.0, 0.3, "rnd")
    assert "vase" in free and "vase" not in cells["scratch-indoor-maze-rnd"].settings
    assert cells["transfer-outdoor-maze-none"].settings["before"]["id"] == "perma/IndoorMaze-v0"
    assert cells["transfer-outdoor-maze-none"].work == 2 * cells["free-indoor-maze-rnd"].work
    other = replace(CONFIG, explorer=ExplorerConfig(steps=2_048))
    again = {cell.arm: cell.settings for cell in plan_runs(other, Path("x"), {"none": 0.0, "rnd": 0.3})}
    assert again["free-indoor-maze-rnd"] != free


def test_cells_tell_which_levels_they_see_through_a_vase_from_elsewhere():
    cells = {cell.arm: levels_seen(cell) for cell in plan_runs(CONFIG, Path("x"), {"none": 0.0, "rnd": 0.3})}
    assert cells["free-four-rooms-rnd"] == {"four-rooms"}
    assert cells["transfer-outdoor-maze-none"] == {"indoor-maze", "outdoor-maze"}
    assert cells["scratch-indoor-maze-rnd"] == set()
    places = plan_places(replace(CONFIG, checked=(0, 1)), Path("x"))
    assert [(cell.arm, cell.seed, levels_seen(cell)) for cell in places] == [
        (f"place-{level}", seed, {level}) for level in CONFIG.levels for seed in (0, 1)
    ]
    (timing,) = plan_timing(PRESETS["bench"], Path("x"))
    assert levels_seen(timing) == {"indoor-maze"}


def test_who_does_not_look_depends_on_no_vase():
    blind = replace(CONFIG, free={"wanderer": (0,)}, sparse={}, scratch={}, transferred={})
    cells = plan_runs(blind, Path("x"), {"wanderer": 0.0})
    assert len(cells) == 2
    assert all("vase" not in cell.settings and levels_seen(cell) == set() for cell in cells)


def test_a_weight_is_chosen_once_all_were_tried(make_cell):
    assert weights_of(CONFIG, []) == {"none": 0.0}
    tried = [
        make_cell(tuning_name("indoor-maze", "rnd", weight), seed=seed, met=met, weight=weight)
        for weight, each in zip(WEIGHTS, ((2, 4), (3, 9), (9, 8), (5, 10), (7, 6)), strict=True)
        for seed, met in zip(CONFIG.tuning.seeds, each, strict=True)
    ]
    assert weights_of(CONFIG, tried[:-1]) == {"none": 0.0}
    assert weights_of(CONFIG, tried) == {"none": 0.0, "rnd": 0.3}
    planned = [(cell.arm, cell.seed) for cell in plan_tuning(CONFIG, Path("x"))]
    assert planned == [(cell.arm, cell.seed) for cell in tried]


def test_only_runs_what_it_names_and_what_its_weights_are_chosen_by(monkeypatch, tmp_path):
    asked: list[list[str]] = []
    monkeypatch.setattr(study, "run_cells", lambda name, folder, cells, **_: asked.append([c.arm for c in cells]))
    monkeypatch.setattr(study, "_pretrain", lambda *_, **__: None)
    run(CONFIG, tmp_path, only="free-four-rooms-none")
    assert asked[0] == [] and asked[1] == ["free-four-rooms-none"] * 2
    asked.clear()
    run(CONFIG, tmp_path, only="sparse")
    assert asked[0] == [f"tune-indoor-maze-rnd-{weight:g}" for weight in WEIGHTS for _ in CONFIG.tuning.seeds]


def test_what_is_tuned_on_is_not_reported_on_and_arms_and_levels_are_known():
    with pytest.raises(ValueError, match="other seeds to tune on"):
        replace(CONFIG, tuning=Tuning(seeds=(1,)))
    with pytest.raises(ValueError, match="arms among"):
        replace(CONFIG, free={"nobody": (0,)})
    with pytest.raises(ValueError, match="levels among"):
        replace(CONFIG, levels=("moon",))


def test_bench_has_the_seeds_that_were_asked_for():
    bench = PRESETS["bench"]
    cells = plan_runs(bench, Path("x"), dict.fromkeys(bench.arms, 1.0))
    seeds = {}
    for cell in cells:
        seeds.setdefault(cell.arm, set()).add(cell.seed)
    for level in LEVELS:
        for arm in ARMS:
            assert len(seeds[f"free-{level}-{arm}"]) == (5 if arm in ("none", "rnd", "imagination", "wanderer") else 2)
        assert f"sparse-{level}-wanderer" not in seeds
        for arm in ("none", "rnd", "imagination"):
            assert len(seeds[f"sparse-{level}-{arm}"]) == 5
    for arm in ("none", "rnd", "imagination"):
        assert len(seeds[f"scratch-indoor-maze-{arm}"]) == len(seeds[f"transfer-outdoor-maze-{arm}"]) == 3


def test_who_learns_nothing_is_compared_reward_free_alone():
    with pytest.raises(ValueError, match="reward-free runs alone, got wanderer"):
        replace(CONFIG, sparse={"wanderer": (0,)})
