"""Imagined: what a VASE imagines of a world from frames met in it, with what it was composed from."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from perma_agent.errors import FrameError
from perma_agent.imagination.code_reading import Read
from perma_agent.imagination.configurations import DRAWN, KEPT, KINDS, Configurations
from perma_agent.imagination.imagination_config import ImaginationConfig
from perma_agent.imagination.imaginer import Imaginer
from perma_agent.imagination.worldview import Worldview


@dataclass(frozen=True, kw_only=True)
class Imagined:
    """R configurations, the best of each kind first; frames are uint8 `[R, C, H, W]`."""

    environment: int
    """s that the frames were taken to be from."""
    comes_back: float
    """Share of the variance of codes met that is left after they were drawn and looked at, in [0, 1]: with little of it
    plausibility says little."""
    base: np.ndarray
    """The frame met that a configuration starts from."""
    reconstruction: np.ndarray
    """What the model draws of it."""
    drawn: np.ndarray
    """What the model draws of the configuration; of values from elsewhere, the more faithful of here and there."""
    donor: np.ndarray
    """A frame met that replaced latents are from; white where it is none that was met."""
    kinds: tuple[str, ...]
    """Names of the kinds."""
    replaced: tuple[tuple[int, ...], ...]
    """Latents that were replaced."""
    sources: tuple[int, ...]
    """s that their values are from."""
    novelty: np.ndarray
    """In [0, 1], `[R]`."""
    plausibility: np.ndarray
    """In (0, 1], `[R]`."""

    def __len__(self) -> int:
        return len(self.kinds)


def imagine_from_frames(
    worldview: Worldview, frames: np.ndarray, *, rows: int = 12, config: ImaginationConfig | None = None
) -> Imagined:
    """Imagine configurations from frames of one world, as `ImaginationBonus` would that met them.

    Args:
        worldview: of the VASE.
        frames: met, uint8 `[B, C, H, W]`, at least two dozen.
        rows: R, at most; as many of each kind as can be had.
        config: seed, mix and measures; what it says of memory does not matter.

    Raises:
        FrameError: the frames do not fit the model, are too few, or nothing can be imagined from them.
    """
    if len(frames) < 24:
        raise FrameError(f"expected at least 24 frames to imagine from, got {len(frames)}; record more")
    config = replace(config or ImaginationConfig(), memory=len(frames), enough=24)
    imaginer = Imaginer(worldview, config=config, latents=worldview.latents, sees_frames=True)
    imaginer.memories.meet(Read(worldview.encode(frames)[0], frames))
    imaginer.learn()
    if not len(imaginer.pool):
        raise FrameError(
            "expected frames from which something plausible can be imagined, got none that vary in a latent in use; "
            "train the VASE for longer, or on these frames"
        )
    return _shown(imaginer, worldview, _best(imaginer.pool, rows))


def _best(pool: Configurations, rows: int) -> Configurations:
    """By turns the best of each kind, then side by side by kind."""
    worth = pool.novelty * pool.plausibility
    order = np.argsort(-worth, kind="stable")
    rank = np.empty(len(pool), dtype=np.int64)
    for kind in np.unique(pool.kinds):
        mine = order[pool.kinds[order] == kind]
        rank[mine] = np.arange(len(mine))
    chosen = np.lexsort((-worth, rank))[:rows]
    return pool[chosen[np.lexsort((rank[chosen], pool.kinds[chosen]))]]


def _shown(imaginer: Imaginer, worldview: Worldview, best: Configurations) -> Imagined:
    here = np.full(len(best), imaginer.environment)
    base = np.stack([_frame(imaginer, imaginer.environment, int(number)) for number in best.bases])
    donors = [row[row != KEPT][0] for row in best.donors]
    donor = [_frame(imaginer, int(s), int(number)) for s, number in zip(best.sources, donors, strict=True)]
    return Imagined(
        environment=imaginer.environment,
        comes_back=imaginer.comes_back,
        base=base,
        reconstruction=worldview.draw(worldview.encode(base)[0], here),
        drawn=_drawn(worldview, best, here),
        donor=np.stack(donor),
        kinds=tuple(KINDS[kind] for kind in best.kinds),
        replaced=tuple(tuple(int(n) for n in np.flatnonzero(row)) for row in best.replaced),
        sources=tuple(int(s) for s in best.sources),
        novelty=best.novelty,
        plausibility=best.plausibility,
    )


def _drawn(worldview: Worldview, best: Configurations, here: np.ndarray) -> np.ndarray:
    """Configurations drawn where their replaced latents come back best: here, or where they are from."""
    drawn = [worldview.draw(best.codes, where) for where in (here, best.sources)]
    off = [
        (np.square(worldview.encode(frames)[0] - best.codes) * best.replaced).sum(axis=1) for frames in drawn
    ]  # fmt: skip
    frames: np.ndarray = np.where((off[0] <= off[1])[:, None, None, None], drawn[0], drawn[1])
    return frames


def _frame(imaginer: Imaginer, environment: int, number: int) -> np.ndarray:
    """The frame of a code met; white for one that was drawn."""
    frame = None if number == DRAWN else imaginer.memories.frame(environment, number)
    if frame is not None:
        return frame
    assert imaginer.worldview is not None
    config = imaginer.worldview.model.config
    return np.full((config.channels, config.image_size, config.image_size), 255, dtype=np.uint8)
