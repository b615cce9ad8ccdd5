"""Code reading: the code of what levels show, and the frame behind it where they show frames."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from gymnasium import spaces
from torch import Tensor
from torch.nn import functional

from perma_agent.errors import FrameError
from perma_agent.imagination.baselines.observation_reading import ObservationReading
from perma_agent.imagination.bonus import Observations
from perma_agent.imagination.worldview import Worldview
from perma_agent.models import VASEConfig

LUMA = (0.299, 0.587, 0.114)
"""Weights of red, green and blue in grey (ITU-R 601)."""


@dataclass(frozen=True)
class Read:
    """What N levels show."""

    codes: np.ndarray
    """z, float32 `[N, D]`."""
    frames: np.ndarray | None
    """As the VASE looks at them, uint8 `[N, C, S, S]`; None where levels show codes."""

    def replaced(self, where: np.ndarray, other: Read) -> Read:
        """This, but what others show in the places `where`, int `[K]`."""
        codes, frames = self.codes.copy(), self.frames
        codes[where] = other.codes
        if frames is not None and other.frames is not None:
            frames = frames.copy()
            frames[where] = other.frames
        return Read(codes, frames)


class CodeReading:
    """Reads observations of one space.

    | levels show                                    | the code is                                                  |
    |------------------------------------------------|--------------------------------------------------------------|
    | pictures, or a Dict with one, and there is a VASE | its *unmasked* means of the (newest) frame               |
    | a vector, as `EncodedObservation` makes it     | D numbers of it, from `start` on; masked latents stand at 0  |

    Args:
        space: of observations.
        worldview: of the VASE; None where only codes are shown and nothing is known of them.
        start: where in a vector the means begin, see `sb3.sight`: 0, but behind the older frames of a stack.

    Raises:
        FrameError: there is not exactly one picture for the VASE, no vector as long as its code, or no VASE.
    """

    def __init__(self, space: spaces.Space[Any], worldview: Worldview | None, *, start: int = 0) -> None:
        self._reading = ObservationReading.of(space)
        pictures = self._reading.pictures
        self.sees_frames = bool(pictures)
        self._start = start
        if self.sees_frames:
            if worldview is None:
                raise FrameError(
                    f"expected a VASE to read the picture {pictures[0]!r} with, got none; give its run folder as run, "
                    "or wrap the levels in EncodedObservation first"
                )
            if len(pictures) > 1:
                raise FrameError(f"expected one picture among the observation's entries, got {pictures}; show one")
            self._picture, self.size = pictures[0], worldview.latents
            return
        width = sum(shape[0] for shape in self._reading.shapes.values())
        self.size = width - start if worldview is None else worldview.latents
        if not 0 < self.size <= width - start:
            raise FrameError(
                f"expected codes of {self.size} numbers from number {start} on, got observations of {width}; show the "
                "means (sees=('mean', ...)) of the same VASE, or another start"
            )

    def __call__(self, observations: Observations, worldview: Worldview | None) -> Read:
        """Codes of a batch, and frames where there are any.

        Raises:
            FrameError: the observations are not as announced.
        """
        seen = self._reading.see(self._reading.entries(observations), device=torch.device("cpu"))
        if not self.sees_frames:
            vectors = torch.cat(list(seen.values()), dim=1).numpy()
            return Read(vectors[:, self._start : self._start + self.size].astype(np.float32), None)
        assert worldview is not None
        shown = as_shown(seen[self._picture], worldview.model.config)
        frames = (shown * 255.0).round().clamp(0, 255).to(torch.uint8).numpy()
        return Read(worldview.encode(frames)[0], frames)


def as_shown(pictures: Tensor, model: VASEConfig) -> Tensor:
    """The newest frame of pictures, as a VASE looks at frames.

    Args:
        pictures: floats in [0, 1], shape `[B, C, H, W]`; a stack of frames stands along C, the oldest first.
        model: gives channels and size.

    Returns:
        Floats in [0, 1], shape `[B, C, S, S]`; colour made grey by its luma, other sizes averaged over areas.
    """
    newest = pictures[:, -3:] if pictures.shape[1] % 3 == 0 else pictures[:, -1:]
    if model.channels == 1 and newest.shape[1] == 3:
        newest = (newest * newest.new_tensor(LUMA)[:, None, None]).sum(dim=1, keepdim=True)
    size = (model.image_size, model.image_size)
    if newest.shape[2:] != size:
        newest = functional.interpolate(newest, size=size, mode="area")
    return newest.expand(-1, model.channels, -1, -1)
