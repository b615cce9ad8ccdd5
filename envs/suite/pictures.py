"""A sheet of pictures of the levels: what the agent sees, in its own pixels and in more, and the map from above."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from perma_agent.envs.catalogue import make_level
from perma_agent.envs.suite.levels import SUITE
from perma_agent.envs.suite.oracle import Oracle
from perma_agent.errors import LevelError

TILE = 160
"""Pixels along each side of one picture on the sheet."""
MARGIN = 6
"""Pixels between them."""
TITLE = 26
"""Height of the line that names a level, pixels."""
FRAMES = 4
"""Episodes of which each level shows a frame."""


def level_pictures(
    level_ids: Sequence[str] | None = None,
    *,
    seed: int = 0,
    split: str = "train",
    report: Callable[[int], None] = lambda _: None,
) -> np.ndarray:
    """One row a level: `FRAMES` frames of as many episodes, the last one larger, and its map from above.

    Args:
        level_ids: levels of ours; None for all.
        seed: of the first episode; the others follow.
        split: `train` or `test`.
        report: called with the number of levels done, after each.

    Returns:
        RGB, uint8, shape `[H, W, 3]`, on white.

    Raises:
        LevelError: for an unknown level or split, or a missing engine.
    """
    rows = []
    chosen = [info.id for info in SUITE] if level_ids is None else level_ids
    for done, level_id in enumerate(chosen, start=1):
        rows.append(_row(level_id, seed=seed, split=split))
        report(done)
    return np.concatenate(rows)


def write_level_pictures(path: Path, *, seed: int = 0, split: str = "train") -> None:
    """Write the sheet of all our levels as PNG; whole or not at all.

    Raises:
        LevelError: when the levels cannot be drawn or the file cannot be written.
    """
    import cv2

    sheet = level_pictures(seed=seed, split=split)
    written, data = cv2.imencode(".png", np.ascontiguousarray(sheet[..., ::-1]))
    if not written:
        raise LevelError("expected OpenCV to encode the pictures as PNG, and it did not; install opencv-python anew")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".part", delete=False) as part:
            part.write(data.tobytes())
        Path(part.name).chmod(0o644)
        os.replace(part.name, path)  # noqa: PTH105  the same folder, in one step
    except OSError as error:
        raise LevelError(f"expected to write the pictures to {path}, got {error}; choose another place") from error


def _row(level_id: str, *, seed: int, split: str) -> np.ndarray:
    import cv2

    level = make_level(level_id, split=split, render_mode="rgb_array")
    guide, tiles = Oracle(level), []
    for episode in range(FRAMES):
        frame, _ = level.reset(seed=seed + episode)
        for _ in range(3 + 2 * episode):  # a few steps on, there is more to see than at the start
            frame, _, terminated, truncated, _ = level.step(guide.action())
            if terminated or truncated:
                break
        tiles.append(cv2.resize(frame, (TILE, TILE), interpolation=cv2.INTER_NEAREST))
    large = (level.render(), level.unwrapped.top_view())  # type: ignore[attr-defined]  # one of ours
    tiles += [cv2.resize(np.asarray(picture), (TILE, TILE), interpolation=cv2.INTER_AREA) for picture in large]
    level.close()
    line = np.concatenate([np.pad(tile, ((0, MARGIN), (0, MARGIN), (0, 0)), constant_values=255) for tile in tiles], 1)
    title = np.full((TITLE, line.shape[1], 3), 255, dtype=np.uint8)
    cv2.putText(title, level_id, (2, TITLE - 8), cv2.FONT_HERSHEY_SIMPLEX, 0.55, (30, 30, 30), 1, cv2.LINE_AA)
    return np.concatenate([title, line])
