"""What the model draws: reconstructions, traversals of single latents, and one world seen through another's decoder."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from perma_agent.models import VASE
from perma_agent.types import Posterior

TRAVERSED = (-2.0, -4 / 3, -2 / 3, 0.0, 2 / 3, 4 / 3, 2.0)
"""Values a latent is set to, in standard deviations of the prior, as in the paper's figures (-2 to 2)."""
CHUNK = 256
"""Frames decoded at once."""


@dataclass(frozen=True, kw_only=True)
class CrossDomain:
    """Frames of world A carried to world B and back; each uint8 of shape `[B, C, H, W]`."""

    frames: np.ndarray
    """Of world A."""
    at_home: np.ndarray
    """Their latents decoded as A."""
    abroad: np.ndarray
    """The same latents decoded as B."""
    back: np.ndarray
    """The frames `abroad` encoded anew, as B, and decoded as A."""


def reconstruct(
    model: VASE, frames: np.ndarray, *, environment: int, mask: np.ndarray | Tensor | None = None
) -> np.ndarray:
    """Encode frames and decode the means.

        x̂ = E[x | z = a ⊙ μ(x), s]

    Args:
        model: the VASE.
        frames: uint8, shape `[B, C, H, W]`.
        environment: s to decode as; another than the frames' own gives the cross-domain reconstruction of figure 4B.
        mask: a^s of the environment the frames are from, bool, shape `[D]`; None masks nothing.

    Returns:
        uint8, shape `[B, C, H, W]`; the same on every call.

    Raises:
        FrameError: the frames do not fit the model.
        ValueError: the environment or the mask does not.
    """
    with drawing(model):
        return _decode(model, _posterior(model, frames, mask).mean, environment)


def cross_domain(
    model: VASE,
    frames: np.ndarray,
    *,
    home: int,
    abroad: int,
    home_mask: np.ndarray | Tensor | None = None,
    abroad_mask: np.ndarray | Tensor | None = None,
) -> CrossDomain:
    """Infer frames as the environment they are from, decode them as another, and come back.

        at home  E[x | a^A ⊙ μ(x), A]      abroad  x_B = E[x | a^A ⊙ μ(x), B]      back  E[x | a^B ⊙ μ(x_B), A]

    What the two environments share (a position, say) is kept abroad; what only A has is lost on the way back.

    Args:
        model: the VASE.
        frames: of world A, uint8, shape `[B, C, H, W]`.
        home: A's environment s.
        abroad: B's.
        home_mask: a^A, bool, shape `[D]`; None masks nothing.
        abroad_mask: a^B.

    Reference:
        VASE, figure 4B.
    """
    drawn = reconstruct(model, frames, environment=abroad, mask=home_mask)
    return CrossDomain(
        frames=frames,
        at_home=reconstruct(model, frames, environment=home, mask=home_mask),
        abroad=drawn,
        back=reconstruct(model, drawn, environment=home, mask=abroad_mask),
    )


def latent_traversals(
    model: VASE,
    frame: np.ndarray,
    *,
    environment: int,
    values: Sequence[float] = TRAVERSED,
    latents: Sequence[int] | None = None,
    mask: np.ndarray | Tensor | None = None,
) -> np.ndarray:
    """Set one latent after the other to each of some values, all else as in `frame`, and decode.

    Args:
        model: the VASE.
        frame: where to start from, uint8, shape `[C, H, W]`.
        environment: s to decode as.
        values: K of them, in standard deviations of the prior.
        latents: which to traverse, R of the D; None takes all.
        mask: a^s of the frame's environment, bool, shape `[D]`; masked latents start from the prior's mean 0 but are
            traversed like the others, which shows whether the decoder ignores them.

    Returns:
        uint8, shape `[R, K, C, H, W]`.

    Raises:
        FrameError: the frame does not fit the model.
        ValueError: environment, mask or latents do not.
    """
    with drawing(model):
        start = _posterior(model, frame[None], mask).mean[0]
        chosen = list(range(len(start)) if latents is None else latents)
        if not all(0 <= latent < len(start) for latent in chosen):
            raise ValueError(f"expected latents from 0 to {len(start) - 1}, got {chosen}")
        codes = start.repeat(len(chosen), len(values), 1)
        for row, latent in enumerate(chosen):
            codes[row, :, latent] = torch.tensor(values, dtype=codes.dtype)
        drawn = _decode(model, codes.flatten(0, 1), environment)
    return drawn.reshape(len(chosen), len(values), *drawn.shape[1:])


def information_per_latent(model: VASE, frames: np.ndarray, *, mask: np.ndarray | Tensor | None = None) -> np.ndarray:
    """What each latent tells of the frames, by which traversals are sorted.

        I_n = E_x[ KL(q(z_n|x) || N(0, 1)) ]

    Args:
        model: the VASE.
        frames: uint8, shape `[B, C, H, W]`.
        mask: a^s, bool, shape `[D]`; masked latents tell exactly 0.

    Returns:
        Nats, never negative, float32, shape `[D]`.
    """
    with drawing(model):
        information: np.ndarray = _posterior(model, frames, mask).kl().mean(dim=0).cpu().numpy()
    return information


@contextmanager
def drawing(model: VASE) -> Iterator[None]:
    """Evaluation mode without gradients; the model's own mode is put back."""
    training = model.training
    model.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        model.train(training)


def posterior_of(model: VASE, frames: np.ndarray, *, mask: np.ndarray | Tensor | None = None) -> Posterior:
    """q(z|x) of frames, encoded a few hundred at a time, in evaluation mode and without gradients.

    Args:
        model: the VASE; its own mode is put back.
        frames: uint8, shape `[B, C, H, W]`.
        mask: a^s, bool, shape `[D]`; None masks nothing.

    Raises:
        FrameError: the frames do not fit the model.
        ValueError: the mask does not.
    """
    with drawing(model):
        return _posterior(model, frames, mask)


def _posterior(model: VASE, frames: np.ndarray, mask: np.ndarray | Tensor | None) -> Posterior:
    batches = torch.split(torch.from_numpy(np.ascontiguousarray(frames)), CHUNK)
    seen = [model.encode(model.normalise(batch)).posterior for batch in batches]
    posterior = Posterior(torch.cat([part.mean for part in seen]), torch.cat([part.log_variance for part in seen]))
    if mask is None:
        return posterior
    keep = torch.as_tensor(mask, device=posterior.mean.device)
    if keep.shape != posterior.mean.shape[1:]:
        raise ValueError(f"expected a mask of shape [{posterior.mean.shape[1]}], got {tuple(keep.shape)}")
    return posterior.masked(keep)


def _decode(model: VASE, latents: Tensor, environment: int) -> np.ndarray:
    if not 0 <= environment < model.config.max_environments:
        raise ValueError(f"expected an environment from 0 to {model.config.max_environments - 1}, got {environment}")
    drawn = [model.reconstruct(part, environment) for part in torch.split(latents, CHUNK)]
    frames: np.ndarray = torch.cat(drawn).mul(255).round().to(torch.uint8).cpu().numpy()
    return frames
