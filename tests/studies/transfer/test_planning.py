"""Which cells there are, and what their results depend on."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from perma_agent.studies.transfer import PARTS, PRESETS, plan
from perma_agent.studies.transfer.sample_efficiency.arms import ARMS
from perma_agent.studies.transfer.sample_efficiency.config import LEVELS, PretrainingConfig, SampleEfficiency
from perma_agent.studies.transfer.sample_efficiency.planning import codes_needed, plan_arms, plan_codes
from perma_agent.studies.transfer.sample_efficiency.pretraining import level_seed
from perma_agent.studies.transfer.sample_efficiency.running import is_wanted

FOLDER = Path("nowhere")


@pytest.mark.parametrize("preset", list(PRESETS))
def test_cells_are_planned_once_and_say_all_that_they_depend_on(preset):
    cells = plan(PRESETS[preset], FOLDER)
    keys = [(cell.arm, cell.seed) for cell in cells]
    assert len(set(keys)) == len(keys)
    for cell in cells:
        text = json.dumps(dict(cell.settings))
        assert json.loads(text) == cell.settings and "nowhere" not in text
        assert cell.settings["preset"] == preset and cell.arm.startswith("sample-efficiency-") and cell.work > 0
    settings = {json.dumps(dict(cell.settings), sort_keys=True) for cell in cells}
    assert len(settings) == len({cell.arm for cell in cells})


def test_bench_has_the_levels_arms_and_seeds_of_the_issue():
    config = PARTS["sample-efficiency"].presets["bench"]
    assert {choice.id for choice in config.levels.values()} == {"perma/IndoorForage-v0", "MiniWorld-OneRoom-v0"}
    assert set(config.arms) == {"nature", "random", "vae", "vase", "vase-continual", "oracle"}
    assert config.seeds == (0, 1, 2, 3, 4)
    assert len(PARTS["sample-efficiency"].presets["paper"].seeds) == 10


TUNED = ("steps_per_rollout", "batch_size", "epochs", "learning_rate")


def test_all_arms_share_budget_test_and_all_of_ppo_but_what_was_tuned():
    config = PRESETS["bench"].chosen["sample-efficiency"]
    shared, tuned = set(), {}
    for cell in plan_arms(config, FOLDER):
        policy = {key: value for key, value in cell.settings["policy"].items() if key not in ("continual", *TUNED)}
        shared.add(json.dumps([cell.settings["name"], policy, cell.settings["episodes"]], sort_keys=True))
        tuned.setdefault(cell.settings["arm"], set()).add(tuple(cell.settings["policy"][name] for name in TUNED))
        assert ("continual" in cell.settings["policy"]) == (cell.settings["arm"] == "vase-continual")
        assert ("pretraining" in cell.settings) == (ARMS[cell.settings["arm"]].code is not None)
    assert len(shared) == len(config.levels)
    assert tuned == {
        **{arm: {(128, 256, 4, 5e-4)} for arm in ("nature", "vase-continual")},  # on all levels and seeds
        **{arm: {(64, 128, 10, 1e-3)} for arm in ("random", "vae", "vase", "oracle")},
    }


def test_codes_are_made_for_the_arms_that_look_through_them():
    config = replace(PRESETS["bench"].chosen["sample-efficiency"], seeds=(0, 1))
    arms = plan_arms(config, FOLDER)
    wanted = [cell for cell in arms if is_wanted(cell, "forage-vase")]
    assert {cell.arm for cell in wanted} == {"sample-efficiency-forage-vase", "sample-efficiency-forage-vase-continual"}
    assert codes_needed(config, wanted) == {("forage", 0), ("forage", 1)}
    assert codes_needed(config, [cell for cell in arms if is_wanted(cell, "sample-efficiency-oneroom-nature")]) == set()
    assert plan_codes(replace(config, arms=("nature", "oracle")), FOLDER) == []


def test_the_vae_is_the_same_learner_without_all_that_makes_a_vase():
    config = PretrainingConfig()
    vae, vase = config.vae, config.vase
    assert (vae.learning_rate, vae.seed) == (vase.learning_rate, vase.seed)
    assert not vae.capacity.disentangled and vae.capacity.beta == 1.0 and not vae.permanence.acts
    assert not (vae.dreaming.enabled or vae.inference.enabled or vae.mask.enabled)
    assert vase.capacity.disentangled and vase.permanence.acts and vase.inference.enabled


def test_no_two_seeds_share_a_copy_of_a_level():
    assert level_seed(1) - level_seed(0) > 8_000 + 8  # the seeds of testing lie farthest from a cell's first one


def test_a_study_that_cannot_be_is_refused():
    with pytest.raises(ValueError, match=r"^expected timesteps that are whole rollouts of 1024 steps, got 40000"):
        config = PRESETS["bench"].chosen["sample-efficiency"]
        replace(config, policy=replace(config.policy, timesteps=40_000))
    with pytest.raises(ValueError, match=r"^expected timesteps that are whole rollouts of 1024 steps, got 500"):
        replace(config, timesteps={"forage": 500})
    with pytest.raises(ValueError, match=r"^expected policies of the arms nature, .* got one of 1536 for vase"):
        replace(config, policies={"vase": replace(config.policy, steps_per_rollout=192)})
    with pytest.raises(ValueError, match=r"^expected policies of the arms nature, .* for none"):
        replace(config, policies={"none": config.policy})
    with pytest.raises(ValueError, match=r"^expected timesteps of the levels forage, oneroom, got them of {'maze'}"):
        replace(config, timesteps={"maze": 1024})
    with pytest.raises(ValueError, match=r"^expected arms, levels, seeds from 0 and at least one episode"):
        SampleEfficiency(preset="smoke", arms=(), seeds=(0,), levels=dict(LEVELS))
    with pytest.raises(ValueError, match=r"^expected at least one frame, copy, update, pair and probed frame"):
        PretrainingConfig(updates=0)


def test_a_level_may_be_learnt_for_longer_than_others():
    config = replace(PRESETS["bench"].chosen["sample-efficiency"], timesteps={"forage": 2048})
    work = {cell.arm: (cell.work, cell.settings["policy"]["timesteps"]) for cell in plan_arms(config, FOLDER)}
    assert work["sample-efficiency-forage-nature"] == (2048, 2048)
    assert work["sample-efficiency-oneroom-nature"] == (40_960, 40_960)
