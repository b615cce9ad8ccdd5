"""Ensemble: several perceptrons of the same sizes at once, each with weights of its own."""

from __future__ import annotations

import itertools
import math

import torch
from torch import Tensor, nn


class Ensemble(nn.Module):
    """M perceptrons with ReLU that see the same inputs; one product of stacked matrices a layer.

    Each begins with other weights, uniform within ±1/√inputs as torch's own linear layers do; that is all that sets
    them apart.

    Args:
        members: M.
        sizes: of inputs, hidden layers and outputs.
    """

    def __init__(self, members: int, *, sizes: tuple[int, ...]) -> None:
        super().__init__()
        self.members = members
        self.weights, self.biases = nn.ParameterList(), nn.ParameterList()
        for inputs, outputs in itertools.pairwise(sizes):
            limit = 1 / math.sqrt(inputs)
            self.weights.append(nn.Parameter(torch.empty(members, inputs, outputs).uniform_(-limit, limit)))
            self.biases.append(nn.Parameter(torch.empty(members, 1, outputs).uniform_(-limit, limit)))

    def forward(self, inputs: Tensor) -> Tensor:
        """What each says, shape `[M, B, outputs]`, of inputs `[B, inputs]`."""
        values = inputs.expand(self.members, *inputs.shape)
        for number, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            values = torch.baddbmm(bias, torch.relu(values) if number else values, weight)
        return values
