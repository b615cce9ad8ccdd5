"""Action reading: what agents do as numbers a network can take, and how far off a guess at it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from gymnasium import spaces
from torch import Tensor
from torch.nn import functional

from perma_agent.errors import LevelError


@dataclass(frozen=True, kw_only=True)
class ActionReading:
    """How to read the actions of one space: choices one-hot, side by side; numbers as they are."""

    choices: tuple[int, ...]
    """How many there are of each choice; empty where actions are numbers or switches."""
    first: tuple[int, ...]
    """The smallest value of each choice."""
    size: int
    """A: numbers that an action becomes."""
    switches: bool
    """Whether actions are switches, 0 or 1 each."""

    @classmethod
    def of(cls, space: spaces.Space[Any]) -> ActionReading:
        """Learn to read a space.

        Raises:
            LevelError: actions are neither choices, nor numbers, nor switches.
        """
        if isinstance(space, spaces.Discrete):
            return cls(choices=(int(space.n),), first=(int(space.start),), size=int(space.n), switches=False)
        if isinstance(space, spaces.MultiDiscrete):
            sizes = tuple(int(size) for size in space.nvec.ravel())
            first = tuple(int(start) for start in np.ravel(space.start))
            return cls(choices=sizes, first=first, size=sum(sizes), switches=False)
        if isinstance(space, spaces.Box | spaces.MultiBinary):
            count = int(np.prod(space.shape))
            return cls(choices=(), first=(), size=count, switches=isinstance(space, spaces.MultiBinary))
        raise LevelError(f"expected actions that are choices or numbers, got {space}; flatten them first")

    def see(self, actions: np.ndarray, *, device: torch.device) -> Tensor:
        """Actions as floats, shape `[B, A]`."""
        flat = np.asarray(actions).reshape(len(actions), -1)
        if not self.choices:
            return torch.from_numpy(flat.astype(np.float32)).to(device)
        chosen = torch.from_numpy(flat.astype(np.int64)) - torch.tensor(self.first)
        hot = [functional.one_hot(chosen[:, index], size) for index, size in enumerate(self.choices)]
        return torch.cat(hot, dim=1).float().to(device)

    def error(self, guess: Tensor, actions: Tensor) -> Tensor:
        """L_I of each guess, shape `[B]`.

        Choices: the cross-entropy in nats of a softmax for each, summed. Switches: the same of a sigmoid for each.
        Numbers: ½‖â - a‖².

        Args:
            guess: what a network says, shape `[B, A]`.
            actions: from `see`, shape `[B, A]`.

        Reference:
            Pathak et al., Curiosity-driven exploration by self-supervised prediction (2017), eq. 3.
        """
        if self.switches:
            return functional.binary_cross_entropy_with_logits(guess, actions, reduction="none").sum(dim=1)
        if not self.choices:
            return 0.5 * (guess - actions).square().sum(dim=1)
        sizes = list(self.choices)
        pairs = zip(torch.split(guess, sizes, dim=1), torch.split(actions, sizes, dim=1), strict=True)
        return torch.stack([-(hot * said.log_softmax(dim=1)).sum(dim=1) for said, hot in pairs]).sum(dim=0)
