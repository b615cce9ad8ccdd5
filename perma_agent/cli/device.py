"""Turns `--device auto|cpu|cuda|cuda:1|mps` into a torch device that is really there."""

from __future__ import annotations

import torch

from perma_agent.errors import PermaAgentError


def choose_device(name: str = "auto") -> torch.device:
    """The device to compute on.

    Args:
        name: `auto` takes CUDA, else MPS, else the CPU; or a device by torch's own name.

    Raises:
        PermaAgentError: the name is none of torch's, or this machine lacks the device.
    """
    if name == "auto":
        return torch.device(available_devices()[0])
    if name not in (*available_devices(), "cuda" if torch.cuda.is_available() else "cpu"):
        raise PermaAgentError(f"expected --device auto or one of {', '.join(available_devices())}, got {name!r}")
    return torch.device(name)


def available_devices() -> list[str]:
    """Names of this machine's devices, the fastest kind first, the CPU last."""
    devices = [f"cuda:{index}" for index in range(torch.cuda.device_count() if torch.cuda.is_available() else 0)]
    if torch.backends.mps.is_available():
        devices.append("mps")
    return [*devices, "cpu"]
