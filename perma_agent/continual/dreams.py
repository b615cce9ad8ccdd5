"""Dreams: frames that the snapshot draws of past environments, with all that it says of them."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from perma_agent.continual.snapshot import Snapshot
from perma_agent.types import Posterior


@dataclass(frozen=True, kw_only=True)
class DreamConfig:
    """How the past is kept."""

    enabled: bool = True
    """Off for the ablations without D."""
    count: int = 32
    """Frames dreamt per update."""
    encoder_proximity: float = 1.0
    """Weight of eq. 7's first term (paper: 1)."""
    decoder_proximity: float = 1.0
    """Weight of eq. 7's second term (paper: 1; 0 gives the condition SD-[41])."""
    renew_every: int | None = None
    """τ: steps between snapshots; None renews the snapshot only when an environment ends, so that the teacher does
    not drift with its student (and every 5,000 steps where environments are not inferred)."""


@dataclass(frozen=True)
class Dreams:
    """A batch drawn from the snapshot; nothing in it carries gradient."""

    frames: Tensor
    """x' = E[x | z, s'], floats in [0, 1], shape `[B, C, H, W]`."""
    latents: Tensor
    """z ~ N(0, I) that they were drawn from, shape `[B, D]`."""
    environments: Tensor
    """s' of each, int64, shape `[B]`."""
    output: Tensor
    """The snapshot's raw decoder output, shape `[B, C, H, W]`."""
    posterior: Posterior
    """q_φ'(z|x') of the snapshot's encoder, shape `[B, D]`."""


@torch.no_grad()
def dream(snapshot: Snapshot, *, count: int, excluding: int | None, generator: torch.Generator) -> Dreams | None:
    """Draw `count` frames of the snapshot's environments (eq. 1 and 7), each environment equally likely.

    Latents that s' masks are drawn from the prior as well: the decoder learnt to ignore them there.

    Args:
        snapshot: the teacher.
        count: frames to draw.
        excluding: the present environment, learnt from real frames and not dreamt of; None to dream of all.
        generator: source of randomness.

    Returns:
        The dreams, or None where there is no past environment to dream of.
    """
    past = [index for index in snapshot.environments if index != excluding]
    if not past:
        return None
    device = next(snapshot.model.parameters()).device
    chosen = torch.tensor(past)[torch.randint(len(past), (count,), generator=generator)].to(device)
    latents = torch.randn(count, snapshot.model.config.latents, generator=generator).to(device)
    output = snapshot.model.decode(latents, chosen)
    frames = snapshot.model.mean_frame(output).contiguous(memory_format=torch.channels_last)
    return Dreams(frames, latents, chosen, output, snapshot.model.encode(frames).posterior)
