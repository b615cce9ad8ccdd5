"""What the verbs work on: a store of a one-room maze, a VASE that saw it, and an agent; made once, then copied."""

from __future__ import annotations

import json
import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

from perma_agent.cli.main import main

ROOM = '{"rows": 1, "columns": 1, "max_episode_steps": 20}'
SMALL = ("--model.filters", "4", "4", "4", "4", "--model.hidden", "16", "--model.latents", "6")
SHORT = ("--copies", "2", "--steps-per-rollout", "32", "--batch-size", "32", "--epochs", "1", "--continual.every", "64")


class Said(NamedTuple):
    """How a command ended."""

    code: int
    out: str
    err: str

    def complaint(self) -> str:
        """The one sentence on stderr of a command that a user got wrong."""
        assert (self.code, self.out, self.err.count("\n")) == (2, "", 1), self
        assert "Traceback" not in self.err
        return self.err.removeprefix("perma-agent: ").strip()


@pytest.fixture
def say(capfd: pytest.CaptureFixture[str]) -> Callable[..., Said]:
    """Run a command in this process."""

    def run(*arguments: object) -> Said:
        capfd.readouterr()
        code = main([str(argument) for argument in arguments])
        return Said(code, *capfd.readouterr())

    return run


@pytest.fixture(scope="session")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store."""
    path = tmp_path_factory.mktemp("store") / "room"
    level = ("--levels", "perma/IndoorMaze-v0", "--arguments", ROOM)
    assert main(["collect", "--store", str(path), *level, "--frames", "160", "--copies", "2"]) == 0
    return path


@pytest.fixture(scope="session")
def learnt(recorded: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run folder."""
    path = tmp_path_factory.mktemp("run") / "vase"
    assert (
        main(["pretrain", "--store", str(recorded), "--run", str(path), "--updates", "6", "--pairs", "4", *SMALL]) == 0
    )
    return path


@pytest.fixture(scope="session")
def trained(learnt: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An agent's folder."""
    path = tmp_path_factory.mktemp("agent") / "agent"
    level = ("--level", "perma/IndoorMaze-v0", "--arguments", ROOM, "--run", str(learnt))
    assert main(["train", *level, "--agent", str(path), "--timesteps", "128", *SHORT]) == 0
    return path


@pytest.fixture
def store(recorded: Path, tmp_path: Path) -> Path:
    """A copy of the store."""
    return Path(shutil.copytree(recorded, tmp_path / "room"))


@pytest.fixture
def run(learnt: Path, tmp_path: Path) -> Path:
    """A copy of the run folder."""
    return Path(shutil.copytree(learnt, tmp_path / "vase"))


@pytest.fixture
def agent(trained: Path, tmp_path: Path) -> Path:
    """A copy of the agent's folder."""
    return Path(shutil.copytree(trained, tmp_path / "agent"))


@pytest.fixture
def beneath_a_file(tmp_path: Path) -> Path:
    """A path that nobody, not even root, can write to."""
    (tmp_path / "file").write_text("not a folder")
    return tmp_path / "file" / "folder"


@pytest.fixture
def stop_after() -> Callable[..., Callable]:
    """Make a progress bar that asks to stop after so many calls."""

    def make(calls: int, *, by: signal.Signals = signal.SIGTERM) -> Callable:
        @contextmanager
        def bar(label: str, *, total: float | None) -> Iterator[Callable]:
            left = calls

            def advance(steps: float = 1, *, note: str = "") -> None:
                nonlocal left
                left -= 1
                if left == 0:
                    signal.raise_signal(by)

            yield advance

        return bar

    return make


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below a folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.fixture
def bytes_of() -> Callable[[Path], dict[str, bytes]]:
    """Every file below a folder, by name."""
    return contents


@pytest.fixture
def lines_of() -> Callable[[Path], list[dict]]:
    """The objects of a JSON lines file."""
    return lambda path: [json.loads(line) for line in path.read_text().splitlines()]


@pytest.fixture
def small() -> tuple[str, ...]:
    """Options of the smallest network."""
    return SMALL


@pytest.fixture
def short() -> tuple[str, ...]:
    """Options of the shortest training."""
    return SHORT


@pytest.fixture
def room() -> str:
    """Arguments of the level."""
    return ROOM
