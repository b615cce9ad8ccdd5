"""Environment: the classifier q(s|x) learns the present environment's index and keeps those of its dreams."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional


def environment_loss(logits: Tensor, environment: Tensor) -> Tensor:
    """Cross-entropy of q(s|x) against the environment each frame came from.

        term = -log q_ψ(s|x)

    Applied to the present frames with the inferred s, and to dreamt frames with the s' they were dreamt of; each
    environment in the batch weighs the same however many of its frames there are, since q(s|x) is asked which
    environment an agent is in, not which one it met most often.

    Args:
        logits: of q_ψ(s|x) over the known environments, shape `[B, S]`.
        environment: s, int64 of shape `[B]`.

    Returns:
        Nats per frame, shape `[B]`, never negative; their mean is the mean over environments of each one's mean.

    Reference:
        VASE, appendix A.2, L_env.
    """
    counts = torch.bincount(environment, minlength=logits.shape[1])
    share = len(environment) / (counts[environment] * (counts > 0).sum())
    return functional.cross_entropy(logits, environment, reduction="none") * share
