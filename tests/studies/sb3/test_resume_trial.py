"""Resume trial: a real training in processes that really die, and a comparison that sees every difference."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
import torch
from safetensors.torch import save

from perma_agent.continual.checkpoint import FILES as RUN_FILES
from perma_agent.continual.run_folder import write_files
from perma_agent.sb3.saving.bundle import FILES
from perma_agent.studies.sb3.resume_trial import ResumeTrialConfig, compare, run_resume_trial


@pytest.mark.slow
def test_killed_twice_it_ends_where_it_would_have_ended(tmp_path: Path) -> None:
    config = ResumeTrialConfig(kills=2)
    short = dataclasses.replace(config, policy=dataclasses.replace(config.policy, timesteps=512))
    outcome = run_resume_trial(short, tmp_path)
    assert (outcome.max_difference, outcome.same_episodes) == (0.0, True)
    assert outcome.terminated + outcome.killed >= 1
    assert outcome.tensors > 100


@pytest.mark.slow
def test_killed_twenty_times_it_ends_where_it_would_have_ended(tmp_path: Path) -> None:
    outcome = run_resume_trial(ResumeTrialConfig(), tmp_path)
    assert (outcome.max_difference, outcome.same_episodes) == (0.0, True)
    assert outcome.terminated + outcome.killed == 20
    assert outcome.terminated > 0 and outcome.killed > 0


def agent_folder(folder: Path, *, weights: dict[str, torch.Tensor], vase: dict[str, torch.Tensor]) -> Path:
    """What a training leaves behind, with these tensors."""
    for place, names, tensors in ((folder, FILES, weights), (folder / "vase", RUN_FILES, vase)):
        write_files(place, {name: save(tensors) if name.endswith(".safetensors") else b"{}" for name in names})
    return folder


def test_the_comparison_sees_the_last_bit_of_any_tensor(tmp_path: Path) -> None:
    weights = {"policy:w": torch.linspace(0, 1, 5), "policy:mask": torch.tensor([True, False]), "e": torch.empty(0)}
    vase = {"generator": torch.arange(4, dtype=torch.uint8)}
    one = agent_folder(tmp_path / "one", weights=weights, vase=vase)
    assert compare(one, agent_folder(tmp_path / "two", weights=weights, vase=vase))[1] == 0.0
    nudged = weights["policy:w"].clone()
    nudged[3] = torch.nextafter(nudged[3], torch.tensor(9.0))
    for changed, difference in (
        ({"weights": {**weights, "policy:w": nudged}, "vase": vase}, float(nudged[3] - weights["policy:w"][3])),
        ({"weights": {**weights, "policy:mask": torch.tensor([True, True])}, "vase": vase}, 1.0),
        ({"weights": weights, "vase": {"generator": torch.tensor([0, 1, 2, 5], dtype=torch.uint8)}}, 2.0),
        ({"weights": {**weights, "policy:w": nudged * torch.nan}, "vase": vase}, float("inf")),
        ({"weights": {**weights, "policy:w": nudged[:4]}, "vase": vase}, float("inf")),
        ({"weights": {**weights, "more": nudged}, "vase": vase}, float("inf")),
    ):
        assert compare(one, agent_folder(tmp_path / "two", **changed))[1] == difference


def test_a_trial_without_kills_is_no_trial() -> None:
    with pytest.raises(ValueError, match="expected at least one kill"):
        ResumeTrialConfig(kills=0)
