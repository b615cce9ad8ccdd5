"""Every example runs as a user would run it, one after the other in an empty folder, with --debug."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from perma_agent.continual.checkpoint import load_learner
from perma_agent.data import TrajectoryStore
from perma_agent.imagination.configurations import KINDS
from perma_agent.sb3 import read_bundle

EXAMPLES = sorted((Path(__file__).resolve().parents[1] / "examples").glob("*.py"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the examples run; each finds there what the ones before have written."""
    return tmp_path_factory.mktemp("examples")


@pytest.fixture(scope="module")
def example(folder: Path) -> Callable[..., str]:
    """Run an example and give back its stdout."""

    def run(name: str, *options: str) -> str:
        (path,) = (path for path in EXAMPLES if path.stem == name)
        command = [sys.executable, str(path), "--debug", *options]
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        ran = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120)
        assert ran.returncode == 0, ran.stderr
        return ran.stdout

    return run


def test_collect(example: Callable[..., str], folder: Path) -> None:
    said = example("01_collect")
    with TrajectoryStore.open(folder / "runs" / "indoor") as store:
        assert store.index.levels == ("perma/IndoorForage-v0", "perma/IndoorMaze-v0", "perma/IndoorDeferred-v0")
        assert store.num_frames == 300 + len(store)
        assert store.provenance(0).policy == "wanderer"
    assert said.count("trajectories") == 3


def test_pretrain(example: Callable[..., str], folder: Path) -> None:
    assert example("02_pretrain") == "runs/vase: 30 batches, 1 environments\n"
    learner = load_learner(folder / "runs" / "vase")
    assert (learner.step, learner.environment, learner.model.config.latents) == (30, 0, 8)


def test_train_policy(example: Callable[..., str], folder: Path) -> None:
    said = example("03_train_policy").splitlines()  # SB3's progress bar stands before it
    assert said[-1] == "runs/agent: trained for 512 steps on perma/IndoorMaze-v0"
    assert read_bundle(folder / "runs" / "agent").config.timesteps == 512
    learnt = load_learner(folder / "runs" / "agent" / "vase")
    assert learnt.step > load_learner(folder / "runs" / "vase").step == 30


def test_imagine(example: Callable[..., str], folder: Path) -> None:
    said = example("04_imagine").splitlines()
    assert said[0].startswith("runs/imagined.png\tlatents replaced")
    assert (folder / "runs" / "imagined.png").read_bytes().startswith(b"\x89PNG")
    assert "what could be brought about so far:" in said
    assert {line.split()[0] for line in said if "reached" in line and "missed" in line} <= set(KINDS)


def test_transfer(example: Callable[..., str]) -> None:
    rows = [line.split() for line in example("05_transfer").splitlines()[1:]]
    assert [row[:2] for row in rows] == [
        [level, policy] for level in ("perma/IndoorMaze-v0", "perma/OutdoorMaze-v0") for policy in ("trained", "random")
    ]
    assert all(0 <= float(row[2].rstrip("%")) <= 100 for row in rows)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_each_example_is_run_short_and_documented(path: Path) -> None:
    source = path.read_text()
    assert f'example("{path.stem}"' in Path(__file__).read_text(), "write a test that runs it"
    assert source.count("\n") <= 120
    assert f"python examples/{path.name}" in (ast.get_docstring(ast.parse(source)) or "")
    (args,) = (node for node in ast.parse(source).body if isinstance(node, ast.ClassDef) and node.name == "Args")
    fields = [node for node in args.body if isinstance(node, ast.AnnAssign)]
    documented = [
        first.target.id
        for first, second in zip(args.body, args.body[1:], strict=False)
        if isinstance(first, ast.AnnAssign) and isinstance(second, ast.Expr) and isinstance(second.value, ast.Constant)
    ]
    assert documented == [field.target.id for field in fields]
    assert documented[-1] == "debug"
