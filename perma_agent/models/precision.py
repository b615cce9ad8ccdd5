"""Precision: whether the networks had better run in bfloat16 on this processor."""

from __future__ import annotations

from collections.abc import Callable

import torch


def bfloat16_pays() -> bool:
    """Whether this processor multiplies bfloat16 matrices in hardware, so that autocast saves time."""
    probe: Callable[[], bool] | None = getattr(torch.cpu, "_is_avx512_bf16_supported", None)
    return probe is not None and probe()
