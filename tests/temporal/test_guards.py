"""The guards' figures, by hand."""

import math

import pytest
import torch

from perma_agent.temporal.guards import guards


def test_spread_active_latents_and_size_of_change():
    codes = torch.tensor([[1.0, 0.05, 3.0], [-1.0, -0.05, 3.0]])  # variances 1, 0.0025 and 0
    change = torch.tensor([[3.0, 4.0, 0.0], [0.0, 0.0, 1.0]])
    assert guards(codes, change) == pytest.approx(
        {"code/std": math.sqrt(1.0025 / 3), "code/active": 1.0, "code/change": 3.0}
    )


def test_without_pairs_there_is_no_change_to_measure():
    assert math.isnan(guards(torch.ones(2, 3), torch.ones(0, 3))["code/change"])
