"""VASE: the paper's sizes, what it refuses, and where gradients do not go."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from perma_agent.errors import FrameError
from perma_agent.models import VASE, VASEConfig

SMALL = VASEConfig(channels=1, image_size=16, filters=(4, 8), hidden=12, latents=3, max_environments=2)


def new(config: VASEConfig = SMALL) -> VASE:
    torch.manual_seed(0)
    return VASE(config)


def frames_of(config: VASEConfig, count: int = 2) -> torch.Tensor:
    shape = (count, config.channels, config.image_size, config.image_size)
    return torch.randint(0, 256, shape, dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize(
    "config",
    [SMALL, VASEConfig.paper(), VASEConfig.paper(channels=3, likelihood="gaussian"), VASEConfig()],
    ids=["small", "paper", "paper in colour", "default"],
)
def test_shapes(config: VASEConfig) -> None:
    model, frames = new(config), frames_of(config)
    encoding = model.encode(model.normalise(frames))
    assert encoding.posterior.mean.shape == (2, config.latents)
    assert encoding.features.shape == (2, config.hidden)
    assert model.environment_logits(encoding.features).shape == (2, config.max_environments)
    assert model.decode(encoding.posterior.mean, 1).shape == frames.shape
    drawn = model.reconstruct(encoding.posterior.mean, 0)
    assert drawn.shape == frames.shape and 0 <= drawn.min() <= drawn.max() <= 1


def test_the_papers_network() -> None:
    model = new(VASEConfig.paper())
    layers = [layer for layer in model.encoder.convolutions if isinstance(layer, nn.Conv2d)]
    assert [layer.out_channels for layer in layers] == [64, 64, 128, 128]
    assert {(layer.kernel_size, layer.stride) for layer in layers} == {((4, 4), (2, 2))}
    assert (model.encoder.hidden.out_features, model.encoder.mean.out_features) == (256, 24)
    assert (model.config.max_environments, model.config.likelihood) == (7, "bernoulli")
    # encoder: 1·64·16+64 = 1,088; 64·64·16+64 = 65,600; 64·128·16+128 = 131,200; 128·128·16+128 = 262,272;
    #   2,048·256+256 = 524,544; two heads of 256·24+24 = 6,168
    encoder = 1_088 + 65_600 + 131_200 + 262_272 + 524_544 + 2 * 6_168
    # decoder: (24+7)·256+256 = 8,192; 256·2,048+2,048 = 526,336; 128·128·16+128 = 262,272; 128·64·16+64 = 131,136;
    #   64·64·16+64 = 65,600; 64·1·16+1 = 1,025
    decoder = 8_192 + 526_336 + 262_272 + 131_136 + 65_600 + 1_025
    head = 256 * 7 + 7
    assert sum(parameter.numel() for parameter in model.parameters()) == encoder + decoder + head == 1_993_400


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"channels": 2}, "expected channels 1 (grey) or 3 (RGB), got 2"),
        ({"image_size": 60}, "expected an image_size divisible by 16 (2 to the number of filters), got 60"),
        ({"image_size": 8}, "expected an image_size divisible by 16 (2 to the number of filters), got 8"),
        ({"image_size": 0}, "expected an image_size divisible by 16 (2 to the number of filters), got 0"),
        ({"likelihood": "laplace"}, "expected likelihood 'bernoulli' or 'gaussian', got 'laplace'"),
        ({"pixel_std": 0.0}, "expected a positive pixel_std, got 0.0"),
        ({"pixel_std": float("nan")}, "expected a positive pixel_std, got nan"),
        ({"filters": ()}, "expected at least one filter, got none"),
    ],
)
def test_bad_configurations(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError) as caught:
        VASEConfig(**wrong)
    assert str(caught.value) == message


@pytest.mark.parametrize("name", ["hidden", "latents", "max_environments"])
def test_sizes_must_be_positive(name: str) -> None:
    with pytest.raises(ValueError, match=r"^expected positive sizes, got VASEConfig\("):
        VASEConfig(**{name: 0})
    with pytest.raises(ValueError, match=r"^expected positive sizes"):
        VASEConfig(filters=(4, 0, 4, 4))


def test_filters_survive_json() -> None:
    back = VASEConfig(**json.loads(json.dumps(asdict(SMALL))))
    assert back == SMALL and back.filters == (4, 8)


def test_normalise() -> None:
    frames = torch.zeros(1, 1, 16, 16, dtype=torch.uint8)
    frames[0, 0, 0, :3] = torch.tensor([255, 51, 0], dtype=torch.uint8)
    assert new().normalise(frames)[0, 0, 0, :3].tolist() == pytest.approx([1.0, 0.2, 0.0])
    assert frames[0, 0, 0, 0] == 255  # the caller's are as they were


ONE_FORM = "expected uint8 frames [..., C, H, W] with 4 axes and 1 or 3 channels, got"


@pytest.mark.parametrize(
    ("frames", "message"),
    [
        (
            torch.zeros(2, 1, 16, 16),
            f"{ONE_FORM} dtype torch.float32; pass the level's own 0-255 pixels, not normalised ones",
        ),
        (torch.zeros(1, 16, 16, dtype=torch.uint8), f"{ONE_FORM} shape (1, 16, 16); add or drop the batch axis"),
        (
            torch.zeros(2, 16, 16, 1, dtype=torch.uint8),
            f"{ONE_FORM} shape (2, 16, 16, 1); move the channels before height and width, or take one frame of a stack",
        ),
        (
            torch.zeros(2, 3, 16, 16, dtype=torch.uint8),
            "expected frames of shape [B, 1, 16, 16], got (2, 3, 16, 16); wrap the level in "
            "perma_agent.wrappers.ObserveFrames or set VASEConfig.channels and image_size",
        ),
        (
            torch.zeros(2, 1, 16, 20, dtype=torch.uint8),
            "expected frames of shape [B, 1, 16, 16], got (2, 1, 16, 20); wrap the level in "
            "perma_agent.wrappers.ObserveFrames or set VASEConfig.channels and image_size",
        ),
    ],
    ids=["float", "one frame", "channels last", "colour", "not square"],
)
def test_normalise_refuses(frames: torch.Tensor, message: str) -> None:
    with pytest.raises(FrameError) as caught:
        new().normalise(frames)
    assert str(caught.value) == message


def test_environment_logits_give_the_encoder_no_gradient() -> None:
    model = new()
    encoding = model.encode(model.normalise(frames_of(SMALL)))
    model.environment_logits(encoding.features).sum().backward()
    assert all(parameter.grad is None for parameter in model.encoder.parameters())
    assert model.environment_head.weight.grad.abs().sum() > 0


def test_what_is_drawn_depends_on_the_environment() -> None:
    model, latents = new(), torch.randn(3, 3)
    first, second = model.decode(latents, 0), model.decode(latents, 1)
    assert not torch.allclose(first, second)
    mixed = model.decode(latents, torch.tensor([0, 1, 0]))
    torch.testing.assert_close(mixed, torch.stack([first[0], second[1], first[2]]))


@pytest.mark.parametrize(("likelihood", "mean"), [("bernoulli", [0.5, 0.75, 0.0]), ("gaussian", [0.0, 1.0, 0.0])])
def test_mean_frame(likelihood: Any, mean: list[float]) -> None:
    model = new(VASEConfig(filters=(4,), hidden=4, latents=2, image_size=16, channels=1, likelihood=likelihood))
    output = torch.tensor([0.0, np.log(3.0), -50.0])  # sigmoid(ln 3) = 3/4; means are cut to the pixel range
    assert model.mean_frame(output).tolist() == pytest.approx(mean, abs=1e-6)


def test_a_gaussian_decoder_begins_with_an_even_grey() -> None:
    colour = replace(SMALL, channels=3, likelihood="gaussian")
    latents = torch.randn(64, 3, generator=torch.Generator().manual_seed(1))
    drawn = new(colour).decode(latents, 0)
    assert drawn.mean().item() == pytest.approx(0.5, abs=0.05)
    assert drawn.std().item() < 0.2  # He's weights alone: ten times that, far outside the pixel range
    logits = new(replace(colour, likelihood="bernoulli")).decode(latents, 0)
    assert torch.allclose(logits * 0.1 + 0.5, drawn, atol=1e-6)  # the same weights, but for the last layer's
