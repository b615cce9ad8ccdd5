"""A bundle goes to a hub and comes back through huggingface_hub's own requests; what could be executed stays there."""

from __future__ import annotations

import base64
import hashlib
import json
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import numpy as np
import pytest
from stable_baselines3 import PPO

from perma_agent.errors import PermaAgentError, RunFolderError
from perma_agent.sb3 import ContinualConfig, ContinualVASECallback, VASEFeaturesExtractor, save_bundle
from perma_agent.sb3.hub import download_from_hub, load_from_hub, push_to_hub
from perma_agent.sb3.model_card import MeasuredReturns, model_card

huggingface_hub = pytest.importorskip("huggingface_hub", reason="comes with the extra hub")
REPO = "ann/maze"


class HubDouble:
    """A Hugging Face hub of this machine alone, with the few endpoints that pushing and fetching need, over HTTP.

    It takes every file in the commit itself, as the true hub takes small ones; large ones go another way, which is
    huggingface_hub's own business.
    """

    def __init__(self) -> None:
        self.address = ""
        self.commits: dict[str, dict[str, bytes]] = {}
        self.branches: dict[str, str] = {}
        self.private: dict[str, Any] = {}
        self.fetched: list[str] = []
        self.unknown: list[str] = []

    def commit(self, files: dict[str, bytes], *, branch: str = "main") -> str:
        sha = hashlib.sha1(str((len(self.commits), sorted(files))).encode()).hexdigest()
        self.commits[sha] = dict(files)
        self.branches[branch] = sha
        return sha

    def head(self, revision: str) -> str | None:
        return self.branches.get(revision, revision if revision in self.commits else None)


class _Handler(BaseHTTPRequestHandler):
    hub: HubDouble

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        path = urlsplit(self.path).path.strip("/").split("/")
        match path:
            case ["api", "repos", "create"]:
                asked = json.loads(body)
                self.hub.private[asked["name"]] = asked.get("visibility", asked.get("private"))
                if "main" not in self.hub.branches:
                    self.hub.commit({".gitattributes": b""})
                self._json({"url": f"{self.hub.address}/{asked['organization']}/{asked['name']}"})
            case ["api", "models", _, _, "branch", branch]:
                self.hub.branches.setdefault(unquote(branch), self.hub.branches["main"])
                self._json({})
            case ["api", "models", _, _, "preupload", _]:
                files = json.loads(body)["files"]
                self._json(
                    {
                        "files": [
                            {"path": file["path"], "uploadMode": "regular", "shouldIgnore": False} for file in files
                        ]
                    }
                )
            case ["api", "models", owner, name, "commit", branch]:
                sha = self._take(body, unquote(branch))
                self._json({"commitUrl": f"{self.hub.address}/{owner}/{name}/commit/{sha}", "commitOid": sha})
            case ["api", "validate-yaml"]:
                self._json({"errors": [], "warnings": []})
            case _:
                self._missing("EntryNotFound")

    def do_GET(self) -> None:
        path = urlsplit(self.path).path.strip("/").split("/")
        match path:
            case ["api", "models", _, _]:
                self._info("main")
            case ["api", "models", _, _, "revision", revision]:
                self._info(unquote(revision))
            case [_, _, "resolve", revision, *name]:
                self._file(revision, "/".join(name))
            case _:
                self._missing("EntryNotFound")

    do_HEAD = do_GET

    def _take(self, body: bytes, branch: str) -> str:
        files = dict(self.hub.commits[self.hub.branches[branch]])
        for line in body.splitlines():
            match json.loads(line):
                case {"key": "file", "value": {"path": path, "content": content}}:
                    files[path] = base64.b64decode(content)
                case {"key": "deletedFile", "value": {"path": path}}:
                    del files[path]
        return self.hub.commit(files, branch=branch)

    def _info(self, revision: str) -> None:
        sha = self.hub.head(revision)
        if sha is None:
            self._missing("RevisionNotFound" if self.hub.commits else "RepoNotFound")
            return
        names = [{"rfilename": name} for name in self.hub.commits[sha]]
        self._json(
            {"id": "ann/maze", "modelId": "ann/maze", "sha": sha, "siblings": names, "tags": [], "private": False}
        )

    def _file(self, revision: str, name: str) -> None:
        content = self.hub.commits[self.hub.head(revision) or ""].get(unquote(name))
        if content is None:
            self._missing("EntryNotFound")
            return
        if self.command == "GET":
            self.hub.fetched.append(name)
        self.send_response(200)
        self.send_header("ETag", f'"{hashlib.sha1(content).hexdigest()}"')
        self.send_header("X-Repo-Commit", revision)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(content)

    def _json(self, value: Any) -> None:
        content = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def _missing(self, code: str) -> None:
        self.hub.unknown.append(self.path)
        self.send_response(404)
        self.send_header("X-Error-Code", code)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@contextmanager
def hub_double() -> Iterator[HubDouble]:
    """A hub that answers until the block ends."""
    hub = HubDouble()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"hub": hub}))
    hub.address = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def hub() -> Iterator[HubDouble]:
    with hub_double() as hub:
        yield hub


@pytest.fixture
def api(hub: HubDouble) -> Any:
    return huggingface_hub.HfApi(endpoint=hub.address, token="hf_nobody")


@pytest.fixture
def taught(run: str, level: Callable[..., Any], agent: Callable[..., Any]) -> tuple[PPO, ContinualVASECallback]:
    """An agent and the callback that its VASE learnt by."""
    callback = ContinualVASECallback(config=ContinualConfig(updates_per_rollout=1, every=1, pairs=4))
    made = agent(PPO, level(), VASEFeaturesExtractor.policy_kwargs(run))
    return made.learn(64, callback=callback), callback


@pytest.fixture
def bundle(taught: tuple[PPO, ContinualVASECallback], tmp_path: Path) -> Path:
    """Its bundle with its VASE, and files beside it that are nobody's business."""
    save_bundle(taught[0], tmp_path / "agent", learner=taught[1].learner)
    (tmp_path / "agent" / "agent.zip").write_bytes(b"a pickle within")
    return tmp_path / "agent"


def test_what_comes_back_acts_as_what_went(
    bundle: Path, taught: Any, hub: HubDouble, api: Any, tmp_path: Path, level: Any
) -> None:
    address = push_to_hub(bundle, REPO, private=True, api=api)
    assert address == f"{hub.address}/{REPO}/commit/{hub.branches['main']}"
    assert hub.private == {"maze": "private"} or hub.private == {"maze": True}
    held = hub.commits[hub.branches["main"]]
    assert {name.rpartition(".")[2] for name in held} == {"json", "safetensors", "md", "gitattributes"}
    assert {"policy.safetensors", "manifest.json", "vase/model.safetensors", "vase/manifest.json"} <= set(held)
    assert held["policy.safetensors"] == (bundle / "policy.safetensors").read_bytes()
    loaded = load_from_hub(REPO, cache=tmp_path / "cache", api=api)
    observations = level().reset()
    np.testing.assert_array_equal(
        loaded.predict(observations, deterministic=True)[0], taught[0].predict(observations, deterministic=True)[0]
    )
    assert loaded.num_timesteps == 64
    assert "README.md" not in hub.fetched  # what is not loaded is not fetched
    assert hub.unknown == []  # every request of huggingface_hub was one that the double knows


def test_an_agent_can_be_pushed_as_it_is_and_old_parts_go(
    bundle: Path, taught: Any, hub: HubDouble, api: Any, tmp_path: Path
) -> None:
    push_to_hub(bundle, REPO, api=api)
    push_to_hub(taught[0], REPO, card="# Mine", api=api)
    held = hub.commits[hub.branches["main"]]
    assert not [name for name in held if name.startswith("vase/")]  # else it would be another agent's
    assert held["README.md"] == b"# Mine"
    assert load_from_hub(REPO, cache=tmp_path / "cache", api=api).num_timesteps == 64


def test_a_revision_is_what_it_was(bundle: Path, taught: Any, hub: HubDouble, api: Any, tmp_path: Path) -> None:
    push_to_hub(bundle, REPO, api=api)
    first = hub.branches["main"]
    taught[0].num_timesteps = 99
    push_to_hub(taught[0], REPO, revision="later", api=api)
    assert hub.branches["main"] == first

    def steps(revision: str | None) -> int:
        return load_from_hub(REPO, revision=revision, cache=tmp_path / "cache", api=api).num_timesteps

    assert [steps(revision) for revision in (None, first, "later")] == [64, 64, 99]


@pytest.mark.parametrize("foreign", ["agent.zip", "vase/model.pt", "setup.py", "weights.safetensors.pkl"])
def test_other_kinds_of_files_are_refused_and_nothing_is_fetched(
    bundle: Path, hub: HubDouble, api: Any, tmp_path: Path, foreign: str
) -> None:
    push_to_hub(bundle, REPO, api=api)
    hub.commit({**hub.commits[hub.branches["main"]], foreign: b"x"})
    with pytest.raises(RunFolderError, match=f"expected safetensors and JSON only in ann/maze, got {foreign}"):
        download_from_hub(REPO, cache=tmp_path / "cache", api=api)
    assert hub.fetched == []
    with pytest.raises(RunFolderError, match="nothing was fetched or pushed"):
        push_to_hub(bundle, REPO, api=api)


@pytest.mark.parametrize("name", ["policy.safetensors", "config.json", "manifest.json", "vase/model.safetensors"])
def test_an_altered_or_missing_file_is_refused(
    bundle: Path, hub: HubDouble, api: Any, tmp_path: Path, name: str
) -> None:
    push_to_hub(bundle, REPO, api=api)
    held = hub.commits[hub.branches["main"]]
    content = bytearray(held[name])
    content[len(content) // 2] ^= 1
    hub.commit({**held, name: bytes(content)})
    with pytest.raises(RunFolderError, match="altered"):
        download_from_hub(REPO, cache=tmp_path / "cache", api=api)
    hub.commit({other: content for other, content in held.items() if other != name})
    with pytest.raises(RunFolderError, match=f"got one without {name}"):
        download_from_hub(REPO, cache=tmp_path / "cache", api=api)


def test_a_damaged_bundle_is_not_pushed(bundle: Path, hub: HubDouble, api: Any) -> None:
    (bundle / "policy.safetensors").write_bytes(b"x")
    with pytest.raises(RunFolderError, match="truncated"):
        push_to_hub(bundle, REPO, api=api)
    assert hub.commits == {}


def test_what_the_hub_complains_of_is_one_sentence(hub: HubDouble, api: Any, tmp_path: Path, bundle: Path) -> None:
    for repo, revision in (("ann/maze", None), ("ann/maze/more", None)):
        with pytest.raises(PermaAgentError, match=f"expected to reach {repo} on the Hugging Face hub, got"):
            load_from_hub(repo, revision=revision, cache=tmp_path / "cache", api=api)
    push_to_hub(bundle, REPO, api=api)
    with pytest.raises(PermaAgentError, match="check the name, the revision, your token"):
        load_from_hub(REPO, revision="never", cache=tmp_path / "cache", api=api)
    nobody = huggingface_hub.HfApi(endpoint="http://127.0.0.1:9")
    with pytest.raises(PermaAgentError, match="the connection"):
        load_from_hub(REPO, cache=tmp_path / "cache", api=nobody)


def test_without_the_package_it_says_which_extra_brings_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(PermaAgentError, match=r"pip install 'perma-agent\[hub\]'"):
        load_from_hub(REPO)


# --- the card ---


def test_the_card_is_one_that_the_hub_can_read(bundle: Path) -> None:
    returns = MeasuredReturns(values=[1.0, 3.0], episodes="2 episodes, acting greedily")
    text = model_card(bundle, repo_id=REPO, returns=returns, licence="mit")
    card = huggingface_hub.ModelCard(text)
    assert card.data.library_name == "perma-agent"
    assert card.data.license == "mit"
    assert {"reinforcement-learning", "stable-baselines3", "vase"} <= set(card.data.tags)
    assert "2.00 +/- 1.00 (mean and standard deviation over 2 episodes, acting greedily)" in text
    for part in (
        "4 latents",
        "mode `continual`",
        "## VASE",
        "it has seen 2 batches and knows 1 environment",
        "## Levels",
        "## Licence",
        "## Limits",
    ):
        assert part in text, part
    assert f'load_from_hub("{REPO}")' in text


def test_the_card_names_levels_and_what_was_measured_there(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    levels = [{"id": "perma/IndoorMaze-v0", "arguments": {"rows": 1}}]
    monkeypatch.setattr("perma_agent.sb3.model_card.read_bundle", _with_levels(levels))
    returns = MeasuredReturns(values=[0.5], episodes="1 episode")
    (result,) = huggingface_hub.ModelCard(model_card(bundle, returns=returns)).data.eval_results
    assert (result.metric_type, result.metric_value) == ("mean_reward", "0.50 +/- 0.00")
    assert (result.task_type, result.dataset_type) == ("reinforcement-learning", "perma/IndoorMaze-v0")
    assert '- `perma/IndoorMaze-v0` with `{"rows": 1}`' in model_card(bundle)


def _with_levels(levels: list[dict[str, Any]]) -> Callable[[Path], Any]:
    from dataclasses import replace

    from perma_agent.sb3 import read_bundle

    return lambda folder: replace(read_bundle(folder), levels=levels)


def test_a_card_claims_nothing_that_was_not_measured(bundle: Path) -> None:
    text = model_card(bundle)
    assert "## Returns\n\nNot measured." in text
    assert "model-index" not in text
    assert "The author has named none." in text
    with pytest.raises(ValueError, match="expected finite returns of at least one episode"):
        MeasuredReturns(values=[], episodes="none")
