"""Codes and posteriors of many frames, on the CPU and in the order of the frames."""

import numpy as np
import pytest
import torch

from perma_agent.errors import FrameError
from perma_agent.temporal import ContrastiveConfig, PairVAEConfig, codes, make_host, posteriors
from perma_agent.types import LOG_VARIANCE_LIMIT


def test_posteriors_are_those_of_the_host_without_gradient(network, pairs):
    host = make_host(PairVAEConfig(network=network))
    found = posteriors(host, pairs.frames, frames_at_once=3)
    expected = host.posterior(torch.from_numpy(pairs.frames))
    torch.testing.assert_close(found.mean, expected.mean.detach())
    torch.testing.assert_close(found.log_variance, expected.log_variance.detach())
    assert not found.mean.requires_grad


def test_codes_are_float32_even_while_the_host_trains_in_bfloat16(network, pairs):
    host = make_host(PairVAEConfig(network=network))
    before = codes(host, pairs.frames)
    host.autocast = True
    assert np.array_equal(codes(host, pairs.frames), before)
    assert host.autocast


def test_sequences_keep_their_shape_and_are_never_cut(network, pairs):
    host = make_host(PairVAEConfig(network=network))
    sequences = pairs.frames.reshape(2, 4, 1, 16, 16)
    found = codes(host, sequences, frames_at_once=3)
    assert found.shape == (2, 4, 2)
    np.testing.assert_allclose(found.reshape(8, 2), codes(host, pairs.frames), rtol=1e-5, atol=1e-6)


def test_frames_may_be_views_that_torch_does_not_take(network, pairs):
    host = make_host(PairVAEConfig(network=network))
    np.testing.assert_allclose(codes(host, pairs.frames[::-1])[::-1], codes(host, pairs.frames), rtol=1e-5, atol=1e-6)


def test_a_code_without_spread_is_a_point(network, pairs):
    found = posteriors(make_host(ContrastiveConfig(network=network)), pairs.frames)
    assert (found.log_variance == -LOG_VARIANCE_LIMIT).all()


@pytest.mark.parametrize("shape", [(0, 1, 16, 16), (1, 16, 16)])
def test_what_is_no_batch_is_refused(network, shape):
    with pytest.raises(FrameError, match=r"expected frames \[N, C, H, W\] or sequences .* at least one, got shape"):
        codes(make_host(PairVAEConfig(network=network)), np.zeros(shape, np.uint8))
