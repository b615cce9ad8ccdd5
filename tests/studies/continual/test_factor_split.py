"""Factor-split lives: what opens when, what counts as lost and as kept, and that a whole cell comes out."""

from __future__ import annotations

import dataclasses
import json
import pickle
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from perma_agent.continual import Learner, LearnerConfig
from perma_agent.evaluation.atomic_write import plain
from perma_agent.models import VASEConfig
from perma_agent.studies.cell_runs import Measured
from perma_agent.studies.continual.factor_split import (
    ARMS,
    AT_ONCE,
    VASE_ARM,
    FactorSplit,
    SplitWorld,
    measure_factor_split,
    plan_factor_split,
)
from perma_agent.studies.continual.factor_split_examination import SCORES, FactorExaminer
from perma_agent.studies.continual.factor_split_scores import kept_latents, mig_drops, world_end
from perma_agent.studies.continual.life import new_learner

OPENS = (("x", "y"), ("scale",), ("hue",))


@pytest.fixture(scope="module")
def tiny() -> FactorSplit:
    """A life of a few batches."""
    model = VASEConfig(image_size=16, filters=(4, 4), hidden=8, latents=3, likelihood="bernoulli")
    return FactorSplit(
        preset="tiny", steps=(3, 2, 3), model=model, learner=LearnerConfig(), batch=8, every=10, test_frames=200
    )


def examination(world: int, holder: dict[str, int] | None = None, **gaps: float) -> dict[str, Any]:
    """What an examiner might have found: every factor but rotation is told by half."""
    told = {name: 0.1 if name == "rotation" else 0.5 for name in gaps}
    return {"world": world, "mig": gaps, "mig_home": dict.fromkeys(gaps, 0.5), "told": told, "holder": holder or {}}


def hand_made_life() -> list[dict[str, Any]]:
    """x peaks after its world and loses .3, y peaks within its world and loses nothing later, scale loses .05."""
    return [
        examination(0, x=0.1, y=0.9),
        examination(0, {"x": 0, "y": 1}, x=0.5, y=0.4),
        examination(1, x=0.6, y=0.4, scale=0.9),
        examination(1, {"x": 0, "y": 1, "scale": 2}, x=0.4, y=0.5, scale=0.25),
        examination(2, {"x": 0, "y": 3, "scale": 2, "hue": 1}, x=0.3, y=0.5, scale=0.2, hue=0.1),
    ]


def test_a_drop_is_from_the_best_since_the_factors_world_ended() -> None:
    drops = mig_drops(hand_made_life(), opens=OPENS)
    assert drops == pytest.approx({"x": 0.3, "y": 0.0, "scale": 0.05})  # nothing of hue, which opened last


def test_a_drop_since_the_worlds_end_may_be_a_gain() -> None:
    drops = mig_drops(hand_made_life(), opens=OPENS, best=False)
    assert drops == pytest.approx({"x": 0.2, "y": -0.1, "scale": 0.05})


def test_at_home_nothing_was_forgotten() -> None:
    assert set(mig_drops(hand_made_life(), opens=OPENS, key="mig_home").values()) == {0.0}


def test_kept_are_the_factors_whose_latent_still_tells_most() -> None:
    assert kept_latents(hand_made_life(), opens=OPENS) == pytest.approx(2 / 3)
    assert kept_latents(hand_made_life()[-1:], opens=(("x", "y", "scale", "hue"),)) is None


def test_what_no_latent_held_cannot_be_kept() -> None:
    life = [
        examination(0, {"x": 0, "rotation": 1}, x=0.5, rotation=0.1),
        examination(1, {"x": 0, "rotation": 2, "hue": 3}, x=0.5, rotation=0.1, hue=0.1),
    ]
    assert kept_latents(life, opens=(("x", "rotation"), ("hue",))) == 1.0


def test_a_latent_that_the_decoder_ignores_tells_nothing(tiny: FactorSplit) -> None:
    learner = new_learner(tiny.life(VASE_ARM), seed=0)
    with torch.no_grad():
        learner.model.encoder.mean.weight *= 100.0
        learner.model.encoder.mean.weight[0] *= 1e-5  # its means still differ from frame to frame
    worlds = [SplitWorld(("x", "y"), canvas=16)]
    means, samples = FactorExaminer(worlds, opens=(("x", "y"),), steps=(5,), frames=200, seed=0)._codes(learner, 0)
    assert (means[:, 0] == 0).all()
    assert means[:, 1:].any()
    assert samples[:, 0].std() > 0.5


def test_a_world_that_was_not_examined_is_told() -> None:
    assert world_end(hand_made_life(), 1) == 3
    with pytest.raises(ValueError, match="expected an examination in world 7"):
        world_end(hand_made_life(), 7)


@pytest.mark.parametrize("number", [0, 1, 2])
def test_only_open_factors_vary(tiny: FactorSplit, number: int) -> None:
    world = tiny.worlds()[number]
    batch = world.draw(400, np.random.default_rng(0))
    assert set(world.factors) == {name for own in tiny.opens[: number + 1] for name in own}
    assert batch.factors.shape == (400, len(world.factors))
    assert (np.ptp(batch.factors, axis=0) > 0).all()
    coloured = batch.frames[:, 1:].any()  # green or blue beside red
    assert coloured == ("hue" in world.factors)


def test_a_factor_that_is_not_open_has_a_value_which_it_takes_later_too() -> None:
    before, after = (SplitWorld(factors, canvas=16) for factors in (("x", "y"), ("x", "y", "hue")))
    places = np.array([[3, 12], [0, 7]])
    red = np.concatenate([places, np.zeros((2, 1), np.int64)], axis=1)
    np.testing.assert_array_equal(before._sprites.render(places), after._sprites.render(red))


def test_hues_go_from_red_to_yellow_and_do_not_close_their_circle() -> None:
    world = SplitWorld(("x", "y", "hue"), canvas=16)
    batch = world.draw(2_000, np.random.default_rng(0))
    assert set(batch.factors[:, 2]) == set(SplitWorld.VALUES["hue"])
    assert not batch.frames[:, 2].any()  # nothing blue
    assert (batch.frames[:, 0] >= batch.frames[:, 1]).all()


class OracleCodes(FactorExaminer):
    """Reads the codes off the factors: latent k holds the k-th open factor of the last world."""

    def _codes(self, learner: Learner, world: int) -> tuple[np.ndarray, np.ndarray]:
        names, batch = self._tests[world]
        columns = [batch.factors[:, names.index(name)] for own in self.opens[: world + 1] for name in own]
        codes = np.stack([*columns, *[np.zeros(len(batch))] * (4 - len(columns))], axis=1)
        return codes, codes


def test_a_code_of_the_factors_themselves_gets_full_marks(tiny: FactorSplit) -> None:
    worlds = [SplitWorld(names, canvas=16) for names in (("x", "y"), ("x", "y", "scale"))]
    examiner = OracleCodes(worlds, opens=(("x", "y"), ("scale",)), steps=(5, 5), frames=800, seed=0)
    learner = new_learner(tiny.life(VASE_ARM), seed=0)
    learner.step = 5
    assert set(examiner(learner)["mig"]) == {"x", "y"}
    learner.step = 6
    found = examiner(learner)
    assert found["holder"] == {"x": 0, "y": 1, "scale": 2}
    assert found["world"] == 1
    assert min([*found["mig"].values(), *found["mig_home"].values()]) > 0.9
    assert all(found[name] > 0.9 for name in SCORES)


@pytest.mark.parametrize("arm", list(ARMS))
def test_a_whole_cell(tiny: FactorSplit, arm: str) -> None:
    batches: list[float] = []
    found = measure_factor_split(tiny, arm, 0, batches.append)
    assert sum(batches) == 8
    assert found.series["steps"][-1] == 8
    assert {*SCORES, "mig_drop", "kept_latents", "environments", "mig_hue"} <= set(found.figures)
    assert len(found.series["mig"]["hue"]) == len(found.series["steps"])
    if arm == AT_ONCE:
        assert found.figures["mig_drop"] is None
        assert None not in found.series["mig"]["hue"]
    else:
        assert found.series["mig"]["hue"][0] is None
        assert set(found.series["mig"]) == {"x", "y", "scale", "rotation", "hue"}
    json.dumps(plain(dataclasses.asdict(found)), allow_nan=False)


def test_the_same_seed_gives_the_same_life(tiny: FactorSplit) -> None:
    first, second = (measure_factor_split(tiny, VASE_ARM, 3, lambda _: None) for _ in range(2))
    assert isinstance(first, Measured)
    assert first == second


def test_the_plan_has_a_cell_for_each_arm_and_seed_and_can_be_sent_elsewhere(tiny: FactorSplit) -> None:
    plan = plan_factor_split(tiny)
    assert {(cell.arm, cell.seed) for cell in plan} == {(arm, seed) for arm in ARMS for seed in (0, 1, 2)}
    assert all(cell.settings["preset"] == "tiny" and cell.work == 8 for cell in plan)
    json.dumps(plan[0].settings, allow_nan=False)
    assert plan_factor_split(replace(tiny, seeds=(5,)))[0].settings == plan[0].settings
    assert pickle.loads(pickle.dumps(plan[0].measure)).args[1:] == (plan[0].arm, 0)


def test_what_cannot_be_lived_is_told(tiny: FactorSplit) -> None:
    with pytest.raises(ValueError, match="expected at least two factors in the first world"):
        replace(tiny, opens=(("x",), ("y", "hue"), ("scale",)))
    with pytest.raises(ValueError, match="expected each factor to open once"):
        replace(tiny, opens=(("x", "y"), ("x",), ("hue",)))
    with pytest.raises(ValueError, match="expected an arm among"):
        tiny.life("sda")
