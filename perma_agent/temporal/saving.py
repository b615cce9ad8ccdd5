"""Saving: a host as a folder of JSON and safetensors, each file with its SHA-256; no pickle is written or read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load as tensors_from_bytes
from safetensors.torch import save as tensors_to_bytes

from perma_agent.continual.config_json import from_json, to_json
from perma_agent.continual.run_folder import read_files, write_files
from perma_agent.errors import RunFolderError
from perma_agent.temporal.arms import HOSTS, HostConfig, kind_of, make_host
from perma_agent.temporal.host import Host

CONFIG, TENSORS = "host.json", "host.safetensors"
"""What a host's folder holds beside its manifest: kind and config; parameters."""


def save_host(host: Host[Any], folder: str | Path) -> None:
    """Write a host into a folder, whole or not at all; other files there are left alone.

    Args:
        host: any arm.
        folder: made if missing; a host already there is replaced.

    Raises:
        RunFolderError: the folder is not ours to write to, or cannot be written; what was there is intact.
    """
    config: HostConfig = host.config  # type: ignore[assignment]  # every class in HOSTS keeps its own
    plain = {"kind": kind_of(config), "config": to_json(config)}
    tensors = {name: value.detach().to("cpu", copy=True).contiguous() for name, value in host.state_dict().items()}
    write_files(folder, {CONFIG: (json.dumps(plain, indent=2) + "\n").encode(), TENSORS: tensors_to_bytes(tensors)})


def load_host(folder: str | Path, *, device: str | torch.device = "cpu") -> Host[Any]:
    """The host as it was saved, in evaluation mode.

    Args:
        folder: where `save_host` wrote it.
        device: where to put it.

    Raises:
        RunFolderError: a file is missing, truncated, altered, of another version, or does not fit the other.
    """
    folder = Path(folder)
    contents = read_files(folder, (CONFIG, TENSORS))
    host = make_host(_config(folder, contents[CONFIG]))
    try:
        host.load_state_dict(tensors_from_bytes(contents[TENSORS]))
    except (SafetensorError, RuntimeError, KeyError, ValueError) as error:
        raise RunFolderError(
            f"expected the parameters of the host that {folder / CONFIG} describes in {folder / TENSORS}, got others "
            f"({str(error).splitlines()[0]}); use the perma_agent version that wrote them"
        ) from error
    return host.to(device).eval()


def _config(folder: Path, content: bytes) -> HostConfig:
    try:
        plain = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise RunFolderError(f"expected JSON in {folder / CONFIG}, got: {error}; restore it from a copy") from error
    kind = plain.get("kind") if isinstance(plain, dict) else None
    if not isinstance(kind, str) or kind not in HOSTS:
        raise RunFolderError(
            f"expected a host among {', '.join(HOSTS)} in {folder / CONFIG}, got {kind!r}; "
            "use the perma_agent version that wrote it"
        )
    config: HostConfig = from_json(HOSTS[kind][0], plain.get("config"), where=f"config in {folder / CONFIG}")
    return config
