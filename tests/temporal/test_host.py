"""What all arms promise: one interface, frames checked, terms with weights, precision that leaves losses alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from perma_agent.errors import FrameError
from perma_agent.objectives import total
from perma_agent.temporal import HOSTS, FrameSequences, Host, NetworkConfig, make_host
from perma_agent.types import FramePairs

ARMS = sorted(HOSTS)


def host_of(name: str, network: NetworkConfig) -> Host[Any]:
    return make_host(HOSTS[name][0](network=network))


def batch_of(name: str, pairs: FramePairs) -> FramePairs | FrameSequences:
    if name != "memory-vae":
        return pairs
    frames = np.stack([pairs.frames, pairs.earlier], axis=1)
    return FrameSequences(np.tile(frames, (1, 5, 1, 1, 1)))


@pytest.mark.parametrize("name", ARMS)
def test_every_arm_gives_terms_with_weights_and_a_finite_gradient(name, network, pairs, generator):
    host = host_of(name, network)
    summands = host.summands(batch_of(name, pairs), step=1, generator=generator)
    loss, metrics = total(summands.terms, summands.weights)
    loss.backward()
    trained = {key: value for key, value in host.named_parameters() if value.requires_grad}
    assert [key for key, value in trained.items() if value.grad is None or not value.grad.isfinite().all()] == []
    assert set(metrics) == {*(f"loss/{term}" for term in summands.terms), "loss/total"}
    assert summands.codes.shape[1] == summands.change.shape[1] == network.latents
    assert not summands.codes.requires_grad
    assert not summands.change.requires_grad


@pytest.mark.parametrize("name", ARMS)
def test_every_arm_reads_frames_and_sequences_in_order(name, network, pairs):
    host = host_of(name, network).eval()
    frames = torch.from_numpy(pairs.frames)
    one_by_one = host.posterior(frames).mean
    sequences = host.posterior(frames.unflatten(0, (-1, 1))).mean
    assert one_by_one.shape == (8, network.latents)
    torch.testing.assert_close(sequences, one_by_one)


@pytest.mark.parametrize("name", ARMS)
def test_losses_are_float32_whatever_the_networks_run_in(name, network, pairs, generator):
    host = host_of(name, network)
    host.autocast = True
    summands = host.summands(batch_of(name, pairs), step=1, generator=generator)
    assert {term.dtype for term in summands.terms.values()} == {torch.float32}


@pytest.mark.parametrize("name", ARMS)
def test_foreign_frames_are_refused_in_one_sentence(name, network):
    host = host_of(name, network)
    with pytest.raises(FrameError, match=r"expected frames of shape \[N, 1, 16, 16\].*got \(2, 1, 8, 8\); set Network"):
        host.posterior(torch.zeros(2, 1, 8, 8, dtype=torch.uint8))
    with pytest.raises(FrameError, match=r"expected uint8 frames .* got dtype torch.float32"):
        host.posterior(torch.zeros(2, 1, 16, 16))


@pytest.mark.parametrize("name", [name for name in ARMS if name not in ("memory-vae", "pair-vae")])
def test_frames_without_time_are_refused(name, network, pairs, generator):
    with pytest.raises(FrameError, match=r"expected pairs of frames for .*, got frames of no trajectory"):
        host_of(name, network).summands(FramePairs.unpaired(pairs.frames), step=1, generator=generator)


def test_frames_are_scaled_to_between_0_and_1(network):
    host = host_of("pair-vae", network)
    frames = np.full((1, 1, 16, 16), 51, np.uint8)
    assert host.normalise(frames).unique().tolist() == pytest.approx([0.2])


def test_weights_are_drawn_by_the_seed_alone(network):
    config = HOSTS["pair-vae"][0](network=network)
    torch.manual_seed(5)
    before = torch.get_rng_state()
    first, second, other = make_host(config, seed=1), make_host(config, seed=1), make_host(config, seed=2)
    assert torch.equal(torch.get_rng_state(), before)
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters(), strict=True))
    assert not all(torch.equal(a, b) for a, b in zip(first.parameters(), other.parameters(), strict=True))


def test_no_host_is_made_of_a_foreign_config(network):
    with pytest.raises(TypeError, match=r"expected a config among PairVAEConfig, .*, got NetworkConfig"):
        make_host(network)
