"""Contact sheet: frames of each level in its own row, evenly spread, none of another's."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from perma_agent.data import TrajectoryStore
from perma_agent.errors import StoreError
from perma_agent.evaluation.report import contact_sheet as module
from perma_agent.evaluation.report.contact_sheet import contact_sheet
from perma_agent.types import Provenance, Trajectory


def trajectory(level: str, shades: range) -> Trajectory:
    """Frames of one shade each."""
    frames = np.array(shades, np.uint8)[:, None, None, None] * np.ones((1, 8, 8, 3), np.uint8)
    steps = len(shades) - 1
    return Trajectory(
        frames=frames,
        actions=np.zeros(steps, np.int64),
        rewards=np.zeros(steps, np.float32),
        terminated=False,
        truncated=True,
        provenance=Provenance(level=level),
    )


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[np.ndarray]:
    """Blocks of frames that sheets are made of."""
    blocks_shown: list[np.ndarray] = []
    sheet = module.Sheet
    monkeypatch.setattr(
        module, "Sheet", lambda blocks, **options: blocks_shown.extend(blocks) or sheet(blocks, **options)
    )
    return blocks_shown


def test_rows_are_levels_and_columns_time(tmp_path: Path, shown: list[np.ndarray]) -> None:
    with TrajectoryStore.create(tmp_path / "store") as store:
        # Level a: shades 0 to 9 and 20 to 24, fifteen frames with those of level b between them.
        store.add(trajectory("a", range(10)))
        store.add(trajectory("b", range(100, 103)))
        store.add(trajectory("a", range(20, 25)))
        figure = contact_sheet(store, columns=3)
    (frames,) = shown
    assert frames.shape == (2, 3, 3, 8, 8)
    assert frames[:, :, 0, 0, 0].tolist() == [[0, 7, 24], [100, 101, 102]]  # frames 0, 7 and 14 of 15; 0, 1, 2 of 3
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["a", "b"]


def test_few_frames_are_repeated(tmp_path: Path, shown: list[np.ndarray]) -> None:
    with TrajectoryStore.create(tmp_path / "store") as store:
        store.add(trajectory("a", range(2)))
        contact_sheet(store, columns=8)
    (shades,) = shown[0][:, :, 0, 0, 0].tolist()
    assert len(shades) == 8 and shades == sorted(shades) and set(shades) == {0, 1}


def test_an_empty_store(tmp_path: Path) -> None:
    with TrajectoryStore.create(tmp_path / "store") as store, pytest.raises(StoreError, match="got an empty store"):
        contact_sheet(store)
