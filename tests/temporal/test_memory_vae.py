"""The VAE with memory: what it sees of the past, the pairs whose change it is charged for, and what it keeps hidden."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from perma_agent.errors import FrameError
from perma_agent.objectives import PermanenceConfig, permanence_of_pairs
from perma_agent.temporal import (
    FrameSequences,
    MemoryVAE,
    MemoryVAEConfig,
    NetworkConfig,
    TrainingConfig,
    codes,
    make_host,
    train,
)
from perma_agent.types import Posterior

QUIET = PermanenceConfig(weight=0.0)


@pytest.fixture
def sequences(hidden_bars, rng) -> FrameSequences:
    return hidden_bars.draw(3, rng=rng)


def test_a_posterior_knows_the_past_and_not_the_future(network, sequences):
    host = make_host(MemoryVAEConfig(network=network))
    before = codes(host, sequences.frames)
    changed = sequences.frames.copy()
    changed[:, 2] = 255 - changed[:, 2]
    after = codes(host, changed)
    assert before.shape == (3, 6, 2)
    np.testing.assert_allclose(after[:, :2], before[:, :2], rtol=1e-4, atol=1e-5)
    assert (np.abs(after[:, 2:] - before[:, 2:]).max(axis=-1) > 1e-4).all()


def test_without_memory_every_frame_stands_by_itself(network, sequences):
    host = make_host(MemoryVAEConfig(network=network, memory=False))
    together = codes(host, sequences.frames)
    alone = codes(host, sequences.frames.reshape(-1, 1, 16, 16))
    np.testing.assert_allclose(together.reshape(-1, 2), alone, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(together[:, 3], together[:, 5], rtol=1e-4, atol=1e-5)  # all that is hidden is alike


def test_sequences_do_not_see_each_other(network, sequences):
    host = make_host(MemoryVAEConfig(network=network))
    np.testing.assert_allclose(
        codes(host, sequences.frames)[1:], codes(host, sequences.frames[1:]), rtol=1e-4, atol=1e-5
    )


def test_changes_are_charged_at_each_offset_inside_each_sequence(network, sequences, generator):
    permanence = PermanenceConfig(weight=2.0, b=0.5, relative=False, warm_up=0)
    host = MemoryVAE(MemoryVAEConfig(network=network, offsets=(1, 4), permanence=permanence))
    summands = host.summands(sequences, step=1, generator=generator)
    means = host.posterior(torch.from_numpy(sequences.frames)).mean.unflatten(0, (3, 6))
    expected = []
    for offset in (1, 4):
        now, before = means[:, offset:].reshape(-1, 2), means[:, : 6 - offset].reshape(-1, 2)
        spread = torch.zeros_like(now)
        values = permanence_of_pairs(
            Posterior(now, spread), Posterior(before, spread), torch.ones(2), b=0.5, relative=False
        )
        expected.append(values.mean())
    torch.testing.assert_close(summands.terms["permanence"], torch.stack(expected))
    assert summands.weights["permanence"] == 2.0
    assert {len(summands.terms[name]) for name in ("reconstruction", "information")} == {18}
    assert (len(summands.codes), len(summands.change)) == (18, 15)


def test_offsets_count_the_same_or_as_they_are_weighed(network, sequences, generator):
    even = PermanenceConfig(member="l1", warm_up=0)
    uneven = PermanenceConfig(member="l1", warm_up=0, offset_weights=((4, 3.0),))
    hosts = [make_host(MemoryVAEConfig(network=network, offsets=(1, 4), permanence=p)) for p in (even, uneven)]
    short, long = hosts[0].summands(sequences, step=1, generator=generator).terms["permanence"].tolist()
    weighed = hosts[1].summands(sequences, step=1, generator=generator).terms["permanence"]
    assert float(weighed.detach().mean()) == pytest.approx((1 * short + 3 * long) / 4)


def test_the_change_of_a_hidden_object_reaches_the_memory(network, sequences, generator):
    host = MemoryVAE(MemoryVAEConfig(network=network, offsets=(4,)))
    host.summands(sequences, step=1, generator=generator).terms["permanence"].sum().backward()
    assert host.memory is not None
    assert all(parameter.grad is not None and parameter.grad.any() for parameter in host.memory.parameters())
    assert all(parameter.grad is None for parameter in host.vase.decoder.parameters())


@pytest.mark.parametrize(("memory", "weight"), [(True, 50.0), (True, 0.0), (False, 50.0)])
def test_what_is_hidden_stays_in_the_code_where_memory_and_permanence_meet(hidden_bars, memory, weight):
    config = MemoryVAEConfig(
        network=NetworkConfig(image_size=16, filters=(8, 8), hidden=32, latents=3),
        memory=memory,
        offsets=(3, 4),
        permanence=PermanenceConfig(weight=weight, warm_up=100),
    )
    host = make_host(config)
    train(host, hidden_bars, TrainingConfig(steps=300, batch=16, learning_rate=3e-3))
    code = codes(host, hidden_bars.show(np.arange(hidden_bars.rows)))
    kept = code[:, -1].std(axis=0).max() / code[:, 0].std(axis=0).max()
    assert (kept > 0.2) == (memory and weight > 0)  # over four seeds 0.55 to 1.03 with both, 0.02 to 0.03 without


def test_sequences_must_be_longer_than_the_offsets(network, sequences, generator):
    host = MemoryVAE(MemoryVAEConfig(network=network, offsets=(1, 6)))
    with pytest.raises(FrameError, match=r"expected sequences of more than 6 frames for the offsets \(1, 6\), got 6"):
        host.summands(sequences, step=1, generator=generator)
    quiet = MemoryVAE(MemoryVAEConfig(network=network, offsets=(1, 6), permanence=QUIET))
    assert set(quiet.summands(sequences, step=1, generator=generator).terms) == {"reconstruction", "information"}


def test_no_sequences_are_refused(network, sequences, generator):
    with pytest.raises(FrameError, match="expected at least one sequence of frames, got none"):
        MemoryVAE(MemoryVAEConfig(network=network)).summands(
            FrameSequences(sequences.frames[:0]), step=1, generator=generator
        )


@pytest.mark.parametrize("offsets", [(), (0,), (2, 2)])
def test_offsets_are_checked(offsets):
    with pytest.raises(ValueError, match="expected different offsets of at least 1 step"):
        MemoryVAEConfig(offsets=offsets)


def test_the_present_frame_need_not_pass_through_the_memory(network, sequences):
    host = MemoryVAE(MemoryVAEConfig(network=network))
    assert host.memory is not None
    for parameter in host.memory.parameters():
        torch.nn.init.zeros_(parameter)  # a memory that always says 0
    frames = torch.from_numpy(sequences.frames)
    torch.testing.assert_close(host.posterior(frames).mean, host.encode(host.normalise(frames)).mean)
