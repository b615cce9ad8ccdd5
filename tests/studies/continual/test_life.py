"""A life of tiny worlds: what is shown, when it is examined, and that it is the same again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from perma_agent.continual import InferenceConfig, Learner, LearnerConfig
from perma_agent.evaluation.probes import ProbeConfig
from perma_agent.models import VASEConfig
from perma_agent.objectives import CapacityConfig, CapacitySchedule, PermanenceConfig
from perma_agent.studies.continual.config import ARMS, LifeConfig, Sequence
from perma_agent.studies.continual.examination import Examiner
from perma_agent.studies.continual.life import live, new_learner
from perma_agent.studies.continual.lives import finished_learner, history_of, measure_life, worlds_of

SEQUENCE = Sequence(
    worlds=("moving-digits", "inverse-digits", "moving-digits"),
    steps=(5, 4, 3),
    classified=("moving-digits", "inverse-digits"),
    located=("moving-digits",),
)
TINY = LifeConfig(
    sequence=SEQUENCE,
    model=VASEConfig(channels=1, image_size=16, filters=(4, 4), hidden=8, latents=4, likelihood="bernoulli"),
    learner=LearnerConfig(
        autocast=False,
        capacity=CapacityConfig(schedule=CapacitySchedule(nats=5.0, steps=5)),
        permanence=PermanenceConfig(weight=0.0),
        inference=InferenceConfig(burn_in=3, patience=2),
    ),
    batch=8,
    every=4,
    learn_probes_on=60,
    test_probes_on=40,
    probe=ProbeConfig(hidden=(8,), epochs=2),
)


class Counted:
    """A world of one grey, which counts what is drawn of it."""

    def __init__(self, grey: int) -> None:
        self.grey, self.drawn = grey, 0

    def draw(self, count: int, rng: np.random.Generator) -> Any:
        self.drawn += 1
        noise = rng.integers(0, 20, (count, 1, 16, 16), dtype=np.uint8)
        return type("Batch", (), {"frames": noise + np.uint8(self.grey)})


def test_worlds_are_shown_in_order_and_examined_on_the_way() -> None:
    sources = {"moving-digits": Counted(0), "inverse-digits": Counted(200)}
    seen: list[int] = []
    ticks: list[None] = []

    def examine(learner: Learner) -> dict[str, Any]:
        seen.append(learner.step)
        return {"step": learner.step}

    life = live(TINY, sources, seed=0, examine=examine, on_batch=lambda: ticks.append(None))
    assert [(world.name, world.start) for world in life.worlds] == [
        ("moving-digits", 1),
        ("inverse-digits", 6),
        ("moving-digits", 10),
    ]
    # every fourth batch, and the last of each world (5, 9, 12; 12 once)
    assert seen == list(life.examined) == [4, 5, 8, 9, 12]
    assert [found["step"] for found in life.findings] == seen
    assert (sources["moving-digits"].drawn, sources["inverse-digits"].drawn) == (8, 4) and len(ticks) == 12
    assert life.history.steps.tolist() == list(range(1, 13))


@pytest.mark.parametrize("arm", [*ARMS, "sda-entangled", "none-entangled"])
def test_an_arm_switches_off_what_its_letters_do_not_name(arm: str) -> None:
    config = replace(TINY, arm=arm, renew_every=77).learner_of(5)
    letters = set() if arm.startswith("none") else set(arm.split("-")[0])
    assert config.seed == 5
    assert (config.inference.enabled, config.dreaming.enabled, config.mask.enabled) == tuple(
        x in letters for x in "sda"
    )
    assert config.capacity.disentangled == (not arm.endswith("-entangled"))
    assert config.dreaming.decoder_proximity == (
        0.0 if arm == "sd-encoder" else TINY.learner.dreaming.decoder_proximity
    )
    assert config.dreaming.renew_every == (None if "s" in letters else 77)


def test_the_same_seed_gives_the_same_weights_whoever_drew_before() -> None:
    first = new_learner(TINY, seed=3).model.state_dict()
    np.random.default_rng(0)
    second, other = new_learner(TINY, seed=3).model.state_dict(), new_learner(TINY, seed=4).model.state_dict()
    assert all((first[name] == second[name]).all() for name in first)
    assert not (first["encoder.hidden.weight"] == other["encoder.hidden.weight"]).all()


def test_an_examination_leaves_the_learner_as_it_was_and_repeats_itself() -> None:
    worlds = worlds_of(TINY, data=None)
    learner = new_learner(TINY, seed=0)
    examiner = Examiner(TINY, worlds, seed=0)
    before = {name: value.clone() for name, value in learner.model.state_dict().items()}
    noise = learner.generator.get_state()
    first, second = examiner(learner), examiner(learner)
    assert first == second
    assert all((value == before[name]).all() for name, value in learner.model.state_dict().items())
    assert (learner.generator.get_state() == noise).all()
    assert set(first["accuracy"]) == {"moving-digits", "inverse-digits"} and set(first["position_mse"]) == {
        "moving-digits"
    }
    assert all(0 <= share <= 1 for share in first["accuracy"].values()) and first["used"] == 0
    assert np.shape(first["information"]["inverse-digits"]) == (4,)


def test_a_cell_of_a_life_is_complete_and_repeatable(tmp_path: Path) -> None:
    first = measure_life(TINY, 0, None, tmp_path / "life", lambda work: None)
    second = measure_life(TINY, 0, None, None, lambda work: None)
    assert first == second
    assert {"accuracy/mean/final_less_best", "position_mse/mean/best", "inference/right"} <= set(first.figures)
    history, worlds = history_of(dict(first.series))
    assert worlds[1].name == "inverse-digits" and history.alpha.shape == (len(history.steps), 4)
    assert first.series["batches"] == 12 and history.steps[-1] == 12
    # the learner that was kept is the one that lived; one that was not kept is lived again
    kept, environments = finished_learner(TINY, 0, None, tmp_path / "life", lambda work: None)
    again, _ = finished_learner(TINY, 0, None, tmp_path / "other", lambda work: None)
    assert kept.step == again.step == 12 and set(environments) == {"moving-digits", "inverse-digits"}
    assert all((kept.model.state_dict()[name] == value).all() for name, value in again.model.state_dict().items())


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"arm": "sda-"}, r"^expected an arm among sda, sd, "),
        ({"every": 1}, r"^expected counts of at least 2, got "),
    ],
)
def test_bad_life(wrong: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        replace(TINY, **wrong)


def test_bad_sequence() -> None:
    with pytest.raises(ValueError, match=r"^expected a positive number of steps for each world, got "):
        replace(SEQUENCE, steps=(1, 2))
    with pytest.raises(ValueError, match=r"^expected probes of worlds in the sequence, got mnist$"):
        replace(SEQUENCE, classified=("mnist",))
