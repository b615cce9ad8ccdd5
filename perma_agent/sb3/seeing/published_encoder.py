"""Published encoder: the copy of a VASE's encoder that a policy looks through, changed at publications only."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import torch
from torch import Tensor, nn

from perma_agent.models import VASE, Encoding, VASEConfig
from perma_agent.models.encoder import Encoder
from perma_agent.sb3.seeing.feature_memory import FeatureMemory
from perma_agent.sb3.seeing.sight import Sight, common_width, frame_width, seen_of_frames, seen_once


class PublishedEncoder(nn.Module):
    """Frames to what a policy sees of their code; empty until the first publication.

    Its weights are buffers, which no optimiser, no gradient clipping and no polyak average can reach, and what it said
    of a frame is remembered until they change; unless the policy's gradient is to train it.

    Args:
        config: of the VASE.
        sees: what is shown, see `sb3.sight`.
        trainable: whether the encoder's weights are parameters; those of the head of q(s|x) never are.
    """

    mask: Tensor
    step: Tensor
    index: Tensor
    known: Tensor

    def __init__(self, config: VASEConfig, *, sees: Collection[Sight], trainable: bool = False) -> None:
        super().__init__()
        self.config, self.sees, self.trainable = config, tuple(sees), trainable
        self.encoder, self.environment_head = _empty_encoder(config, trainable=trainable)
        self.register_buffer("mask", torch.ones(config.latents, dtype=torch.bool))
        self.register_buffer("step", torch.tensor(-1))
        self.register_buffer("index", torch.tensor(-1))
        self.register_buffer("known", torch.tensor(1))
        self.remembers = True
        """Whether what was said of a frame is looked up; to no use where each frame is shown once."""
        self._memory = FeatureMemory(latents=self.frame_width)

    @property
    def frame_width(self) -> int:
        """Numbers shown of each frame."""
        return frame_width(self.sees, self.config)

    @property
    def common_width(self) -> int:
        """Numbers shown once."""
        return common_width(self.sees, self.config)

    @torch.no_grad()
    def publish(
        self, model: VASE, *, mask: Tensor, step: int, environment: int | None = None, environments: int = 1
    ) -> None:
        """Take over the encoder of `model` as it is now; later changes of `model` do not reach it.

        Args:
            model: of the same configuration.
            mask: a^s, bool, shape `[D]`; masked latents read 0.
            step: batches that its learner had seen.
            environment: s inferred last, None before the first batch.
            environments: how many are known.
        """
        if model.config != self.config:
            raise ValueError(f"expected a model of {self.config}, got {model.config}")
        self.encoder.load_state_dict(model.encoder.state_dict())
        self.environment_head.load_state_dict(model.environment_head.state_dict())
        self.mask.copy_(mask)
        self.step.fill_(step)
        self.index.fill_(-1 if environment is None else environment)
        self.known.fill_(max(environments, 1))
        self._memory.clear()

    def of_frames(self, frames: Tensor) -> Tensor:
        """What is shown of each of n frames, float32 of shape `[n, frame_width]`.

        Args:
            frames: floats in [0, 1], shape `[n, C, S, S]`.
        """
        if self.trainable:
            return self._encode(frames)
        remembers = self.remembers and frames.device.type == "cpu"
        with torch.no_grad():
            return self._memory.recall(frames, self._encode) if remembers else self._encode(frames)

    def once(self) -> Tensor:
        """What is shown once, float32 of shape `[common_width]`."""
        return seen_once(self.sees, mask=self.mask, environment=self.index, model=self.config)

    def train(self, mode: bool = True) -> PublishedEncoder:
        """Always in evaluation mode."""
        return super().train(False)

    def _encode(self, frames: Tensor) -> Tensor:
        # In float32 whatever the policy's precision: PPO compares probabilities from batches of different sizes.
        with torch.autocast(frames.device.type, enabled=False):
            encoding: Encoding = self.encoder(frames.contiguous(memory_format=torch.channels_last))
            probabilities = self._probabilities(encoding.features) if "environment" in self.sees else None
            return seen_of_frames(self.sees, encoding, mask=self.mask, probabilities=probabilities)

    def _probabilities(self, features: Tensor) -> Tensor:
        """q(s|x), shape `[n, S]`, 0 for environments not known yet; no gradient of it reaches the encoder."""
        logits: Tensor = self.environment_head(features.detach())
        unknown = torch.arange(logits.shape[1], device=logits.device) >= self.known
        return logits.masked_fill(unknown, -torch.inf).softmax(dim=1)

    def _load_from_state_dict(self, *arguments: Any) -> None:
        super()._load_from_state_dict(*arguments)
        self._memory.clear()


def untrained_model(config: VASEConfig, *, seed: int) -> VASE:
    """A model as learning would begin with it, the same for the same seed; the global generator is left as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return VASE(config).eval()


def _empty_encoder(config: VASEConfig, *, trainable: bool) -> tuple[Encoder, nn.Linear]:
    """An encoder and the head of q(s|x), not yet filled; no random numbers are drawn."""
    with torch.device("meta"):
        model = VASE(config)
    for part in [*([] if trainable else model.encoder.modules()), model.environment_head]:
        for name, parameter in list(part.named_parameters(recurse=False)):
            delattr(part, name)
            part.register_buffer(name, parameter.detach())
    encoder = model.encoder.to_empty(device="cpu").to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stub lacks it
    return encoder.eval(), model.environment_head.to_empty(device="cpu").eval()
