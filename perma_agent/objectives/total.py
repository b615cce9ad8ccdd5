"""The total objective: named terms times named weights, averaged over the batch."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor


def total(terms: Mapping[str, Tensor], weights: Mapping[str, float]) -> tuple[Tensor, dict[str, float]]:
    """Weighted sum of each term's mean over its batch.

        L = Σ_k w_k · mean(term_k)

    Args:
        terms: values per frame (or pair, or dream) by name, each of shape `[B_k]`.
        weights: a weight for each name; the names must be the same as those of `terms`.

    Returns:
        The scalar to minimise, and the unweighted mean of each term under `loss/<name>`, with `loss/total`.

    Raises:
        ValueError: names differ, or a term is not finite; the message lists them.

    Reference:
        VASE, eq. 8, with the permanence and environment terms beside it.
    """
    if set(terms) != set(weights):
        raise ValueError(f"expected one weight for each term, got terms {sorted(terms)} and weights {sorted(weights)}")
    means = {name: values.mean() for name, values in terms.items()}
    broken = sorted(name for name, value in means.items() if not torch.isfinite(value))
    if broken:
        raise ValueError(f"expected finite terms, got NaN or infinity in {broken}; lower the learning rate")
    loss = torch.stack([weights[name] * value for name, value in means.items()]).sum()
    metrics = {f"loss/{name}": float(value.detach()) for name, value in means.items()}
    return loss, {**metrics, "loss/total": float(loss.detach())}
