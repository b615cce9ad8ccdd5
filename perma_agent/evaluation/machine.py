"""What figures were made on and by: processor, cores, torch, and the code's commit; no names of hosts or folders."""

from __future__ import annotations

import os
import platform
import subprocess
from dataclasses import dataclass
from pathlib import Path

import torch

CPU_INFORMATION = Path("/proc/cpuinfo")


@dataclass(frozen=True, kw_only=True)
class Machine:
    """A machine, as far as it matters to speed and to the last digit."""

    cpu: str
    """Model name of the processor."""
    cores: int
    """Cores this process may use."""
    torch: str
    """Version of torch, with its build."""
    accelerator: str | None = None
    """Name of the first CUDA device, or `mps`; None where there is only the CPU."""


def describe_machine() -> Machine:
    """The machine this runs on."""
    return Machine(cpu=_processor(), cores=_cores(), torch=str(torch.__version__), accelerator=_accelerator())


def source_commit(file: Path | str = __file__) -> str:
    """The git commit of the checkout that `file` is tracked in.

    Args:
        file: a source file of this package.

    Returns:
        40 hex digits, with `-dirty` behind them if a tracked file differs from the commit; `unknown` outside a
        checkout, for an installed package (even inside somebody else's checkout), and where git is missing.
    """
    file = Path(file).resolve()
    if _git(file.parent, "ls-files", "--error-unmatch", "--", str(file)) is None:
        return "unknown"
    described = _git(file.parent, "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*")
    return described or "unknown"


def _git(folder: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", "--no-optional-locks", *arguments], cwd=folder, capture_output=True, text=True, check=False
        )
    except FileNotFoundError:  # git itself
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def _processor() -> str:
    if CPU_INFORMATION.is_file():
        for line in CPU_INFORMATION.read_text(errors="replace").splitlines():
            name, _, value = line.partition(":")
            if name.strip() == "model name" and value.strip():
                return value.strip()
    return platform.processor() or platform.machine() or "unknown"


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):  # Linux: a container or taskset may grant fewer than there are
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _accelerator() -> str | None:
    if torch.cuda.is_available():
        return str(torch.cuda.get_device_name(0))
    return "mps" if torch.backends.mps.is_available() else None
