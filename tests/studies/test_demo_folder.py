"""Demo folder: an earlier demo is replaced, whatever else is there is safe."""

from __future__ import annotations

from pathlib import Path

import pytest

from perma_agent.errors import RunFolderError
from perma_agent.studies.demo_folder import PARTS, claim


def test_a_new_folder(tmp_path: Path) -> None:
    claim(tmp_path / "runs" / "demo")
    assert list((tmp_path / "runs" / "demo").iterdir()) == []


def test_an_earlier_demo_is_replaced(tmp_path: Path) -> None:
    for part in PARTS:
        if "." in part:
            (tmp_path / part).write_text("old")
        else:
            (tmp_path / part / "inner").mkdir(parents=True)
            (tmp_path / part / "inner" / "file").write_text("old")
    claim(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_half_a_demo_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "trajectories-indoor").mkdir()
    claim(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_vase_of_ones_own_is_no_demo(tmp_path: Path) -> None:
    (tmp_path / "vase").mkdir()
    (tmp_path / "vase" / "model.safetensors").write_text("precious")
    with pytest.raises(RunFolderError, match="with vase in it"):
        claim(tmp_path)
    assert (tmp_path / "vase" / "model.safetensors").read_text() == "precious"


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("precious")
    with pytest.raises(RunFolderError, match="expected to write to"):
        claim(tmp_path / "file" / "demo")


@pytest.mark.parametrize("foreign", ["thesis.txt", "report.pdf", ".git"])
def test_anything_else_is_left_alone(tmp_path: Path, foreign: str) -> None:
    (tmp_path / "trajectories-indoor").mkdir()
    (tmp_path / foreign).write_text("precious")
    with pytest.raises(RunFolderError, match=f"with {foreign} in it; name another with --folder"):
        claim(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(["trajectories-indoor", foreign])


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "demo").write_text("precious")
    with pytest.raises(RunFolderError, match="got the file"):
        claim(tmp_path / "demo")
    assert (tmp_path / "demo").read_text() == "precious"


def test_what_a_link_points_to_is_safe(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "file").write_text("precious")
    (tmp_path / "demo" / "trajectories-indoor").mkdir(parents=True)
    (tmp_path / "demo" / "vase").symlink_to(tmp_path / "elsewhere")
    claim(tmp_path / "demo")
    assert (tmp_path / "elsewhere" / "file").read_text() == "precious"
    assert not (tmp_path / "demo" / "vase").is_symlink()
