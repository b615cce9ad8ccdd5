"""The sheet of pictures shows the levels, and is written whole or not at all."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from perma_agent.envs.suite.pictures import FRAMES, MARGIN, TILE, TITLE, level_pictures, write_level_pictures
from perma_agent.errors import LevelError


def test_a_row_for_each_level() -> None:
    done: list[int] = []
    sheet = level_pictures(["perma/IndoorMaze-v0", "perma/OutdoorMaze-v0"], report=done.append)
    assert sheet.shape == (2 * (TITLE + TILE + MARGIN), (FRAMES + 2) * (TILE + MARGIN), 3)
    assert sheet.dtype == np.uint8 and done == [1, 2]
    indoor, outdoor = np.split(sheet, 2)
    assert np.abs(indoor.astype(int) - outdoor).mean() > 20


def test_written_as_png_and_leaving_no_rest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small = level_pictures(["perma/IndoorDeferred-v0"])
    monkeypatch.setattr("perma_agent.envs.suite.pictures.level_pictures", lambda **_: small)
    write_level_pictures(tmp_path / "docs" / "levels.png")
    assert np.array_equal(cv2.imread(str(tmp_path / "docs" / "levels.png"))[..., ::-1], small)
    assert [path.name for path in (tmp_path / "docs").iterdir()] == ["levels.png"]


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "perma_agent.envs.suite.pictures.level_pictures", lambda **_: np.zeros((8, 8, 3), dtype=np.uint8)
    )
    (tmp_path / "file").write_text("")
    with pytest.raises(LevelError, match="expected to write the pictures to "):
        write_level_pictures(tmp_path / "file" / "levels.png")
