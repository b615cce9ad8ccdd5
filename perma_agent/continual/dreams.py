"""Dreams: frames that the snapshot draws of past environments, with all that it says of them."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from perma_agent.continual.latent_mask import Marginal
from perma_agent.continual.snapshot import Snapshot
from perma_agent.types import Posterior


@dataclass(frozen=True, kw_only=True)
class DreamConfig:
    """How the past is kept."""

    enabled: bool = True
    """Off for the ablations without D."""
    count: int = 32
    """Frames dreamt per update."""
    encoder_proximity: float = 2.0
    """Weight of eq. 7's first term. The paper has 1; with half as many dreams as frames, 2 counts them alike."""
    decoder_proximity: float = 2.0
    """Weight of eq. 7's second term, likewise; 0 gives the condition SD-[41]."""
    from_prior: bool = False
    """Draw z ~ N(0, I) as the paper does. Otherwise from the Gaussian fitted to the codes the environment was seen
    with: the same at the model's optimum, but before it the prior's codes are unlike those of real frames, and keeping
    what they decode to does not keep what real frames need."""
    renew_every: int | None = None
    """τ: steps between snapshots; None renews the snapshot only when an environment ends, so that the teacher does
    not drift with its student (and every 5,000 steps where environments are not inferred)."""

    def __post_init__(self) -> None:
        if self.count < 1 or (self.renew_every is not None and self.renew_every < 1):
            raise ValueError(f"expected count >= 1 and renew_every >= 1 or None, got {self}")


@dataclass(frozen=True)
class Dreams:
    """A batch drawn from the snapshot; nothing in it carries gradient."""

    frames: Tensor
    """x' = E[x | z, s'], floats in [0, 1], shape `[B, C, H, W]`."""
    latents: Tensor
    """z that they were drawn from, shape `[B, D]`."""
    environments: Tensor
    """s' of each, int64, shape `[B]`."""
    output: Tensor
    """The snapshot's raw decoder output, shape `[B, C, H, W]`."""
    posterior: Posterior
    """q_φ'(z|x') of the snapshot's encoder, shape `[B, D]`."""


@torch.no_grad()
def dream(snapshot: Snapshot, config: DreamConfig, *, generator: torch.Generator) -> Dreams | None:
    """Draw frames of the snapshot's environments (eq. 1 and 7), each equally likely.

    The present environment is among them once it has been met before: what an agent sees on its return is a part of
    what it saw then.

    Latents that s' masks are drawn as well: the decoder learnt to ignore them there.

    Args:
        snapshot: the teacher.
        config: how many frames, and from which codes.
        generator: source of randomness.

    Returns:
        The dreams, or None where there is no past environment to dream of.
    """
    past = list(snapshot.marginals)
    if not past:
        return None
    device = next(snapshot.model.parameters()).device
    shares = torch.bincount(
        torch.randint(len(past), (config.count,), generator=generator), minlength=len(past)
    ).tolist()
    prior = Marginal.prior(snapshot.model.config.latents)
    latents = torch.cat(
        [
            (prior if config.from_prior else snapshot.marginals[index]).sample(share, generator=generator)
            for index, share in zip(past, shares, strict=True)
        ]
    ).to(device)
    chosen = torch.tensor(past).repeat_interleave(torch.tensor(shares)).to(device)
    output = snapshot.model.decode(latents, chosen)
    frames = snapshot.model.mean_frame(output).contiguous(memory_format=torch.channels_last)
    return Dreams(frames, latents, chosen, output, snapshot.model.encode(frames).posterior)
