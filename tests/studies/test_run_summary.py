"""Run summary: what a run folder says of its learner."""

from __future__ import annotations

from pathlib import Path

import torch

from perma_agent.continual.checkpoint import load_learner, save_run
from perma_agent.studies.run_summary import summarise_run
from perma_agent.version import __version__


def test_environments_with_their_latents(run: Path) -> None:
    learner = load_learner(run)
    (record,) = learner.inference.records
    record.settled, record.error, record.observed = True, 12.5, 3
    record.used = torch.tensor([True, False, True, False])
    record.mask = torch.tensor([True, True, True, False])
    save_run(learner, run, extra={"mine": 1})
    summary = summarise_run(run)
    (found,) = summary.environments
    assert (found.steps, found.settled, found.error) == (4, True, 12.5)
    assert (found.used, found.masked) == ((0, 2), (3,))
    assert (summary.step, summary.environment, summary.perma_agent) == (4, 0, __version__)
    assert summary.model == learner.model.config
    assert summary.learner == learner.config
    assert summary.extra == {"mine": 1}


def test_an_error_that_was_never_measured_is_none(run: Path) -> None:
    assert summarise_run(run).environments[0].error is None
