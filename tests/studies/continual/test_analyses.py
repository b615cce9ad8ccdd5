"""Analyses of learners that are hand-made, so that what they must find is known."""

import copy
import json
from types import MappingProxyType

import numpy as np
import pytest
import torch

from perma_agent.continual import Learner
from perma_agent.continual.environment_record import EnvironmentRecord
from perma_agent.data.image_sequences import image_world
from perma_agent.evaluation.ambiguity import AmbiguityConfig
from perma_agent.evaluation.atomic_write import plain
from perma_agent.evaluation.imagination_sheet import ImaginedMoves
from perma_agent.evaluation.object_position import object_positions
from perma_agent.evaluation.report.tiles import tiles_from_text
from perma_agent.models import VASE, VASEConfig
from perma_agent.studies.continual.analyses import (
    AnalysisConfig,
    measure_ambiguity,
    measure_cross_domain,
    measure_imagination,
)
from perma_agent.studies.continual.examination import Worlds
from perma_agent.types import Posterior

NAMES = ("moving-digits", "digits", "inverse-digits")
CONFIG = AnalysisConfig(
    frames=48,
    moved=6,
    shown=4,
    learn_on=600,
    ambiguity=AmbiguityConfig(weights=(0.0, 0.25, 0.5, 0.75, 1.0), shares=(0.0, 0.75, 0.25), batch=16, batches=4),
)
OWN = MappingProxyType({"moving-digits": 0, "digits": 1, "inverse-digits": 2})


class Inverts(VASE):
    """Latents 0 and 1 are the object's place, the others the pixels; environment 2 draws light what else is dark.

    q(s|x) goes by the corner's brightness. Environment 0 obeys the latents of place, the others leave it where it is.
    """

    def __init__(self):
        super().__init__(
            VASEConfig(channels=1, image_size=16, filters=(2, 2), hidden=4, latents=258, max_environments=3)
        )

    def encode(self, frames):
        dark = frames[:, :, :1, :1] < 0.5
        pixels = torch.where(dark, frames, 1 - frames).flatten(1)
        grid = torch.arange(16.0)
        mass = pixels.reshape(-1, 16, 16) + 1e-6
        x = (mass.sum(1) @ grid) / mass.sum((1, 2)) - 7.5
        y = (mass.sum(2) @ grid) / mass.sum((1, 2)) - 7.5
        mean = torch.cat([x[:, None], y[:, None], pixels], dim=1)

        class Encoding:
            posterior = Posterior(mean, torch.full_like(mean, -2.0))
            features = frames[:, :, 0, 0]

        return Encoding()

    def environment_logits(self, features):
        return torch.cat([0 * features - 9, 20 * (0.5 - features), 20 * (features - 0.5)], dim=1)

    def decode(self, latents, environment):
        drawn = latents[:, 2:].reshape(-1, 1, 16, 16)
        s = int(torch.as_tensor(environment).flatten()[0])
        if s == 0:
            by = (latents[:, :2] - self.encode(drawn).posterior.mean[:, :2]).round().int()
            drawn = torch.stack([frame.roll((int(y), int(x)), (1, 2)) for frame, (x, y) in zip(drawn, by, strict=True)])
        return 1 - drawn if s == 2 else drawn

    def mean_frame(self, output):
        return output.clamp(0, 1)


@pytest.fixture(scope="module")
def worlds():
    return Worlds(
        **{split: {name: image_world(name, split=split, canvas=16) for name in NAMES} for split in ("train", "test")}
    )


@pytest.fixture
def learner():
    torch.manual_seed(0)
    learner = Learner(Inverts())
    for index in range(3):
        record = EnvironmentRecord.new(258)
        record.settled, record.used = True, torch.arange(258) < 2
        record.mask = torch.arange(258) >= (2 if index else 0)
        learner.inference.records.append(record)
    return learner


def sheet_of(measured, name):
    series = measured.series[name]
    return tiles_from_text(series["sheet"], rows=series["sheet_rows"], columns=series["sheet_columns"])


def test_ambiguity_between_a_world_and_its_inverse(learner, worlds, rng):
    found = measure_ambiguity(learner, worlds, OWN, between=("inverse-digits", "digits"), rng=rng, config=CONFIG)
    # The corner's brightness is the weight of the inverse world: the boundary lies at a half.
    assert found.figures["ambiguity_centre"] == pytest.approx(0.5, abs=0.02)
    assert found.figures["ambiguity_width"] == pytest.approx(0.4, abs=0.05)  # on a grid of quarters
    assert found.series["ambiguity"]["shift"][:2] == [0, 1]
    assert 0 < found.figures["ambiguity_shift"] == found.series["ambiguity"]["shift"][2] < 1  # of a quarter of company
    assert found.figures["ambiguity_sigma_ratio"] == 1
    assert found.figures["ambiguity_elsewhere"] == 0.0001  # e^-9, rounded
    series = found.series["ambiguity"]
    assert series["worlds"] == ["inverse-digits", "digits"]
    assert series["environments"] == [2, 1]
    assert np.shape(series["averaged"]["first"]) == (3, 5)
    sheet = sheet_of(found, "ambiguity")
    assert sheet.shape == (3, 5, 1, 16, 16)
    np.testing.assert_array_equal(sheet[0, :, 0, 0, 0], [0, 64, 128, 191, 255])
    np.testing.assert_array_equal(sheet[1], 255 - sheet[2])


def test_class_and_place_across_worlds(learner, worlds, rng):
    found = measure_cross_domain(
        learner,
        worlds,
        OWN,
        moved=("moving-digits", "inverse-digits"),
        clothed=("digits", "inverse-digits"),
        rng=rng,
        config=CONFIG,
    )
    figures = found.figures
    assert figures["position_mean"] == 0
    assert figures["position_at_home"] == 0
    assert figures["position_found"] == 1
    assert figures["position_chance"] > 2
    assert 0 < figures["position_method"] < 1
    assert figures["class_abroad"] > 0.6
    assert figures["class_abroad"] > figures["class_untranslated"]
    assert figures["class_at_home"] == figures["class_real"]
    sheet = sheet_of(found, "class")
    assert sheet.shape == (4, 4, 1, 16, 16)
    np.testing.assert_array_equal(sheet[0], 255 - sheet[2])
    np.testing.assert_array_equal(sheet[0], sheet[3])


def test_imagination_where_the_decoder_obeys_and_where_it_does_not(learner, worlds, rng):
    found = measure_imagination(learner, worlds, OWN, moving="moving-digits", static="digits", rng=rng, config=CONFIG)
    figures, series = found.figures, found.series["imagination"]
    assert set(series["latents"]) == {0, 1}
    assert figures["imagination_position_rho2"] > 0.9
    assert figures["imagination_masked"] == 1
    assert figures["imagination_reach"] == 0
    assert figures["imagination_likeness"] == 1
    assert figures["imagination_kept"] == figures["imagination_kept_unmoved"] > 0.5
    assert figures["imagination_reach_moving"] == pytest.approx(4, abs=0.6)
    assert figures["imagination_monotonicity_moving"] > 0.9
    sheet = sheet_of(found, "imagination")
    assert sheet.shape == (4, 7, 1, 16, 16)
    assert (sheet[:2] == sheet[:1, :1]).all()
    across = object_positions(sheet[2 + series["latents"].index(0)])
    assert across[-1, 0] - across[0, 0] == pytest.approx(4, abs=1)


def test_imagination_sums_up_both_ends_and_all_latents(learner, worlds, rng, monkeypatch):
    moves = ImaginedMoves(
        latents=(0, 1),
        values=np.array([-1.0, 0.0, 1.0]),
        displacement=np.array([[[-3.0, 0], [0, 0], [1, 0]], [[0, 0], [0, 0], [0, 2]]]),
        likeness=np.array([[0.1, 1.0, 0.2], [0.3, 1.0, 0.6]]),
        kept=np.array([[0.0, 1.0, 0.5], [1.0, 1.0, 1.0]]),
        lost=np.array([[0.0, 0.0, 0.2], [0.0, 0.0, 0.0]]),
        kept_unmoved=0.9,
    )
    monkeypatch.setattr("perma_agent.studies.continual.imagination_analysis.imagine_moves", lambda *_, **__: moves)
    found = measure_imagination(learner, worlds, OWN, moving="moving-digits", static="digits", rng=rng, config=CONFIG)
    by_hand = {"likeness": 0.3, "kept": 0.625, "lost": 0.05, "reach": 3.0, "kept_unmoved": 0.9}
    assert {name: found.figures[f"imagination_{name}"] for name in by_hand} == by_hand


MEASURES = MappingProxyType(
    {
        "ambiguity": (measure_ambiguity, {"between": ("digits", "inverse-digits")}),
        "cross_domain": (measure_cross_domain, {"moved": ("moving-digits", "digits"), "clothed": NAMES[1:]}),
        "imagination": (measure_imagination, {"moving": "moving-digits", "static": "digits"}),
    }
)


@pytest.mark.parametrize("name", MEASURES)
def test_a_world_without_an_environment_has_no_figures_and_a_note(name, learner, worlds):
    measure, arguments = MEASURES[name]
    known, unknown, one = (
        measure(learner, worlds, environments, **arguments, rng=np.random.default_rng(0), config=CONFIG)
        for environments in (OWN, {**OWN, "digits": None}, dict.fromkeys(NAMES, 0))
    )
    assert set(known.figures) == set(unknown.figures) == set(one.figures)
    assert None not in known.figures.values()
    assert set(unknown.figures.values()) == set(one.figures.values()) == {None}
    assert {part["note"] for part in unknown.series.values()} == {"no environment was inferred for digits"}
    assert all("were taken for one environment, 0" in part["note"] for part in one.series.values())
    with pytest.raises(ValueError) as caught:
        measure(learner, worlds, {**OWN, "digits": 7}, **arguments, rng=np.random.default_rng(0), config=CONFIG)
    assert str(caught.value) == "expected one of the learner's 3 environments for digits, got 7"


@pytest.mark.parametrize("name", MEASURES)
def test_the_same_seed_gives_the_same_json_and_leaves_the_learner(name, learner, worlds):
    measure, arguments = MEASURES[name]
    learner.model.train()
    before = copy.deepcopy(learner.inference.records), learner.generator.get_state()
    one, other = (
        measure(learner, worlds, OWN, **arguments, rng=np.random.default_rng(4), config=CONFIG) for _ in range(2)
    )
    text = json.dumps([one.figures, one.series], allow_nan=False)
    assert text == json.dumps([other.figures, other.series])
    assert plain(one.series) == json.loads(text)[1]
    assert learner.model.training
    assert torch.equal(learner.generator.get_state(), before[1])
    assert all(torch.equal(a.mask, b.mask) for a, b in zip(learner.inference.records, before[0], strict=True))


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError) as caught:
        AnalysisConfig(frames=32)
    assert str(caught.value) == (
        "expected at least 1 frame moved and shown, and at least as many frames as these and as a batch of 64, "
        "got 64, 8 and 32"
    )
    with pytest.raises(ValueError, match=r"^expected at least 2 frames to learn on, got 1$"):
        AnalysisConfig(learn_on=1)
