"""Latent codes: what levels show as a code, by a VASE that stays as it is, or because they show a code themselves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from gymnasium import spaces

from perma_agent.continual.checkpoint import load_model
from perma_agent.errors import FrameError
from perma_agent.imagination.baselines.observation_reading import ObservationReading
from perma_agent.imagination.bonus import Observations
from perma_agent.imagination.code_reading import as_shown


class LatentCodes:
    """Codes of observations, float32 `[N, D]`.

    With a run folder: the posterior means of its VASE, masked ones 0, of the only picture in the observation, averaged
    over areas to the model's size; of stacked frames the newest. Without: the observation itself, flat, as levels in
    `EncodedObservation` show it.

    Args:
        space: of observations.
        run: run folder of a VASE; None where levels show codes.
        device: where to encode.

    Raises:
        FrameError: there is not exactly one picture for the VASE, or a picture and no VASE.
        RunFolderError: the run folder is missing, damaged or of another version.
    """

    def __init__(self, space: spaces.Space[Any], run: str | Path | None, *, device: str | torch.device = "cpu") -> None:
        self._reading = ObservationReading.of(space)
        self._device = torch.device(device)
        pictures = self._reading.pictures
        self._saved = None if run is None else load_model(run, device=device)
        if self._saved is None:
            if pictures:
                raise FrameError(
                    f"expected observations that are codes, got pictures in {', '.join(pictures)}; give the run folder "
                    "of a VASE as run, or wrap the levels in EncodedObservation first"
                )
            self.size = sum(shape[0] for shape in self._reading.shapes.values())
            return
        if len(pictures) != 1:
            raise FrameError(f"expected one picture among the observation's entries for the VASE, got {pictures}")
        self._picture, self._model = pictures[0], self._saved.model
        self.size = self._model.config.latents

    @torch.no_grad()
    def __call__(self, observations: Observations) -> np.ndarray:
        """Codes of a batch.

        Raises:
            FrameError: the observations are not as announced.
        """
        seen = self._reading.see(self._reading.entries(observations), device=self._device)
        if self._saved is None:
            return torch.cat(list(seen.values()), dim=1).cpu().numpy()
        frames = as_shown(seen[self._picture], self._model.config)
        means = self._model.encode(frames).posterior.mean * self._saved.mask
        codes: np.ndarray = means.float().cpu().numpy()
        return codes
