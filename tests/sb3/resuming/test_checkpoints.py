"""Checkpoints: the last few and the best are kept, and whatever kills the writer, a whole one is there."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from perma_agent.errors import RunFolderError
from perma_agent.sb3.resuming.checkpoints import Checkpoints, DamagedCheckpointWarning


def writer(mean_return: float | None = None, text: str = "") -> Callable[[Path], None]:
    def write(folder: Path) -> None:
        (folder / "run").mkdir(parents=True)
        (folder / "run" / "state.json").write_text(json.dumps({"mean_return": mean_return, "text": text}))

    return write


def read(folder: Path) -> str:
    try:
        return str(json.loads((folder / "run" / "state.json").read_text())["text"])
    except (OSError, ValueError) as error:
        raise RunFolderError(f"expected a checkpoint, got: {error}") from error


def test_the_last_few_and_the_best_stay(tmp_path: Path) -> None:
    kept = Checkpoints(tmp_path / "new", keep=2)
    assert (kept.all(), kept.best(), kept.newest(read)) == ([], None, None)
    for steps, value in ((10, None), (20, 5.0), (30, 1.0), (40, 5.0), (50, 2.0), (60, None)):
        kept.add(steps, writer(value, text=str(steps)))
        assert kept.newest(read) == str(steps)
    assert kept.all() == [40, 50, 60]  # of equal ones the newest is the best
    assert kept.best() == 40
    with pytest.raises(ValueError, match="expected to keep at least one"):
        Checkpoints(tmp_path, keep=0)


def test_a_writer_killed_at_any_moment_leaves_a_whole_one(tmp_path: Path) -> None:
    kept = Checkpoints(tmp_path, keep=1)
    kept.add(10, writer(text="first"))

    def killed(folder: Path) -> None:
        writer(text="half")(folder)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        kept.add(20, killed)
    assert (tmp_path / ".20.part").exists()
    assert (kept.all(), kept.newest(read)) == ([10], "first")
    (tmp_path / "10").rename(tmp_path / ".10.old")  # killed between the two renames of a replacement
    assert (kept.all(), kept.newest(read)) == ([10], "first")
    kept.add(10, writer(text="again"))
    assert (kept.all(), kept.newest(read)) == ([10], "again")
    kept.add(10, writer(text="once more"))
    assert [path.name for path in tmp_path.iterdir()] == ["10"]
    assert kept.newest(read) == "once more"


def test_one_that_was_damaged_gives_way(tmp_path: Path) -> None:
    kept = Checkpoints(tmp_path)
    kept.add(10, writer(text="first"))
    kept.add(20, writer(text="second"))
    (tmp_path / "20" / "run" / "state.json").write_text("{")
    with pytest.warns(DamagedCheckpointWarning, match="checkpoint 20 .* cannot be read"):
        assert kept.newest(read) == "first"
    shutil.rmtree(tmp_path / "10" / "run")
    with pytest.warns(DamagedCheckpointWarning), pytest.raises(RunFolderError, match="expected a whole checkpoint"):
        kept.newest(read)


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RunFolderError, match="expected to write a checkpoint"):
        Checkpoints(tmp_path / "file" / "below").add(1, writer())
