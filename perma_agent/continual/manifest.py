"""Manifest: which files make up a checkpoint, with the size and SHA-256 of each and a hash over itself."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from perma_agent.errors import RunFolderError
from perma_agent.version import __version__

FORMAT = 1
"""Layout of a run folder; a larger number in a manifest means that a newer perma_agent wrote it."""

MANIFEST = "manifest.json"
"""Its file name."""

_KIND = "perma_agent run folder"
_LIMIT = 1 << 20  # bytes of a manifest that are read at most


@dataclass(frozen=True)
class Member:
    """What the manifest says of one file."""

    sha256: str
    """Of its content, in hexadecimal digits."""
    size: int
    """In bytes."""

    @classmethod
    def of(cls, content: bytes) -> Member:
        """The facts of `content`."""
        return cls(hashlib.sha256(content).hexdigest(), len(content))


def write_manifest(members: Mapping[str, Member], *, version: str = __version__) -> bytes:
    """The one way to write these facts down, with a hash over them, so that any changed byte shows.

    Args:
        members: by plain file name.
        version: of the perma_agent that writes.
    """
    facts = {
        "kind": _KIND,
        "format": FORMAT,
        "perma_agent": version,
        "files": {name: {"sha256": member.sha256, "bytes": member.size} for name, member in sorted(members.items())},
    }
    digest = hashlib.sha256(json.dumps(facts).encode()).hexdigest()
    return (json.dumps({**facts, "sha256": digest}, indent=2) + "\n").encode()


def manifest_of(folder: Path) -> str:
    """The manifest as it stands, unchecked; bytes that are no UTF-8 come back escaped.

    Raises:
        RunFolderError: there is no such folder, or no manifest in it.
    """
    if not folder.is_dir():
        raise RunFolderError(
            f"expected a run folder, got no folder at {folder}; make one with `perma-agent pretrain` or check the path"
        )
    try:
        with (folder / MANIFEST).open("rb") as file:
            return file.read(_LIMIT).decode(errors="surrogateescape")
    except FileNotFoundError as error:
        raise RunFolderError(
            f"expected a run folder, got {folder} without {MANIFEST}; give the folder that `perma-agent pretrain` or "
            "ContinualVASECallback(save_to=...) wrote"
        ) from error


def is_manifest(text: str) -> bool:
    """Whether this calls itself a manifest of ours."""
    try:
        plain = json.loads(text)
    except (ValueError, RecursionError):
        return False
    return isinstance(plain, dict) and plain.get("kind") == _KIND


def parse_manifest(text: str, *, folder: Path) -> dict[str, Member]:
    """The files that make up the checkpoint, by name.

    Raises:
        RunFolderError: the manifest is not ours, was truncated or altered, or has a newer format.
    """
    altered = (
        f"expected {MANIFEST} as it was saved in {folder}, got it truncated or altered; "
        "restore it from a copy or make the run again"
    )
    try:
        plain = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise RunFolderError(altered) from error
    if not is_manifest(text):
        raise RunFolderError(
            f"expected a run folder, got {folder} with a {MANIFEST} that is not of perma_agent; choose another folder"
        )
    version = plain.get("format")
    if isinstance(version, int) and version > FORMAT:
        raise RunFolderError(
            f"expected a run folder of format {FORMAT} or older, got format {version} in {folder}, written by "
            f"perma_agent {plain.get('perma_agent')}; update perma_agent (this is {__version__})"
        )
    try:
        members = {name: Member(entry["sha256"], int(entry["bytes"])) for name, entry in plain["files"].items()}
        intact = text.encode(errors="surrogateescape") == write_manifest(members, version=plain["perma_agent"])
    except (KeyError, TypeError, AttributeError, ValueError, OverflowError) as error:
        raise RunFolderError(altered) from error
    if not intact or any(Path(name).name != name for name in members):
        raise RunFolderError(altered)
    return members
