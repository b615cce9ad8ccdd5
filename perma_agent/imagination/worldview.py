"""Worldview: a VASE to look and draw with, and what its learner remembers of the environments; a copy of both."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from perma_agent.continual import EnvironmentRecord, Learner
from perma_agent.continual.checkpoint import load_learner
from perma_agent.models import VASE

AT_ONCE = 256
"""Frames encoded or decoded at once."""


@dataclass(frozen=True, kw_only=True)
class Worldview:
    """What imagination knows of the worlds; nothing of it changes when the learner goes on."""

    model: VASE
    """In evaluation mode, its parameters without gradient."""
    records: tuple[EnvironmentRecord, ...]
    """What is remembered of each environment, by index s; empty for a model that has seen none."""
    environment: int
    """s that the learner was in; 0 where it had seen none."""
    step: int
    """Batches that the learner had seen."""

    @classmethod
    def of_run(cls, folder: str | Path, *, device: str | torch.device = "cpu") -> Worldview:
        """That of a run folder.

        Raises:
            RunFolderError: the run folder is missing, damaged or of another version.
        """
        return cls.of_learner(load_learner(folder, device=device))

    @classmethod
    def of_learner(cls, learner: Learner) -> Worldview:
        """That of a learner as it is now."""
        return cls(
            model=copy.deepcopy(learner.model).eval().requires_grad_(False),
            records=tuple(copy.deepcopy(learner.inference.records)),
            environment=learner.environment or 0,
            step=learner.step,
        )

    @property
    def latents(self) -> int:
        """D."""
        return self.model.config.latents

    def mask(self, environment: int) -> np.ndarray:
        """a^s, bool `[D]`; True everywhere for an environment that is not known."""
        if environment >= len(self.records):
            return np.ones(self.latents, dtype=bool)
        mask: np.ndarray = self.records[environment].mask.cpu().numpy()
        return mask

    def minded(self, environment: int) -> np.ndarray:
        """Latents that an environment's decoder minds, by the house's own measure, bool `[D]`.

        Those on which batches are compared with it (`EnvironmentRecord.compared`): noise on them makes its frames
        worse. All that are not masked, where that has not been measured yet.
        """
        if environment >= len(self.records) or not bool(self.records[environment].compared.any()):
            return self.mask(environment)
        compared: np.ndarray = self.records[environment].compared.cpu().numpy()
        minded: np.ndarray = compared & self.mask(environment)
        return minded

    @torch.no_grad()
    def encode(self, frames: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Means and standard deviations of q(z|x), unmasked: a latent that is masked here can still be brought about.

        Args:
            frames: uint8 `[B, C, H, W]`.

        Returns:
            Two arrays, float32 `[B, D]`.

        Raises:
            FrameError: the frames do not fit the model.
        """
        parts = [self.model.encode(self.model.normalise(part)).posterior for part in _batches(frames)]
        return _joined([part.mean for part in parts]), _joined([part.std for part in parts])

    @torch.no_grad()
    def draw(self, codes: np.ndarray, environments: np.ndarray) -> np.ndarray:
        """What codes look like in environments.

        Args:
            codes: float32 `[B, D]`.
            environments: s of each, int64 `[B]`.

        Returns:
            Frames, uint8 `[B, C, H, W]`.
        """
        device = next(self.model.parameters()).device
        which = [part.to(device) for part in _batches(environments.astype(np.int64))]
        latents = [part.to(device) for part in _batches(codes.astype(np.float32))]
        drawn = [self.model.reconstruct(part, s) for part, s in zip(latents, which, strict=True)]
        frames: np.ndarray = torch.cat(drawn).mul(255).round().to(torch.uint8).cpu().numpy()
        return frames

    @torch.no_grad()
    def environment_of(self, frames: np.ndarray) -> int:
        """Which of the settled environments frames are from: argmax_s of q(s|x) averaged over them.

        Args:
            frames: of one environment, uint8 `[B, C, H, W]`.
        """
        settled = torch.tensor([record.settled for record in self.records], dtype=torch.bool)
        if int(settled.sum()) < 2:
            return self.environment
        probabilities = []
        for part in _batches(frames):
            logits = self.model.environment_logits(self.model.encode(self.model.normalise(part)).features)
            probabilities.append(logits[:, : len(settled)].cpu().masked_fill(~settled, -torch.inf).softmax(dim=1))
        return int(torch.cat(probabilities).mean(dim=0).argmax())

    def state_dict(self) -> dict[str, Any]:
        """Parameters, records and counts, as copies."""
        return {
            "model": {name: value.detach().cpu().clone() for name, value in self.model.state_dict().items()},
            "records": [copy.deepcopy(vars(record)) for record in self.records],
            "environment": self.environment,
            "step": self.step,
        }

    def restored(self, state: Mapping[str, Any]) -> Worldview:
        """Another one, of the same kind of model, from what its `state_dict` gave."""
        model = copy.deepcopy(self.model)
        model.load_state_dict(dict(state["model"]))
        fields = [field.name for field in dataclasses.fields(EnvironmentRecord)]
        records = tuple(EnvironmentRecord(**{name: record[name] for name in fields}) for record in state["records"])
        return Worldview(model=model, records=records, environment=state["environment"], step=state["step"])


def _batches(values: np.ndarray) -> tuple[Tensor, ...]:
    return torch.split(torch.from_numpy(np.ascontiguousarray(values)), AT_ONCE)


def _joined(parts: list[Tensor]) -> np.ndarray:
    values: np.ndarray = torch.cat(parts).float().cpu().numpy()
    return values
