"""Feature networks: from what levels show to a vector, by convolutions for pictures and a perceptron for the rest."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from typing import Literal

import torch
from torch import Tensor, nn

from perma_agent.imagination.baselines.observation_reading import Seen

Trunk = Literal["nature", "small"]
NATURE = ((32, 8, 4, 0), (64, 4, 2, 0), (64, 3, 1, 0))
"""Channels, kernel, stride and padding of RND's convolutions, which are those of Mnih et al. (2015)."""
SMALL = ((32, 3, 2, 1),) * 4
"""The same of ICM's."""
NATURE_NEEDS = 36
"""Pixels a side below which the first of these does not fit."""


class FeatureNetwork(nn.Module):
    """A vector of features of an observation, whose entries may be pictures and flat numbers.

    Pictures go through convolutions each; what comes out stands beside the flat entries, and layers follow.

    Args:
        shapes: of each entry, `[C, H, W]` or `[V]`.
        features: K, size of the vector.
        hidden: units of the layers before the last one.
        trunk: convolutions: `nature` (RND's; `small` ones for pictures under 36 pixels) or `small` (ICM's).
        activation: between layers.
    """

    def __init__(
        self,
        shapes: Mapping[str, tuple[int, ...]],
        *,
        features: int,
        hidden: tuple[int, ...] = (),
        trunk: Trunk = "nature",
        activation: type[nn.Module] = nn.ReLU,
    ) -> None:
        super().__init__()
        pictures = {name: shape for name, shape in shapes.items() if len(shape) == 3}
        self.flat = tuple(name for name, shape in shapes.items() if len(shape) == 1)
        self.pictures = tuple(pictures)
        self.convolutions = nn.ModuleList(_convolutions(shape, trunk, activation) for shape in pictures.values())
        with torch.no_grad():
            seen = [torch.zeros(1, *shape) for shape in pictures.values()]
            found = [int(layers(zeros).shape[1]) for layers, zeros in zip(self.convolutions, seen, strict=True)]
        inputs = sum(found) + sum(shapes[name][0] for name in self.flat)
        self.layers = perceptron((inputs, *hidden, features), activation=activation)

    def forward(self, seen: Seen) -> Tensor:
        """Features of a batch, shape `[B, K]`."""
        convolved = [layers(seen[name]) for layers, name in zip(self.convolutions, self.pictures, strict=True)]
        features: Tensor = self.layers(torch.cat([*convolved, *(seen[name] for name in self.flat)], dim=1))
        return features


def perceptron(sizes: tuple[int, ...], *, activation: type[nn.Module] = nn.ReLU) -> nn.Sequential:
    """Linear layers of these sizes with an activation between, none after the last."""
    layers: list[nn.Module] = []
    for number, (inputs, outputs) in enumerate(itertools.pairwise(sizes)):
        layers += [activation()] if number else []
        layers.append(nn.Linear(inputs, outputs))
    return nn.Sequential(*layers)


def orthogonal(module: nn.Module, *, gain: float = math.sqrt(2)) -> nn.Module:
    """Orthogonal weights of this gain and no biases, as RND's networks begin; returns the module."""
    for layer in module.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            nn.init.orthogonal_(layer.weight, gain)
            assert layer.bias is not None
            nn.init.zeros_(layer.bias)
    return module


def _convolutions(shape: tuple[int, ...], trunk: Trunk, activation: type[nn.Module]) -> nn.Sequential:
    channels, *sides = shape
    plan = NATURE if trunk == "nature" and min(sides) >= NATURE_NEEDS else SMALL
    layers: list[nn.Module] = []
    for outputs, kernel, stride, padding in plan:
        layers += [nn.Conv2d(channels, outputs, kernel, stride=stride, padding=padding), activation()]
        channels = outputs
    return nn.Sequential(*layers, nn.Flatten())
