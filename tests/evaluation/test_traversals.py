"""What is drawn follows from the code, on a VASE whose weights are set so that every pixel is known."""

import numpy as np
import pytest
import torch

from perma_agent.errors import FrameError
from perma_agent.evaluation.traversals import (
    TRAVERSED,
    cross_domain,
    information_per_latent,
    latent_traversals,
    reconstruct,
)
from perma_agent.models import VASE, VASEConfig
from perma_agent.types import Posterior

GREY = np.full((2, 1, 4, 4), 128, dtype=np.uint8)


class Known(VASE):
    """μ = (mean brightness, 2, -1), σ = (1, 1, ½); draws .5 + z₀/4 + z₁/10 as environment 0, half of it as 1."""

    def __init__(self):
        super().__init__(
            VASEConfig(
                channels=1, image_size=4, filters=(2, 2), hidden=4, latents=3, max_environments=2, likelihood="gaussian"
            )
        )
        self.modes = []

    def encode(self, frames):
        self.modes.append(self.training)
        brightness = frames.mean(dim=(1, 2, 3))
        mean = torch.stack([brightness, torch.full_like(brightness, 2), torch.full_like(brightness, -1)], dim=1)
        log_variance = torch.tensor([0.0, 0.0, 2 * np.log(0.5)]).expand_as(mean).clone()

        class Encoding:
            posterior = Posterior(mean, log_variance)

        return Encoding()

    def decode(self, latents, environment):
        level = 0.5 + latents[:, 0] / 4 + latents[:, 1] / 10
        return (level / (environment + 1))[:, None, None, None].expand(-1, 1, 4, 4)


@pytest.fixture
def model():
    return Known()


def test_reconstructions_by_hand(model):
    # μ₀ = 128/255 = .50196; .5 + .50196/4 + .2 = .82549, times 255 = 210.5 -> 210 or 211; half of it 105.25 -> 105.
    assert reconstruct(model, GREY, environment=0)[0, 0, 0, 0] in (210, 211)
    assert (reconstruct(model, GREY, environment=1) == 105).all()


def test_masked_latents_take_the_priors_mean(model):
    # Without z₁: .5 + .50196/4 = .62549, times 255 = 159.5; without both 127.5, rounded to even 128.
    assert reconstruct(model, GREY, environment=0, mask=np.array([1, 0, 1]))[0, 0, 0, 0] in (159, 160)
    assert (reconstruct(model, GREY, environment=0, mask=torch.tensor([False, False, True])) == 128).all()


def test_cross_domain_by_hand(model):
    # As above: home .62549 -> 159.5, abroad half, 79.75 -> 80; back: μ₀ = 80/255 = .31373, z₁ = 2: .5 + .07843 + .2
    # = .77843, times 255 = 198.5.
    carried = cross_domain(model, GREY, home=0, abroad=1, home_mask=np.array([True, False, True]))
    assert (carried.abroad == 80).all()
    assert carried.at_home[0, 0, 0, 0] in (159, 160)
    assert carried.back[0, 0, 0, 0] in (198, 199)
    assert carried.frames is GREY
    # With z₁ masked on the way back too: .57843 · 255 = 147.5.
    carried = cross_domain(
        model, GREY, home=0, abroad=1, home_mask=np.array([1, 0, 1]), abroad_mask=np.array([1, 0, 1])
    )
    assert carried.back[0, 0, 0, 0] in (147, 148)


def test_traversals_by_hand(model):
    drawn = latent_traversals(model, GREY[0], environment=0, values=(-2.0, 0.0, 1.0))
    assert drawn.shape == (3, 3, 1, 4, 4)
    # z₀ = -2, 0, 1 with z₁ = 2: .2, .7, .95 times 255.
    np.testing.assert_array_equal(drawn[0, :, 0, 0, 0], [51, 178, 242])
    # z₁ = -2, 0, 1 with z₀ = .50196: .42549, .62549, .72549 times 255 = 108.5, 159.5, 185.
    np.testing.assert_allclose(drawn[1, :, 0, 0, 0], [108.5, 159.5, 185], atol=0.5)
    # The decoder ignores z₂.
    assert (drawn[2] == drawn[2, 0]).all()


def test_chosen_latents_in_their_order(model):
    everything = latent_traversals(model, GREY[0], environment=1)
    chosen = latent_traversals(model, GREY[0], environment=1, latents=[1, 0])
    assert everything.shape[1] == len(TRAVERSED)
    np.testing.assert_array_equal(chosen, everything[[1, 0]])


def test_information_by_hand(model):
    # ½(μ² + σ² - 1 - ln σ²): ½ · .50196² = .12598; ½ · 4 = 2; ½(1 + .25 - 1 + 1.38629) = .81815. A masked one: 0.
    np.testing.assert_allclose(information_per_latent(model, GREY), [0.12598, 2.0, 0.81815], atol=1e-4)
    masked = information_per_latent(model, GREY, mask=np.array([1, 0, 1]))
    np.testing.assert_allclose(masked, [0.12598, 0.0, 0.81815], atol=1e-4)


@pytest.mark.parametrize("training", [True, False])
def test_the_model_is_evaluated_and_given_back_as_it_was(model, training):
    model.train(training)
    reconstruct(model, GREY, environment=0)
    assert model.modes == [False]
    assert model.training is training
    with pytest.raises(ValueError, match="environment"):
        reconstruct(model, GREY, environment=2)
    assert model.training is training


def test_what_does_not_fit_is_refused(model):
    with pytest.raises(ValueError, match="expected an environment from 0 to 1, got -1"):
        reconstruct(model, GREY, environment=-1)
    with pytest.raises(ValueError, match=r"expected a mask of shape \[3\], got \(2,\)"):
        reconstruct(model, GREY, environment=0, mask=np.array([1, 0]))
    with pytest.raises(ValueError, match="expected latents from 0 to 2"):
        latent_traversals(model, GREY[0], environment=0, latents=[3])
    with pytest.raises(FrameError):
        reconstruct(model, GREY.astype(np.float32), environment=0)
    with pytest.raises(FrameError):
        latent_traversals(model, GREY, environment=0)


def test_a_real_vase_draws_the_same_twice_and_in_chunks(monkeypatch):
    torch.manual_seed(0)
    model = VASE(VASEConfig(filters=(4, 4, 4, 4), hidden=8, latents=5))
    frames = np.random.default_rng(0).integers(0, 256, (7, 3, 64, 64), dtype=np.uint8)
    drawn = reconstruct(model, frames, environment=1)
    assert drawn.shape == frames.shape
    assert drawn.dtype == np.uint8
    monkeypatch.setattr("perma_agent.evaluation.traversals.CHUNK", 3)
    np.testing.assert_allclose(reconstruct(model, frames, environment=1).astype(int), drawn, atol=1)
    start = latent_traversals(model, frames[0], environment=1)
    np.testing.assert_array_equal(start, latent_traversals(model, frames[0], environment=1))
