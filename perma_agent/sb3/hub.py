"""Hugging Face hub: a bundle goes up as safetensors, JSON and a model card, and only safetensors and JSON come down."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from stable_baselines3.common.base_class import BaseAlgorithm

from perma_agent.continual.checkpoint import FILES as RUN_FILES
from perma_agent.continual.manifest import MANIFEST
from perma_agent.continual.run_folder import read_files, write_files
from perma_agent.errors import PermaAgentError, RunFolderError
from perma_agent.sb3.model_card import model_card
from perma_agent.sb3.saving.bundle import FILES, VASE, load_bundle, read_bundle, save_bundle

CARD = "README.md"
KINDS = (".safetensors", ".json")
"""Endings of the files that a repository may hold; nothing in them can be executed."""
DOCUMENTS = frozenset((CARD, ".gitattributes", "LICENSE", "LICENSE.md", "LICENSE.txt"))
"""Other files that it may hold; they are not loaded."""
OF_AGENT = frozenset((*FILES, MANIFEST))
OF_VASE = frozenset(f"{VASE}/{name}" for name in (*RUN_FILES, MANIFEST))


def push_to_hub(
    bundle: str | Path | BaseAlgorithm,
    repo_id: str,
    *,
    card: str | None = None,
    revision: str | None = None,
    private: bool | None = None,
    message: str = "Upload an agent of perma_agent",
    api: Any = None,
) -> str:
    """Put an agent on the hub in one commit; every byte is checked before, and a bundle that is there is replaced.

    Args:
        bundle: folder that `save_bundle` or `perma-agent train` wrote, of which the bundle and its `vase/` are pushed
            and nothing else; or an agent.
        repo_id: `user/name`; made if there is none.
        card: text of README.md; by default `model_card` of the bundle.
        revision: branch, made if there is none; the main one by default.
        private: whether a new repository is seen by you alone; by default as your account says.
        message: of the commit.
        api: a `huggingface_hub.HfApi`, e.g. with a token or an endpoint of its own.

    Returns:
        Address of the commit.

    Raises:
        RunFolderError: the bundle is missing, damaged or of another version, or the repository holds other kinds of
            files.
        ValueError: the agent has a part that cannot be written down, see `save_bundle`.
        PermaAgentError: huggingface_hub is not installed, or the hub refused.
    """
    hub = _hub()
    api = hub.HfApi() if api is None else api
    with tempfile.TemporaryDirectory() as temporary:
        staged = _stage(bundle, Path(temporary) / "bundle")
        text = model_card(staged, repo_id=repo_id) if card is None else card
        with _told(hub, repo_id):
            api.create_repo(repo_id, private=private, exist_ok=True)
            if revision is not None:
                api.create_branch(repo_id, branch=revision, exist_ok=True)
            there = _checked(_listed(api.model_info(repo_id, revision=revision)), where=repo_id)
            files = {path.relative_to(staged).as_posix(): path for path in sorted(staged.rglob("*")) if path.is_file()}
            operations = [hub.CommitOperationAdd(CARD, text.encode())]
            operations += [hub.CommitOperationAdd(name, str(path)) for name, path in files.items()]
            gone = (there & (OF_AGENT | OF_VASE)) - set(files)
            operations += [hub.CommitOperationDelete(name) for name in sorted(gone)]
            commit = api.create_commit(repo_id, operations, commit_message=message, revision=revision)
    return str(commit.commit_url)


def download_from_hub(
    repo_id: str, *, revision: str | None = None, cache: str | Path | None = None, api: Any = None
) -> Path:
    """Fetch a bundle of the hub and check every byte of it against its manifest.

    The revision is resolved to one commit first, so that all files are of the same. Only the bundle's own files are
    fetched, and none if the repository holds anything but safetensors, JSON and its documents.

    Args:
        repo_id: `user/name`.
        revision: branch, tag or commit; name a commit to be sure to get what you have looked at.
        cache: where downloads are kept; the hub's own cache by default.
        api: a `huggingface_hub.HfApi`.

    Returns:
        Folder of the bundle within the cache; copy it before you write to it.

    Raises:
        PermaAgentError: huggingface_hub is not installed, the hub cannot be reached, or there is no such repository.
        RunFolderError: the repository holds files of another kind, lacks one, or the bundle is damaged.
    """
    hub = _hub()
    api = hub.HfApi() if api is None else api
    with _told(hub, repo_id):
        info = api.model_info(repo_id, revision=revision)
        there = _checked(_listed(info), where=repo_id)
        whole = OF_AGENT | (OF_VASE if there & OF_VASE else frozenset())
        missing = sorted(whole - there)
        if missing:
            raise RunFolderError(f"expected a bundle in {repo_id}, got one without {', '.join(missing)}; push it again")
        for name in sorted(whole):
            path = api.hf_hub_download(repo_id, name, revision=info.sha, cache_dir=cache)
            folder = Path(path).parents[name.count("/")]
    read_bundle(folder)
    if there & OF_VASE:
        read_files(folder / VASE, RUN_FILES)
    return folder


def load_from_hub(
    repo_id: str,
    *,
    revision: str | None = None,
    device: str | torch.device = "cpu",
    cache: str | Path | None = None,
    api: Any = None,
) -> BaseAlgorithm:
    """An agent from the hub, to act at once, or to learn on after `set_env`; no pickle is read.

    Example:
        >>> agent = load_from_hub("ann/indoor-maze", revision="3f9a51c")  # doctest: +SKIP

    Args:
        repo_id: `user/name`.
        revision: branch, tag or commit.
        device: where to put the policy.
        cache: where downloads are kept.
        api: a `huggingface_hub.HfApi`.

    Raises:
        PermaAgentError, RunFolderError: as `download_from_hub` and `load_bundle`.
    """
    return load_bundle(download_from_hub(repo_id, revision=revision, cache=cache, api=api), device=device)


def _stage(bundle: str | Path | BaseAlgorithm, folder: Path) -> Path:
    """A copy with the checked files of the bundle and nothing else."""
    if isinstance(bundle, BaseAlgorithm):
        save_bundle(bundle, folder)
        return folder
    read_bundle(bundle)  # tells best what is wrong with it
    write_files(folder, read_files(bundle, FILES))
    if (Path(bundle) / VASE / MANIFEST).is_file():
        write_files(folder / VASE, read_files(Path(bundle) / VASE, RUN_FILES))
    return folder


def _listed(info: Any) -> set[str]:
    """Names of the files in a repository."""
    return {one.rfilename for one in info.siblings or ()}


def _checked(there: set[str], *, where: str) -> set[str]:
    foreign = sorted(name for name in there - DOCUMENTS if not name.endswith(KINDS))
    if foreign:
        raise RunFolderError(
            f"expected safetensors and JSON only in {where}, got {', '.join(foreign[:3])}; nothing was fetched or "
            "pushed, and `perma-agent doctor` says what a zip or pickle would execute"
        )
    return there


def _hub() -> Any:
    try:
        import huggingface_hub
    except ModuleNotFoundError as error:
        raise PermaAgentError(
            "expected the package huggingface_hub, got none; pip install 'perma-agent[hub]'"
        ) from error
    return huggingface_hub


@contextmanager
def _told(hub: Any, repo_id: str) -> Iterator[None]:
    """What the hub, its validation or the connection complain of, in one sentence."""
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError

    # The base of its HTTP error is that of the library it asks by, which is another one in newer versions.
    complaints: tuple[type[Exception], ...] = (OSError, HFValidationError, *HfHubHTTPError.__bases__)
    try:
        yield
    except complaints as error:
        said = " ".join(str(error).split())[:300]
        raise PermaAgentError(
            f"expected to reach {repo_id} on the Hugging Face hub, got: {type(error).__name__} {said}; check the name, "
            "the revision, your token (`hf auth login`) and the connection"
        ) from error
