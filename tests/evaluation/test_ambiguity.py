"""Ambiguity on a VASE that tells environments by brightness, so that every boundary is known."""

import numpy as np
import pytest
import torch

from perma_agent.errors import FrameError
from perma_agent.evaluation.ambiguity import AmbiguityConfig, ambiguity
from perma_agent.models import VASE, VASEConfig
from perma_agent.types import Posterior

WHITE = np.full((16, 1, 4, 4), 255, np.uint8)
BLACK = np.zeros((16, 1, 4, 4), np.uint8)
USED = np.array([True, False])
CONFIG = AmbiguityConfig(shares=(0.0, 0.25, 0.75), batch=8, batches=4)


class ByBrightness(VASE):
    """q(s = 0 | x) = sigmoid(k (b - 0.4)), the rest is 1's; σ = (0.2 (1 + b) + 1.2 min(b, 1 - b), 1); b: brightness."""

    def __init__(self, *, k=20.0):
        super().__init__(VASEConfig(channels=1, image_size=4, filters=(2, 2), hidden=4, latents=2, max_environments=3))
        self.k, self.modes = k, []

    def encode(self, frames):
        self.modes.append(self.training)
        b = frames.mean(dim=(1, 2, 3))
        std = torch.stack([0.2 * (1 + b) + 1.2 * torch.minimum(b, 1 - b), torch.ones_like(b)], dim=1)

        class Encoding:
            posterior = Posterior(torch.zeros_like(std), 2 * std.log())
            features = b[:, None]

        return Encoding()

    def environment_logits(self, features):
        return torch.cat([self.k * (features - 0.4), 0 * features, 0 * features - 100], dim=1)


def look(model, *, first=WHITE, second=BLACK, environments=(0, 1), known=2, used=USED, config=CONFIG, seed=0):
    return ambiguity(
        model,
        first,
        second,
        environments=environments,
        known=known,
        used=used,
        config=config,
        rng=np.random.default_rng(seed),
    )


def test_single_mixtures_by_hand():
    found = look(ByBrightness())
    w = found.weights
    np.testing.assert_allclose(found.single, np.tile(1 / (1 + np.exp(-20 * (w - 0.4))), (16, 1)), atol=0.012)
    # sigmoid reaches 0.1 and 0.9 at 0.4 ± ln 9 / 20.
    for one in (found.mean_boundary, found.usual_boundary):
        assert one.centre == pytest.approx(0.4, abs=0.005)
        assert one.width == pytest.approx(2 * np.log(9) / 20, abs=0.03)
    assert (found.elsewhere == 0).all()


def test_the_world_that_is_named_first_decides_the_direction():
    found = look(ByBrightness(), first=BLACK, second=WHITE, environments=(1, 0))
    assert found.mean_boundary.centre == pytest.approx(0.6, abs=0.005)


def test_context_enters_by_the_batch_average_alone():
    model = ByBrightness()
    found = look(model)
    q = found.single[0]
    ends = q[-1], q[0]  # of real frames of the first and of the second world
    for row, real in enumerate(ends):
        for column, mixed in enumerate((8, 6, 2)):
            expected = (mixed * q + (8 - mixed) * real) / 8
            np.testing.assert_allclose(found.averaged[row, column], expected, atol=1e-6)
            np.testing.assert_array_equal(found.decided[row, column], expected > 0.5)
    # No company: both alike, and the decision at 0.4, between the grid's 0.4 and 0.35 or 0.45. A quarter of company:
    # the mixtures need q > 1/3 or q > 2/3: ± ln 2 / 20. Three quarters: always, and never.
    boundaries = found.decision_boundaries
    np.testing.assert_allclose(boundaries[:, 0], 0.4, atol=0.026)
    np.testing.assert_allclose(boundaries[:, 1], [0.4 - np.log(2) / 20, 0.4 + np.log(2) / 20], atol=0.026)
    np.testing.assert_array_equal(boundaries[:, 2], [0.0, 1.0])
    assert found.shift[0] == 0
    assert 0.05 <= found.shift[1] <= 0.1001
    assert found.shift[2] == 1


def test_averages_are_those_of_batches_encoded_as_one(rng):
    torch.manual_seed(0)
    model = VASE(VASEConfig(channels=1, image_size=8, filters=(4, 4), hidden=8, latents=2, max_environments=3)).eval()
    first, second = (rng.integers(0, 256, (12, 1, 8, 8), dtype=np.uint8) for _ in range(2))
    config = AmbiguityConfig(weights=(0.0, 0.5, 1.0), shares=(0.5,), batch=6, batches=1)
    found = look(model, first=first, second=second, environments=(2, 0), known=3, config=config, seed=5)
    chosen = np.random.default_rng(5).permutation(12)[:6]
    mixed, real = chosen[:3], chosen[3:]
    half = np.rint(0.5 * first[mixed] + 0.5 * second[mixed]).astype(np.uint8)
    for row, company in enumerate((first, second)):
        batch = torch.from_numpy(np.concatenate([half, company[real]]))
        with torch.no_grad():
            logits = model.environment_logits(model.encode(model.normalise(batch)).features)
        expected = logits.softmax(dim=1).mean(dim=0)
        assert found.averaged[row, 0, 1] == pytest.approx(float(expected[2]), abs=1e-6)
        assert found.decided[row, 0, 1] == float(expected.argmax() == 2)


def test_sigma_grows_in_the_middle():
    found = look(ByBrightness())
    w = found.weights
    np.testing.assert_allclose(found.sigma_used, 0.2 * (1 + w) + 1.2 * np.minimum(w, 1 - w), atol=0.005)
    assert found.sigma_ratio == pytest.approx(3, abs=0.05)  # 0.9 over the mean of 0.2 and 0.4
    assert found.sigma_ratio_all == pytest.approx(0.95 / 0.65, abs=0.01)
    unused = look(ByBrightness(), used=np.zeros(2, bool))
    assert np.isnan(unused.sigma_ratio)
    assert unused.sigma_ratio_all == found.sigma_ratio_all


def test_environments_that_are_known_share_the_probability():
    model = ByBrightness(k=0.0)  # a half each, for as long as nobody else is known
    model.environment_logits = lambda features: torch.zeros(len(features), 3)
    assert look(model).single == pytest.approx(0.5)
    third = look(model, known=3)
    assert third.single == pytest.approx(1 / 3)
    assert third.elsewhere == pytest.approx(1 / 3)


def test_the_same_seed_gives_the_same_and_the_model_its_mode_back():
    model = ByBrightness().train()
    frames = np.random.default_rng(0).integers(0, 256, (2, 16, 1, 4, 4), dtype=np.uint8)
    one, other = (look(model, first=frames[0], second=frames[1], seed=3) for _ in range(2))
    np.testing.assert_array_equal(one.averaged, other.averaged)
    assert model.training
    assert set(model.modes) == {False}


def test_what_does_not_fit_is_refused():
    model = ByBrightness()
    with pytest.raises(FrameError) as caught:
        look(model, first=WHITE[:7], second=BLACK[:7])
    assert str(caught.value) == (
        "expected as many frames of one world as of the other, at least a batch of 8, got 7 and 7; draw more"
    )
    with pytest.raises(ValueError, match=r"^expected two different environments, got \(1, 1\)$"):
        look(model, environments=(1, 1))
    with pytest.raises(ValueError, match=r"^expected environments among the 2 known, at most 3, got \(0, 2\)$"):
        look(model, environments=(0, 2))
    with pytest.raises(ValueError, match=r"^expected used as bool \[2\], got int64 \(3,\)$"):
        look(model, used=np.ones(3, int))
    with pytest.raises(ValueError, match=r"^expected at least 3 weights rising from 0 to 1, got \(0.0, 0.5, 0.9\)$"):
        AmbiguityConfig(weights=(0.0, 0.5, 0.9))
    with pytest.raises(ValueError, match=r"^expected shares of company from 0 to less than 1, got \(1.0,\)$"):
        AmbiguityConfig(shares=(1.0,))
    with pytest.raises(ValueError, match=r"^expected at least 1 batch of at least 2 frames, got 0 of 64$"):
        AmbiguityConfig(batches=0)
