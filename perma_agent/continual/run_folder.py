"""Run folder: a few files that change together or not at all, each with its SHA-256 in `manifest.json`.

Several files cannot be renamed at once, so one rename decides: that of the manifest. New contents are first written
and synced beside the old ones under names made of their hash (`.model.safetensors.3f9a…`); then the new manifest takes
the place of the old in one rename; only then do the new contents take the plain names. A reader goes by the hashes in
the manifest and looks under both names. Killed before the rename, the old checkpoint is whole; killed after it, the
new one is, and the next writer finishes the renaming. Files that the manifest does not list are never touched.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from perma_agent.continual.manifest import MANIFEST, Member, is_manifest, manifest_of, parse_manifest, write_manifest
from perma_agent.errors import RunFolderError


def is_run_folder(folder: str | Path) -> bool:
    """Whether `folder` holds a manifest of ours; its files are not checked."""
    try:
        return is_manifest(manifest_of(Path(folder)))
    except (OSError, RunFolderError):
        return False


def write_files(folder: str | Path, files: Mapping[str, bytes]) -> None:
    """Replace the folder's checkpoint by `files`, all of them or none; waits for another writer to finish.

    Args:
        folder: made if missing.
        files: content by plain file name, always the same names for one kind of folder.

    Raises:
        RunFolderError: the folder holds something of these names that is not ours, was written by a newer version, or
            cannot be written (no space, no permission); what was there before is intact.
    """
    folder = Path(folder)
    staged: list[Path] = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _locked(folder):
            _refuse_foreign(folder, names=files)
            members = {name: Member.of(content) for name, content in files.items()}
            for name, content in files.items():
                staged.append(_staged(folder, name, members[name]))
                _write(staged[-1], content)
            manifest = write_manifest(members)
            staged.append(_staged(folder, MANIFEST, Member.of(manifest)))
            _write(staged[-1], manifest)
            _sync_directory(folder)
            staged[-1].replace(folder / MANIFEST)  # from here on the new checkpoint counts
            staged.clear()
            _sync_directory(folder)
            _settle(folder, members)
    except OSError as error:
        for path in staged:
            with contextlib.suppress(OSError):  # the first error is the one to tell of
                path.unlink(missing_ok=True)
        raise RunFolderError(
            f"expected to write a checkpoint into {folder}, got: {_reason(error)}; free space or choose another folder "
            "(a checkpoint that was there is not lost)"
        ) from error


def read_files(folder: str | Path, names: Collection[str]) -> dict[str, bytes]:
    """The folder's checkpoint, every byte checked against the manifest; nothing is written.

    Args:
        folder: a run folder.
        names: the files it must hold.

    Raises:
        RunFolderError: the folder or a file is missing, truncated, altered, foreign or of a newer version.
    """
    folder = Path(folder)
    try:
        contents, members = _read(folder, names)
        if None in contents.values():
            with _locked(folder):  # a writer may have committed in between: now none can
                contents, members = _read(folder, names)
        found = {name: content for name, content in contents.items() if content is not None}
        for name in contents.keys() - found.keys():
            raise RunFolderError(_what_is_wrong(folder, name, members[name]))
        return found
    except OSError as error:
        raise RunFolderError(
            f"expected to read the run folder {folder}, got: {_reason(error)}; check the path and its permissions"
        ) from error


def _read(folder: Path, names: Collection[str]) -> tuple[dict[str, bytes | None], Mapping[str, Member]]:
    """What the manifest of this moment means by each name, None where it is not to be had, and what it says of them."""
    members = parse_manifest(manifest_of(folder), folder=folder)
    if set(members) != set(names):
        raise RunFolderError(
            f"expected a run folder with {', '.join(sorted(names))}, got {', '.join(sorted(members))} in "
            f"{folder}; give the folder of a pretrained or trained VASE"
        )
    return {name: _content(folder, name, member) for name, member in members.items()}, members


def _refuse_foreign(folder: Path, *, names: Collection[str]) -> None:
    """Let nobody overwrite what is not a checkpoint of ours, and finish what an earlier writer began."""
    if (folder / MANIFEST).exists():
        _settle(folder, parse_manifest(manifest_of(folder), folder=folder))
        return
    taken = sorted(name for name in names if (folder / name).exists())
    if taken:
        raise RunFolderError(
            f"expected a run folder or none of its files, got {folder} with {', '.join(taken)} but no {MANIFEST}; "
            "choose another folder or move these files away"
        )


def _settle(folder: Path, members: Mapping[str, Member]) -> None:
    """Give committed contents their plain names, and remove what killed writers left."""
    for name, member in members.items():
        staged = _staged(folder, name, member)
        if staged.exists() and _matches(staged, member) is not None:
            staged.replace(folder / name)
    _sync_directory(folder)
    left = re.compile(r"\.(" + "|".join(map(re.escape, (*members, MANIFEST))) + r")\.[0-9a-f]{16}")
    for path in folder.iterdir():
        if left.fullmatch(path.name):
            path.unlink()


def _content(folder: Path, name: str, member: Member) -> bytes | None:
    """The bytes that the manifest means by `name`, or None where neither place has them."""
    plain, staged = folder / name, _staged(folder, name, member)
    for path in (plain, staged, plain):  # and again: a writer may have renamed it in between
        content = _matches(path, member)
        if content is not None:
            return content
    return None


def _matches(path: Path, member: Member) -> bytes | None:
    try:
        if path.stat().st_size != member.size:
            return None
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    return content if Member.of(content) == member else None


def _what_is_wrong(folder: Path, name: str, member: Member) -> str:
    path = folder / name
    if not path.exists():
        return f"expected {name} in the run folder {folder}, got none; restore it from a copy or make the run again"
    size = path.stat().st_size
    if size < member.size:
        got = f"it truncated to {size} bytes"
    else:
        got = "it altered" if size == member.size else f"it altered ({size} bytes)"
    return (
        f"expected {name} of {member.size} bytes as it was saved in the run folder {folder}, got {got}; "
        "restore it from a copy or make the run again"
    )


def _staged(folder: Path, name: str, member: Member) -> Path:
    return folder / f".{name}.{member.sha256[:16]}"


def _write(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _sync_directory(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """One writer at a time; the system lifts the lock when its holder dies."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        except OSError as error:
            if error.errno not in (errno.ENOLCK, errno.EOPNOTSUPP):  # some network file systems know no locks
                raise
        yield
    finally:
        os.close(descriptor)


def _reason(error: OSError) -> str:
    return error.strerror or str(error)
