"""Resume trial: a real training in processes that really die, and a comparison that sees every difference."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
import torch
from safetensors.torch import load, save

from perma_agent.continual.run_folder import read_files, write_files
from perma_agent.sb3.bundle import FILES, POLICY
from perma_agent.studies.sb3.resume_trial import ResumeTrialConfig, compare, run_resume_trial


def test_killed_twice_it_ends_where_it_would_have_ended(tmp_path: Path) -> None:
    config = ResumeTrialConfig(kills=2)
    short = dataclasses.replace(config, policy=dataclasses.replace(config.policy, timesteps=512))
    outcome = run_resume_trial(short, tmp_path)
    assert (outcome.max_difference, outcome.same_episodes) == (0.0, True)
    assert outcome.terminated + outcome.killed >= 1
    assert outcome.tensors > 100
    contents = read_files(tmp_path / "disturbed", FILES)
    weights = load(contents[POLICY])
    name = next(name for name in weights if name.endswith("action_net.bias"))
    weights[name] = torch.nextafter(weights[name], torch.tensor(9.0))
    write_files(tmp_path / "disturbed", {**contents, POLICY: save(weights)})
    assert 0 < compare(tmp_path / "straight", tmp_path / "disturbed")[1] < 1e-6
    write_files(tmp_path / "disturbed", {**contents, POLICY: save({"policy:other": torch.zeros(1)})})
    assert compare(tmp_path / "straight", tmp_path / "disturbed")[1] == float("inf")


@pytest.mark.slow
def test_killed_twenty_times_it_ends_where_it_would_have_ended(tmp_path: Path) -> None:
    outcome = run_resume_trial(ResumeTrialConfig(), tmp_path)
    assert (outcome.max_difference, outcome.same_episodes) == (0.0, True)
    assert outcome.terminated + outcome.killed == 20
    assert outcome.terminated > 0 and outcome.killed > 0


def test_a_trial_without_kills_is_no_trial() -> None:
    with pytest.raises(ValueError, match="expected at least one kill"):
        ResumeTrialConfig(kills=0)
