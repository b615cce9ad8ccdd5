"""Guards: what to watch of a code while it learns, so that no collapse goes unseen."""

from __future__ import annotations

import torch
from torch import Tensor

ACTIVE_ABOVE = 0.01
"""Variance of a posterior mean over frames above which its latent counts as active (Burda et al. 2016)."""


@torch.no_grad()
def guards(codes: Tensor, change: Tensor) -> dict[str, float]:
    """Spread of the code, size of its changes and active latents, over one batch.

    Args:
        codes: posterior means, shape `[N, D]`.
        change: Δ, differences of posterior means, shape `[P, D]`.

    Returns:
        `code/std`: root of the mean variance over the latents; `code/active`: latents whose variance is above
        `ACTIVE_ABOVE`; `code/change`: mean ||Δ||₂, NaN without pairs; each but the count in units of the latents. A
        `code/std` near 0 with `code/active` 0 is a collapse; a falling ratio of `code/change` to `code/std` is a code
        that gets slow.
    """
    variance = codes.var(dim=0, unbiased=False)
    return {
        "code/std": float(variance.mean().sqrt()),
        "code/active": float((variance > ACTIVE_ABOVE).sum()),
        "code/change": float(torch.linalg.vector_norm(change, dim=1).mean()) if len(change) else float("nan"),
    }
