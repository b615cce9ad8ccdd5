"""`perma-agent push` hands the hub what it is told to, with a card of what was measured."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from perma_agent.cli import push


@pytest.fixture
def pushed(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """What would have gone to the hub; tests/sb3/test_hub.py sees it arrive."""
    calls: list[tuple[Any, ...]] = []

    def take(folder: Path, repo: str, **options: Any) -> str:
        calls.append((folder, repo, options))
        return f"https://hub/{repo}/commit/1"

    monkeypatch.setattr(push, "push_to_hub", take)
    return calls


def test_the_card_tells_the_last_training_episodes(say: Callable[..., Any], agent: Path, pushed: list) -> None:
    said = say("push", agent, "ann/maze", "--licence", "mit", "--private", "--revision", "dev", "--json")
    assert json.loads(said.out) == {"repo": "ann/maze", "commit": "https://hub/ann/maze/commit/1"}
    ((folder, repo, options),) = pushed
    assert (folder, repo, options["revision"], options["private"]) == (agent, "ann/maze", "dev", True)
    returns = json.loads((agent / "episodes.json").read_text())["episodes"]["returns"]
    mean = sum(returns) / len(returns)
    assert f'"value": "{mean:.2f} +/- ' in options["card"]
    assert f"the last {len(returns)} training episodes" in options["card"]
    assert 'license: "mit"' in options["card"]


def test_the_card_can_be_read_before(say: Callable[..., Any], agent: Path, pushed: list) -> None:
    (agent / "episodes.json").unlink()
    said = say("push", agent, "ann/maze", "--show")
    assert said.code == 0
    assert said.out.startswith("---\nlibrary_name:")
    assert "Not measured." in said.out
    assert "perma/IndoorMaze-v0" in said.out
    assert pushed == []


def test_a_repository_must_be_named(say: Callable[..., Any], agent: Path, pushed: list) -> None:
    assert "expected a repository as user/name, got ''" in say("push", agent).complaint()
    assert "got 'maze'" in say("push", agent, "maze").complaint()


def test_what_is_no_agent_is_refused(say: Callable[..., Any], tmp_path: Path, pushed: list) -> None:
    assert "expected the folder of an agent" in say("push", tmp_path, "ann/maze").complaint()
    assert pushed == []
