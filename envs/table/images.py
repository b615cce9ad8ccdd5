"""Sprites for a table: grey pictures with a class each, given as arrays or taken from scikit-learn's digits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from perma_agent.errors import LevelError


@dataclass(frozen=True, eq=False)
class Sprites:
    """Pictures of one size, each with the number of its class."""

    pictures: np.ndarray
    """uint8, shape `[N, side, side]`."""
    classes: np.ndarray
    """int64, shape `[N]`, at least 0."""

    def __len__(self) -> int:
        """Pictures."""
        return len(self.pictures)


def make_sprites(images: Any, labels: Any, *, side: int) -> Sprites:
    """Resize pictures to sprites: averaged over areas to shrink, bilinear to enlarge; of that size already, not copied.

    Args:
        images: uint8, shape `[N, H, W]`; None takes scikit-learn's 1,797 handwritten digits, which need no files.
        labels: the class of each, whole numbers of at least 0, shape `[N]`; None gives all class 0.
        side: of the sprites in pixels.

    Raises:
        LevelError: images or labels are not like that.
    """
    if images is None:
        if labels is not None:
            raise LevelError("expected labels with images of their own, got labels alone; pass images too")
        images, labels = _digits()
    pictures = np.asarray(images)
    if pictures.dtype != np.uint8 or pictures.ndim != 3 or not pictures.size:
        raise LevelError(
            f"expected images as uint8 [N, H, W], got {pictures.dtype} of shape {pictures.shape}; pass grey pixels of "
            "0 to 255, e.g. perma_agent.data.image_sets.load_image_set('mnist').images"
        )
    classes = np.zeros(len(pictures), dtype=np.int64) if labels is None else np.asarray(labels)
    whole = np.issubdtype(classes.dtype, np.integer) and classes.shape == (len(pictures),)
    if not whole or classes.min() < 0:
        raise LevelError(
            f"expected labels as {len(pictures)} whole numbers of at least 0, got {classes.dtype} of shape "
            f"{classes.shape}; pass one class for each image"
        )
    return Sprites(_resized(pictures, side), classes.astype(np.int64))


def _resized(pictures: np.ndarray, side: int) -> np.ndarray:
    if pictures.shape[1:] == (side, side):
        return pictures
    import cv2

    how = cv2.INTER_AREA if side <= min(pictures.shape[1:]) else cv2.INTER_LINEAR
    return np.stack([cv2.resize(picture, (side, side), interpolation=how) for picture in pictures])


def _digits() -> tuple[np.ndarray, np.ndarray]:
    from sklearn.datasets import load_digits  # heavy: levels load without it

    bunch = load_digits()
    return np.rint(bunch.images * (255 / 16)).astype(np.uint8), bunch.target.astype(np.int64)
