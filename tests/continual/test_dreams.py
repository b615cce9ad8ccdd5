"""Dreams: drawn from the snapshot's memory of each environment, the same for the same generator."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from perma_agent.continual.dreams import DreamConfig, Dreams, dream
from perma_agent.continual.latent_mask import Marginal
from perma_agent.continual.snapshot import Snapshot
from perma_agent.models import VASE, VASEConfig

COVARIANCE = torch.tensor([[0.5, 0.3, 0.0], [0.3, 0.4, 0.0], [0.0, 0.0, 0.01]])
MEANS = {0: 5.0, 2: -5.0}
"""Codes of the two environments lie far apart, so that it can be told whose a dream is."""


def snapshot_of(environments: dict[int, float]) -> Snapshot:
    torch.manual_seed(0)
    model = VASE(VASEConfig(channels=1, image_size=16, filters=(4, 8), hidden=12, latents=3, max_environments=4))
    marginals = {index: Marginal(torch.full((3,), mean), COVARIANCE) for index, mean in environments.items()}
    return Snapshot(model.eval().requires_grad_(False), marginals)


def dreams_of(environments: dict[int, float], *, seed: int = 0, **config: Any) -> Dreams:
    generator = torch.Generator().manual_seed(seed)
    drawn = dream(snapshot_of(environments), DreamConfig(**config), generator=generator)
    assert drawn is not None
    return drawn


def parts(dreams: Dreams) -> list[torch.Tensor]:
    posterior = dreams.posterior
    return [dreams.frames, dreams.latents, dreams.environments, dreams.output, posterior.mean, posterior.log_variance]


def test_without_a_past_there_is_nothing_to_dream_of(generator: torch.Generator) -> None:
    before = generator.get_state()
    assert dream(snapshot_of({}), DreamConfig(), generator=generator) is None
    assert torch.equal(generator.get_state(), before)


def test_the_same_generator_dreams_the_same() -> None:
    first, second = dreams_of(MEANS), dreams_of(MEANS)
    assert all(torch.equal(a, b) for a, b in zip(parts(first), parts(second), strict=True))
    assert not torch.equal(first.latents, dreams_of(MEANS, seed=1).latents)


def test_global_randomness_is_left_alone(generator: torch.Generator) -> None:
    snapshot = snapshot_of(MEANS)
    before = torch.get_rng_state()
    dream(snapshot, DreamConfig(), generator=generator)
    assert torch.equal(torch.get_rng_state(), before)


def test_each_environment_is_as_likely() -> None:
    chosen = dreams_of({**MEANS, 3: 0.0}, count=3000).environments
    shares = torch.bincount(chosen, minlength=4).tolist()
    assert shares[1] == 0 and sum(shares) == 3000
    assert all(abs(share - 1000) < 4 * (3000 * 1 / 3 * 2 / 3) ** 0.5 for share in (shares[0], *shares[2:]))


def test_a_dream_has_the_code_of_its_environment() -> None:
    dreams = dreams_of(MEANS, count=64)
    assert set(dreams.environments.tolist()) == {0, 2}
    assert torch.equal(dreams.latents[:, 0] > 0, dreams.environments == 0)


def test_codes_have_the_mean_and_covariance_they_were_seen_with() -> None:
    latents = dreams_of({1: 5.0}, count=5000).latents
    torch.testing.assert_close(latents.mean(dim=0), torch.full((3,), 5.0), rtol=0, atol=0.05)
    torch.testing.assert_close(torch.cov(latents.T), COVARIANCE, rtol=0, atol=0.03)


def test_codes_from_the_prior() -> None:
    latents = dreams_of({1: 5.0}, count=5000, from_prior=True).latents
    torch.testing.assert_close(latents.mean(dim=0), torch.zeros(3), rtol=0, atol=0.06)
    torch.testing.assert_close(torch.cov(latents.T), torch.eye(3), rtol=0, atol=0.08)


def test_everything_is_what_the_snapshot_says_of_it() -> None:
    dreams, model = dreams_of(MEANS, count=8), snapshot_of(MEANS).model
    torch.testing.assert_close(dreams.output, model.decode(dreams.latents, dreams.environments))
    torch.testing.assert_close(dreams.frames, model.mean_frame(dreams.output))
    torch.testing.assert_close(dreams.posterior.mean, model.encode(dreams.frames).posterior.mean)
    assert dreams.frames.shape == dreams.output.shape == (8, 1, 16, 16)
    assert 0 <= dreams.frames.min() <= dreams.frames.max() <= 1


def test_nothing_carries_gradient() -> None:
    snapshot = snapshot_of(MEANS)
    snapshot.model.requires_grad_(True)
    dreams = dream(snapshot, DreamConfig(), generator=torch.Generator())
    assert dreams is not None and not any(part.requires_grad for part in parts(dreams))


@pytest.mark.parametrize("wrong", [{"count": 0}, {"renew_every": 0}, {"renew_every": -5}])
def test_bad_configuration(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=r"^expected count >= 1 and renew_every >= 1 or None, got DreamConfig\("):
        DreamConfig(**wrong)
