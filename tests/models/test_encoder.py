"""The encoder: sizes, and log-variances that no exponential can overflow."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from perma_agent.models.encoder import Encoder
from perma_agent.types import LOG_VARIANCE_LIMIT


def small_encoder() -> Encoder:
    torch.manual_seed(0)
    return Encoder(channels=1, image_size=16, filters=(4, 8), hidden=12, latents=3)


def test_sizes() -> None:
    # 16 → 8 → 4 pixels a side: 8 · 4 · 4 = 128 values enter the hidden layer
    encoder = small_encoder()
    convolutions = [layer for layer in encoder.convolutions if isinstance(layer, nn.Conv2d)]
    assert [(layer.in_channels, layer.out_channels) for layer in convolutions] == [(1, 4), (4, 8)]
    assert (encoder.hidden.in_features, encoder.hidden.out_features) == (128, 12)
    encoding = encoder(torch.rand(5, 1, 16, 16))
    assert encoding.posterior.mean.shape == encoding.posterior.log_variance.shape == (5, 3)
    assert encoding.features.shape == (5, 12) and (encoding.features >= 0).all()


@pytest.mark.parametrize("sign", [-1.0, 1.0])
def test_log_variance_is_clamped(sign: float) -> None:
    encoder = small_encoder()
    nn.init.constant_(encoder.log_variance.bias, sign * 1e4)
    posterior = encoder(torch.rand(2, 1, 16, 16)).posterior
    assert posterior.log_variance.unique().tolist() == [sign * LOG_VARIANCE_LIMIT]
    assert torch.isfinite(posterior.kl()).all()


def test_posterior_is_float32_under_autocast() -> None:
    with torch.autocast("cpu", torch.bfloat16):
        encoding = small_encoder()(torch.rand(2, 1, 16, 16))
    assert {encoding.posterior.mean.dtype, encoding.posterior.log_variance.dtype, encoding.features.dtype} == {
        torch.float32
    }


def test_each_frame_is_encoded_by_itself() -> None:
    encoder, frames = small_encoder(), torch.rand(4, 1, 16, 16)
    order = torch.tensor([2, 0, 3, 1])
    torch.testing.assert_close(encoder(frames[order]).posterior.mean, encoder(frames).posterior.mean[order])
