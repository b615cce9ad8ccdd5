"""Place reading: what one frame tells of where it was taken, which bounds what a bonus on frames can know."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sklearn.decomposition import PCA

from perma_agent.envs import make_level
from perma_agent.envs.actions import FORWARD, TURN_LEFT, TURN_RIGHT
from perma_agent.evaluation.cells import Cell
from perma_agent.evaluation.factor_reading import fit_reader
from perma_agent.evaluation.results import Row
from perma_agent.imagination.worldview import Worldview
from perma_agent.studies.collecting import Wanderer
from perma_agent.studies.exploration.grounds import LEVELS, Surveyed, survey
from perma_agent.studies.exploration.vases import vase_folder
from perma_agent.studies.planned_cell import Advance, Measured
from perma_agent.studies.seed_rows import row, row_id, seeds_of

PLACE = "place"
"""First part of the names of these cells: `place-indoor-maze`."""
EPISODES, STEPS = 90, 40
"""Begun at places drawn from the whole map, and steps wandered in each."""
TESTED = 3
"""Every so manieth episode is read, by who learnt from the others."""
COARSE, COMPONENTS = 4, 32
"""Side of the squares of pixels that are averaged, and principal components of the coarse frames that are read."""
STAGES = 100
"""Of boosting."""
BEGUN = -1
"""In place of an action: an episode began."""
SMALLEST = 1e-6
"""Standard deviation of a latent that does not vary."""


def measure_places(level: str, seed: int, vases: Path, advance: Advance) -> Measured:
    """Read places off the frames and codes of a level on a seed's map, see `read_places`."""
    figures = read_places(survey(LEVELS[level], seed), vase_folder(vases, level))
    advance(1.0)
    return Measured(figures=dict(figures))


def read_places(surveyed: Surveyed, run: Path) -> dict[str, float]:
    """Learn to read the walk from the start, and the heading, off codes and off pixels; test it on other episodes.

    | figure           | is                                                                          |
    |------------------|-----------------------------------------------------------------------------|
    | `walk_codes`     | R² of the metres to walk from the run's start, read off the VASE's means    |
    | `walk_pixels`    | the same, read off `COMPONENTS` principal components of the coarse frames   |
    | `heading_codes`  | R² of the heading's cosine and sine, the mean of both                       |
    | `heading_pixels` | the same                                                                    |
    | `turn`           | how far a turn moves a code: root mean square over latents, each in units   |
    |                  | of its standard deviation over the map; √2 for two codes drawn at random    |
    | `forward`        | the same of a step forward                                                  |

    Where `walk_pixels` is near 0, places far from the start look like places near it, and no reward on single frames
    can tell which is which. Where `turn` is near √2, distances of codes tell headings apart and little else.

    Args:
        surveyed: the level and what of it can be reached.
        run: run folder of the VASE in this level.

    Raises:
        LevelError: the level cannot be made.
        RunFolderError: the VASE is missing.
    """
    seen = _wander(surveyed)
    cells = surveyed.ground.cells_of(seen.places)
    known = cells >= 0
    walks = surveyed.ground.walks[surveyed.ground.reachable][cells[known]]
    tested = seen.episodes[known] % TESTED == 0
    headings = seen.headings[known]
    truths = {"walk": [walks], "heading": [np.cos(headings), np.sin(headings)]}
    codes = Worldview.of_run(run).encode(seen.frames)[0]
    sights = {"codes": codes[known], "pixels": _coarse(seen.frames[known], learnt_from=~tested, seed=surveyed.seed)}
    read = {
        f"{name}_{sight}": float(np.mean([_skill(shown, truth, tested, seed=surveyed.seed) for truth in wanted]))
        for name, wanted in truths.items()
        for sight, shown in sights.items()
    }
    moved = {"turn": (TURN_LEFT, TURN_RIGHT), "forward": (FORWARD,)}
    return read | {name: _moved(codes, np.isin(seen.actions, actions)) for name, actions in moved.items()}


def place_rows(cells: Sequence[Cell]) -> list[Row]:
    """How well the walk is read off codes and pixels on each level."""
    notes = {"codes": "the VASE's means", "pixels": "the frame itself"}
    made = []
    for level, explored in LEVELS.items():
        for sight, what in notes.items():
            values = seeds_of(cells, f"{PLACE}-{level}", f"walk_{sight}")
            if len(values):
                note = f"{explored.title}: metres to walk from the start, read off {what} on episodes kept aside"
                made.append(row(row_id(f"place_{sight}_{level}"), values, unit="R²", note=note))
        for move in ("turn", "forward"):
            values = seeds_of(cells, f"{PLACE}-{level}", move)
            if len(values):
                note = f"{explored.title}: how far one step moves a code, in standard deviations; √2 at random"
                made.append(row(row_id(f"code_{move}_{level}"), values, note=note))
    return made


@dataclass(frozen=True, kw_only=True, eq=False)
class _Wandered:
    """N frames, one episode after the other."""

    frames: np.ndarray
    """uint8, shape `[N, C, H, W]`."""
    places: np.ndarray
    """x and z, metres, shape `[N, 2]`."""
    headings: np.ndarray
    """Radians, shape `[N]`."""
    episodes: np.ndarray
    """Numbers of the episodes, shape `[N]`."""
    actions: np.ndarray
    """What was done to get from the frame before to this one; `BEGUN` for an episode's first, shape `[N]`."""


def _wander(surveyed: Surveyed) -> _Wandered:
    """Wander about in episodes that begin all over the map."""
    level = surveyed.level
    env = make_level(level.id, **{**level.made(surveyed.seed), **level.anywhere})
    wanderer = Wanderer(1, rng=np.random.default_rng(surveyed.seed))
    frames, moments = [], []
    try:
        for episode in range(EPISODES):
            action, (frame, info) = BEGUN, env.reset(seed=surveyed.episode + episode)
            for _ in range(STEPS):
                frames.append(frame)
                pose = (float(info["factors"][name][0]) for name in ("x", "z", "heading"))
                moments.append((*pose, episode, action))
                action = int(wanderer()[0])
                frame, _, terminated, truncated, info = env.step(action)
                if terminated or truncated:
                    break
    finally:
        env.close()
    noted = np.array(moments)
    return _Wandered(
        frames=np.stack(frames).transpose(0, 3, 1, 2),
        places=noted[:, :2],
        headings=noted[:, 2],
        episodes=noted[:, 3].astype(np.int64),
        actions=noted[:, 4].astype(np.int64),
    )


def _moved(codes: np.ndarray, by: np.ndarray) -> float:
    """Root mean square change of codes, in standard deviations, over the steps that led to those marked."""
    after = np.flatnonzero(by)
    changes = (codes[after] - codes[after - 1]) / np.maximum(codes.std(axis=0), SMALLEST)
    return float(np.sqrt(np.square(changes).mean()))


def _coarse(frames: np.ndarray, *, learnt_from: np.ndarray, seed: int) -> np.ndarray:
    """Principal components of frames whose squares of `COARSE` pixels are averaged, `[N, COMPONENTS]`."""
    count, channels, height, width = frames.shape
    squares = frames.reshape(count, channels, height // COARSE, COARSE, width // COARSE, COARSE)
    flat = squares.mean(axis=(3, 5)).reshape(count, -1) / 255
    found = PCA(COMPONENTS, random_state=seed).fit(flat[learnt_from])
    components: np.ndarray = found.transform(flat)
    return components


def _skill(shown: np.ndarray, truth: np.ndarray, tested: np.ndarray, *, seed: int) -> float:
    reader = fit_reader(shown[~tested], truth[~tested], continuous=True, reader="trees", stages=STAGES, seed=seed)
    return reader.skill(shown[tested], truth[tested])
