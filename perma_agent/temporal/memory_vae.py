"""Memory VAE: the code of the present frame, read off a memory of the frames before it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import torch
from torch import Tensor, nn

from perma_agent.errors import FrameError
from perma_agent.objectives import PermanenceConfig
from perma_agent.objectives.permanence import weigh_offsets
from perma_agent.temporal.change import add_change
from perma_agent.temporal.frame_vae import FrameVAE
from perma_agent.temporal.host import Summands
from perma_agent.temporal.network import NetworkConfig
from perma_agent.temporal.sequences import FrameSequences
from perma_agent.types import Posterior


@dataclass(frozen=True, kw_only=True)
class MemoryVAEConfig:
    """A VAE with memory, on sequences."""

    network: NetworkConfig = field(default_factory=NetworkConfig)
    """Sizes and likelihood; the memory has `hidden` units."""
    beta: float = 1.0
    """β, weight of the information in the code."""
    memory: bool = True
    """False: every frame by itself, the arm that shows what memory is good for."""
    offsets: tuple[int, ...] = (1, 8)
    """o, in steps, at which changes cost, each shorter than the sequences; short ones have more pairs in a sequence,
    and yet all count the same, or as `permanence.offset_weights` says."""
    permanence: PermanenceConfig = field(default_factory=PermanenceConfig)
    """What a change of the code costs."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "offsets", tuple(self.offsets))  # JSON gives a list back
        if not self.beta >= 0:
            raise ValueError(f"expected beta >= 0, got {self.beta}")
        if not self.offsets or min(self.offsets) < 1 or len(set(self.offsets)) < len(self.offsets):
            raise ValueError(f"expected different offsets of at least 1 step, got {self.offsets}")


class MemoryVAE(FrameVAE[FrameSequences]):
    """A VAE whose posterior sees the past: it may go on meaning what it no longer sees.

        f_t = features(x_t),   m_t = GRU(f_t, m_{t-1}),  m_0 = 0
        q(z_t|x_1…x_t) = heads(f_t + m_t),   x̂_t = decoder(z_t)
        L = mean over frames of ( reconstruction + β KL ) + w · (weighted) mean over offsets of the mean change term

    The decoder is asked for the present frame only, so nothing but the change term asks to keep what is hidden: with
    short offsets the object's disappearance is charged once, with long ones in every pair across it.

    Reference:
        "Permanence - one prior to rule them all", on object permanence; Ha and Schmidhuber, World models (2018), for
        recurrent codes. Features and memory are added, so that the present frame need not pass through the memory.
    """

    def __init__(self, config: MemoryVAEConfig) -> None:
        super().__init__(config.network)
        self.config = config
        hidden = config.network.hidden
        self.memory = nn.GRU(hidden, hidden, batch_first=True) if config.memory else None

    def summands(self, batch: FrameSequences, *, step: int, generator: torch.Generator) -> Summands:
        """Reconstruction and information of each frame, and the changes at all offsets; see `Host.summands`."""
        self._check(batch)
        frames = self.normalise(batch.frames)
        posterior = self._remembered(frames, length=batch.length)
        terms = self.evidence(frames, posterior, generator)
        weights = {"reconstruction": 1.0, "information": self.config.beta}
        means = posterior.mean.detach().reshape(-1, batch.length, self.network.latents)
        if self.config.permanence.acts:
            self._add_change(terms, weights, posterior, length=batch.length, step=step)
        change = (means[:, 1:] - means[:, :-1]).flatten(0, 1)
        return Summands(terms, weights, posterior.mean.detach(), change)

    def posterior(self, frames: Tensor) -> Posterior:
        """Posterior of each frame given those before it, shape `[B T, D]`; see `Host.posterior`.

        Args:
            frames: uint8, sequences `[B, T, C, H, W]`; `[N, C, H, W]` counts as N sequences of one frame.
        """
        length = frames.shape[1] if frames.ndim == 5 else 1
        return self._remembered(self.normalise(frames), length=length)

    def _remembered(self, frames: Tensor, *, length: int) -> Posterior:
        if self.memory is None:
            return self.encode(frames)
        with self.precision():
            features = self.vase.encoder.features(frames)
        sequences = features.float().reshape(-1, length, self.network.hidden)
        state = sequences + self.memory(sequences)[0]  # in float32: errors of bfloat16 add up over the steps
        with self.precision():
            return self.vase.encoder.posterior(state.flatten(0, 1))

    def _add_change(
        self, terms: dict[str, Tensor], weights: dict[str, float], posterior: Posterior, *, length: int, step: int
    ) -> None:
        rows = torch.arange(len(posterior.mean), device=posterior.mean.device).reshape(-1, length)
        later = [rows[:, offset:].flatten() for offset in self.config.offsets]
        counts = [len(pairs) for pairs in later]
        offsets = torch.tensor(self.config.offsets).repeat_interleave(torch.tensor(counts)).to(rows.device)
        present = torch.cat(later)
        now, before = _rows(posterior, present), _rows(posterior, present - offsets)
        config = _without_offset_weights(self.config.permanence)
        costs: dict[str, Tensor] = {}
        add_change(costs, weights, (now, before), offsets, config=config, step=step)
        factors = self.config.permanence.offset_weights
        for name, values in costs.items():
            means = torch.stack([part.mean() for part in torch.split(values, counts)])
            terms[name] = weigh_offsets(means, torch.tensor(self.config.offsets), factors=factors)

    def _check(self, batch: FrameSequences) -> None:
        if not len(batch):
            raise FrameError("expected at least one sequence of frames, got none; draw a larger batch")
        if self.config.permanence.acts and max(self.config.offsets) >= batch.length:
            raise FrameError(
                f"expected sequences of more than {max(self.config.offsets)} frames for the offsets "
                f"{self.config.offsets}, got {batch.length}; draw longer ones or choose smaller offsets"
            )


def _rows(posterior: Posterior, rows: Tensor) -> Posterior:
    return Posterior(posterior.mean[rows], posterior.log_variance[rows])


def _without_offset_weights(config: PermanenceConfig) -> PermanenceConfig:
    """The same term with all offsets alike: here the factors weigh the offsets' means, not their pairs."""
    first = None if config.first is None else replace(config.first, offset_weights=())
    return replace(config, first=first, offset_weights=())
