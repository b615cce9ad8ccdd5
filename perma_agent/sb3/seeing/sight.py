"""Sight: what of the code a policy is shown, and in which order.

| name          | shows, of a frame                                          | numbers |
|---------------|------------------------------------------------------------|---------|
| `mean`        | μ of q(z|x), 0 where the latent is masked                  | D       |
| `spread`      | σ of q(z|x), 1 where the latent is masked: the prior's     | D       |
| `environment` | q(s|x), over the environments known when it was published  | S       |

and, once however many frames are stacked,

| name          | shows                                                      | numbers |
|---------------|------------------------------------------------------------|---------|
| `index`       | the environment inferred when it was published, one-hot    | S       |
| `mask`        | a^s of that environment, 1 where the latent is used        | D       |
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal, get_args

import torch
from torch import Tensor

from perma_agent.models import Encoding, VASEConfig

Sight = Literal["mean", "spread", "environment", "index", "mask"]
"""One of the things a policy may be shown."""
OF_A_FRAME: tuple[Sight, ...] = ("mean", "spread", "environment")
"""Those that each frame has its own of."""


def checked_sights(sees: Collection[str]) -> tuple[Sight, ...]:
    """The names in the order in which they are shown, each once.

    Raises:
        ValueError: one is unknown, or none is of the frame.
    """
    known: tuple[Sight, ...] = get_args(Sight)
    unknown = [name for name in sees if name not in known] if not isinstance(sees, str) else [sees]
    if unknown or not set(sees) & set(OF_A_FRAME):
        raise ValueError(
            f"expected sees to be a tuple of {', '.join(map(repr, known))}, with one of the first three at least, got "
            f"{sees!r}"
        )
    return tuple(name for name in known if name in sees)


def frame_width(sees: Collection[Sight], model: VASEConfig) -> int:
    """Numbers shown of each frame."""
    sizes = {"mean": model.latents, "spread": model.latents, "environment": model.max_environments}
    return sum(sizes[name] for name in OF_A_FRAME if name in sees)


def common_width(sees: Collection[Sight], model: VASEConfig) -> int:
    """Numbers shown once, however many frames there are."""
    return model.max_environments * ("index" in sees) + model.latents * ("mask" in sees)


def seen_of_frames(
    sees: Collection[Sight], encoding: Encoding, *, mask: Tensor, probabilities: Tensor | None
) -> Tensor:
    """What is shown of each frame.

    Args:
        sees: names.
        encoding: of B frames.
        mask: a^s, bool, shape `[D]`.
        probabilities: q(s|x), shape `[B, S]`, if it is to be shown.

    Returns:
        Float32 of shape `[B, frame_width]`.
    """
    posterior = encoding.posterior.masked(mask)
    parts = [posterior.mean] if "mean" in sees else []
    if "spread" in sees:
        parts.append(posterior.std)
    if "environment" in sees:
        assert probabilities is not None
        parts.append(probabilities)
    return torch.cat(parts, dim=1)


def seen_once(sees: Collection[Sight], *, mask: Tensor, environment: Tensor, model: VASEConfig) -> Tensor:
    """What is shown once, float32 of shape `[common_width]`.

    Args:
        sees: names.
        mask: a^s, bool, shape `[D]`.
        environment: s, an integer without axes; -1 where none was inferred yet, which shows as zeros.
        model: gives D and S.
    """
    parts = [mask.new_zeros(0, dtype=torch.float32)]
    if "index" in sees:
        parts.append((torch.arange(model.max_environments, device=mask.device) == environment).float())
    if "mask" in sees:
        parts.append(mask.float())
    return torch.cat(parts)
