"""The paper's image worlds: sprites of MNIST, Fashion-MNIST or a folder, moving or at rest, inverse or not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from perma_agent.data.download import Progress
from perma_agent.data.image_folder import ImageFolder
from perma_agent.data.image_sets import ImageSet, Split, load_image_set, resize_images
from perma_agent.errors import DataError, FrameError
from perma_agent.types import FramePairs, check_frames


class _Recipe(NamedTuple):
    images: str
    moving: bool
    inverse: bool


WORLDS: Mapping[str, _Recipe] = MappingProxyType(
    {
        "moving-fashion": _Recipe("fashion-mnist", moving=True, inverse=False),
        "fashion": _Recipe("fashion-mnist", moving=False, inverse=False),
        "inverse-fashion": _Recipe("fashion-mnist", moving=False, inverse=True),
        "moving-mnist": _Recipe("mnist", moving=True, inverse=False),
        "mnist": _Recipe("mnist", moving=False, inverse=False),
        "moving-digits": _Recipe("digits", moving=True, inverse=False),
        "digits": _Recipe("digits", moving=False, inverse=False),
        "inverse-digits": _Recipe("digits", moving=False, inverse=True),
    }
)
"""The worlds `image_world` makes; those of `digits` need no files."""


@dataclass(frozen=True)
class ImageBatch:
    """Frames of an image world with what is known of them."""

    frames: np.ndarray
    """uint8, shape `[B, 1, S, S]`."""
    labels: np.ndarray
    """Class of each frame's object, int64, shape `[B]`."""
    positions: np.ndarray
    """(x, y) of the object's top left corner, 0 at the left or top and 1 at the right or bottom, float32 `[B, 2]`."""

    def __len__(self) -> int:
        return len(self.frames)


@dataclass(frozen=True, eq=False)
class ImageWorld:
    """Objects of an image set on a square canvas, drawn at random; black behind them, white where it is inverse.

    In a moving world every draw puts the object at a new place, uniform over all whole-pixel offsets; in one at rest
    it stands at the centre.

    Source: VASE (Achille et al. 2018), section 4; its canvas is 64 pixels, the sprite of 28 is the common reading.

    Raises:
        ValueError: the sprite does not fit the canvas.
    """

    name: str
    """What the world is called, e.g. `moving-fashion`."""
    images: ImageSet
    """The objects; resized to `sprite` once, when the world is made."""
    moving: bool
    """Whether each draw puts the object at a new place."""
    inverse: bool = False
    """Whether frames are inverted, 255 − pixel, as a whole."""
    canvas: int = 64
    """S, side of the frames in pixels: 64 in the paper, 32 in the bench preset."""
    sprite: int = 28
    """Side of the objects in pixels: 28 on a canvas of 64, 14 on one of 32."""
    _sprites: np.ndarray = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if not 1 <= self.sprite <= self.canvas:
            raise ValueError(
                f"expected a sprite of 1 to {self.canvas} pixels on a canvas of {self.canvas}, got {self.sprite}"
            )
        sprites = resize_images(self.images.images, self.sprite)
        object.__setattr__(self, "_sprites", 255 - sprites if self.inverse else sprites)

    @property
    def frame_shape(self) -> tuple[int, int, int]:
        """(C, H, W) of the frames."""
        return (1, self.canvas, self.canvas)

    def draw(self, count: int, rng: np.random.Generator) -> ImageBatch:
        """Draw frames: an object uniform over the image set, then (in a moving world) its place.

        Args:
            count: B, at least 1.
            rng: all randomness comes from here; the same state gives the same frames.
        """
        chosen = self._choose(count, rng)
        offsets = self._offsets(count, rng)
        return ImageBatch(
            frames=self._paste(chosen, offsets),
            labels=self.images.labels[chosen],
            positions=(offsets / max(self.canvas - self.sprite, 1)).astype(np.float32),
        )

    def pairs(self, count: int, rng: np.random.Generator) -> FramePairs:
        """Draw pairs of frames of one object at two independent places; twice the same frame in a world at rest.

        Args:
            count: B, at least 1.
            rng: all randomness comes from here; the same state gives the same pairs.

        Returns:
            B pairs, all with offset 1.
        """
        chosen = self._choose(count, rng)
        later, earlier = self._offsets(count, rng), self._offsets(count, rng)
        return FramePairs(self._paste(chosen, later), self._paste(chosen, earlier), np.ones(count, np.int64))

    def _choose(self, count: int, rng: np.random.Generator) -> np.ndarray:
        if count < 1:
            raise ValueError(f"expected a batch of at least 1 frame, got {count}")
        return rng.integers(0, len(self.images), size=count)

    def _offsets(self, count: int, rng: np.random.Generator) -> np.ndarray:
        """Pixels (x, y) from the canvas's to the sprite's top left corner, int64 `[B, 2]`."""
        largest = self.canvas - self.sprite
        if self.moving:
            return rng.integers(0, largest + 1, size=(count, 2))
        return np.full((count, 2), largest // 2)

    def _paste(self, chosen: np.ndarray, offsets: np.ndarray) -> np.ndarray:
        frames = np.full((len(chosen), *self.frame_shape), 255 if self.inverse else 0, np.uint8)
        windows = np.lib.stride_tricks.sliding_window_view(  # every place a sprite can have, [B, Y, X, sprite, sprite]
            frames[:, 0], (self.sprite, self.sprite), axis=(1, 2), writeable=True
        )
        windows[np.arange(len(chosen)), offsets[:, 1], offsets[:, 0]] = self._sprites[chosen]
        return frames


def image_world(
    name: str,
    *,
    split: Split = "train",
    canvas: int = 64,
    data: Path | None = None,
    folders: Sequence[ImageFolder] = (),
    progress: Progress | None = None,
) -> ImageWorld:
    """Make one of the paper's image worlds.

    A folder of pictures named `n` makes three: `n` and `inverse-n`, whose pictures fill the canvas, as CelebA's do in
    the paper, and `moving-n`, whose pictures are sprites.

    Args:
        name: `moving-fashion`, `fashion`, `inverse-fashion`, `moving-mnist`, `mnist`; or, for quick runs without any
            files, `moving-digits`, `digits`, `inverse-digits`; or a world of one of `folders`.
        split: which of the set's images.
        canvas: S, side of the frames in pixels; the sprite's is 28/64 of it, or all of it.
        data: folder of the image sets, see `load_image_set`.
        folders: of pictures, each with a name of its own.
        progress: told of downloads.

    Raises:
        DataError: there is no such world, or its files are missing, damaged or cannot be downloaded.
    """
    sprite = canvas * 28 // 64
    for folder in folders:
        if name in folder.worlds:
            moving, inverse = name.startswith("moving-"), name.startswith("inverse-")
            side = sprite if moving else canvas
            pictures = folder.load(split, size=side)
            return ImageWorld(name, pictures, moving=moving, inverse=inverse, canvas=canvas, sprite=side)
    if name not in WORLDS:
        known = (*WORLDS, *(world for folder in folders for world in folder.worlds))
        raise DataError(f"expected an image world among {', '.join(known)}, got {name!r}; choose one of them")
    recipe = WORLDS[name]
    images = load_image_set(recipe.images, split=split, data=data, progress=progress)
    return ImageWorld(name, images, moving=recipe.moving, inverse=recipe.inverse, canvas=canvas, sprite=sprite)


def blend(first: np.ndarray, second: np.ndarray, weight: float | np.ndarray) -> np.ndarray:
    """Interpolate frames pixel by pixel, (1 − w)·first + w·second, rounded: the paper's ambiguous ones (figure 5A).

    Args:
        first: uint8, shape `[B, C, H, W]`.
        second: uint8, of the same shape.
        weight: w, 0 for the first and 1 for the second; a number, or one for each frame, shape `[B]`.

    Raises:
        FrameError: the frames are not of one shape.
        ValueError: a weight is outside [0, 1].
    """
    check_frames(first, ndim=4)
    check_frames(second, ndim=4)
    if first.shape != second.shape:
        raise FrameError(f"expected frames of one shape, got {first.shape} and {second.shape}")
    share = np.asarray(weight, dtype=np.float32)
    if share.shape not in ((), first.shape[:1]) or not ((share >= 0) & (share <= 1)).all():
        raise ValueError(f"expected a weight from 0 to 1, or one for each of {len(first)} frames, got {weight}")
    share = share.reshape(-1, 1, 1, 1)
    mixed: np.ndarray = np.rint((1 - share) * first + share * second)
    return mixed.astype(np.uint8)
