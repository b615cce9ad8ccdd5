"""Gradients are scaled to at most a multiple of their usual norm."""

import pytest
import torch
from torch import nn

from perma_agent.continual.gradients import clip_gradients


def parameter_with(gradient: list[float]) -> nn.Parameter:
    parameter = nn.Parameter(torch.zeros(len(gradient)))
    parameter.grad = torch.tensor(gradient)
    return parameter


def test_the_first_batch_sets_what_is_usual():
    parameter = parameter_with([3.0, 4.0])
    assert clip_gradients([parameter], usual=0.0, limit=2.0) == pytest.approx(5.0)
    assert parameter.grad is not None and parameter.grad.tolist() == [3.0, 4.0]


def test_an_unusual_gradient_is_scaled_and_moves_the_mean_by_no_more_than_it_may():
    # ||g|| = 50 over two parameters, usual 5, limit 2: scaled to norm 10; mean 5 + 0.05 (10 - 5) = 5.25
    parameters = [parameter_with([30.0]), parameter_with([40.0]), nn.Parameter(torch.zeros(1))]
    assert clip_gradients(parameters, usual=5.0, limit=2.0) == pytest.approx(5.25)
    assert [float(parameter.grad) for parameter in parameters[:2] if parameter.grad is not None] == pytest.approx(
        [6, 8]
    )


def test_a_usual_gradient_is_left_alone():
    parameter = parameter_with([6.0, 8.0])
    assert clip_gradients([parameter], usual=5.0, limit=2.0) == pytest.approx(5.25)
    assert parameter.grad is not None and parameter.grad.tolist() == [6.0, 8.0]
