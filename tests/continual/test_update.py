"""What an update reports."""

from __future__ import annotations

import math

import pytest
import torch

from perma_agent.continual.environment_inference import EnvironmentInference, Verdict
from perma_agent.continual.environment_record import EnvironmentRecord
from perma_agent.continual.update import Update


def report(verdict: Verdict) -> tuple[Update, EnvironmentInference]:
    inference = EnvironmentInference(latents=3, max_environments=4, current=1, pending_batches=2)
    inference.records = [EnvironmentRecord.new(3), EnvironmentRecord.new(3)]
    inference.records[1].mask[0] = False
    alpha = torch.tensor([0.1, 2.5, 0.3])
    return Update.of(verdict, step=7, alpha=alpha, inference=inference, learnt={"loss/total": 3.0}), inference


def test_a_decided_batch() -> None:
    update, _ = report(Verdict(environment=1, opened=True, error=8.0, limit=9.0))
    assert (update.step, update.environment, update.opened) == (7, 1, True)
    assert update.mask.tolist() == [False, True, True]
    assert update.metrics == {
        "loss/total": 3.0,
        "environment/index": 1.0,
        "environment/count": 2.0,
        "environment/pending": 2.0,
        "environment/error": 8.0,
        "environment/limit": 9.0,
        "latents/masked": 1.0,
        "latents/atypicality_max": pytest.approx(2.5),
    }


def test_a_surprising_batch_has_no_index() -> None:
    update, _ = report(Verdict(environment=None))
    assert update.environment is None and math.isnan(update.metrics["environment/index"])
    assert "environment/error" not in update.metrics


def test_its_mask_is_a_copy() -> None:
    update, inference = report(Verdict(environment=1))
    inference.records[1].mask[:] = False
    assert update.mask.tolist() == [False, True, True]
