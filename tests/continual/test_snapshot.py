"""A snapshot stays as it was taken."""

from __future__ import annotations

import torch

from perma_agent.continual.environment_record import EnvironmentRecord
from perma_agent.continual.latent_mask import Marginal
from perma_agent.continual.snapshot import Snapshot
from perma_agent.models import VASE, VASEConfig


def new_model() -> VASE:
    torch.manual_seed(0)
    return VASE(VASEConfig(channels=1, image_size=16, filters=(4, 8), hidden=12, latents=3))


def record(*, settled: bool, mean: float = 0.0) -> EnvironmentRecord:
    made = EnvironmentRecord.new(3)
    made.settled, made.mean = settled, torch.full((3,), mean)
    return made


def test_it_does_not_follow_the_student() -> None:
    model = new_model().train()
    snapshot = Snapshot.take(model, [])
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(1.0)
    fresh = dict(new_model().named_parameters())
    assert all(torch.equal(value, fresh[name]) for name, value in snapshot.model.named_parameters())
    assert model.training and not snapshot.model.training


def test_it_takes_no_gradient_and_leaves_the_student_its_own() -> None:
    model = new_model()
    snapshot = Snapshot.take(model, [])
    assert not any(parameter.requires_grad for parameter in snapshot.model.parameters())
    assert all(parameter.requires_grad for parameter in model.parameters())


def test_it_remembers_settled_environments_only() -> None:
    snapshot = Snapshot.take(new_model(), [record(settled=True), record(settled=False), record(settled=True, mean=2.0)])
    assert list(snapshot.marginals) == [0, 2]
    assert snapshot.marginals[2].mean.tolist() == [2.0, 2.0, 2.0]


def test_later_batches_do_not_change_what_it_remembers() -> None:
    known = record(settled=True)
    snapshot = Snapshot.take(new_model(), [known])
    known.observe(torch.ones(4), Marginal(torch.ones(3), 5 * torch.eye(3)), contrast=1.0, memory=0.5)
    assert known.marginal.mean.tolist() == [1.0, 1.0, 1.0]
    assert snapshot.marginals[0].mean.tolist() == [0.0, 0.0, 0.0]
    assert torch.equal(snapshot.marginals[0].covariance, torch.eye(3))
