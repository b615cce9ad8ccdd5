"""A folder of pictures, e.g. CelebA's, as images to learn from and to test with, and as worlds of a name of its own."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from perma_agent.data.image_sets import PICTURES, ImageSet, Split, read_square, resize_images
from perma_agent.errors import DataError

NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
TEST_EVERY = 5
"""Every fifth picture of a class is a test image, as of scikit-learn's digits."""
TAKEN = frozenset({"fashion", "mnist", "digits"})
"""Names whose worlds are others'."""


@dataclass(frozen=True)
class Pictures:
    """Files of a folder and their classes."""

    files: tuple[Path, ...]
    """By class, then by name."""
    labels: np.ndarray
    """Class of each, int64, shape `[N]`."""
    classes: tuple[str, ...]
    """Names of the sub-folders; one empty name where the pictures have no classes."""
    digest: str
    """SHA-256 over each file's path below the folder and its size in bytes, hexadecimal."""

    def chosen(self, split: Split) -> np.ndarray:
        """Which files belong to a part, bool `[N]`: every fifth of each class to the test, the others to training."""
        rank = np.arange(len(self.labels)) - np.searchsorted(self.labels, self.labels)  # among those of its class
        chosen: np.ndarray = (rank % TEST_EVERY == TEST_EVERY - 1) == (split == "test")
        return chosen


@dataclass(frozen=True)
class ImageFolder:
    """Pictures (PNG, JPEG) that lie in a folder, or in folders inside it, which then are their classes.

    Each picture is made grey, cropped to the square at its centre and resized. Names that begin with a dot are no
    pictures. Deeper folders are not looked into.

    Raises:
        DataError: the name is not one that worlds can have.
    """

    name: str
    """Letters, digits and `_`, a letter first; the worlds are `name`, `moving-name` and `inverse-name`."""
    path: Path
    """The folder."""
    most: int = 60_000
    """Pictures used, evenly spread over all there are (in the order of classes and names); as many as MNIST has."""

    def __post_init__(self) -> None:
        if not NAME.fullmatch(self.name) or self.name in TAKEN:
            raise DataError(
                f"expected a name of letters, digits and _ for the pictures in {self.path}, none of "
                f"{', '.join(sorted(TAKEN))}, got {self.name!r}; choose another"
            )
        if self.most < TEST_EVERY:
            raise ValueError(f"expected at least {TEST_EVERY} pictures, got {self.most}")

    @classmethod
    def parse(cls, text: str) -> ImageFolder:
        """`NAME=DIR`, or `DIR` for the name `folder`; what stands before `=` counts as a name if it can be one."""
        name, equals, path = text.partition("=")
        return cls(name, Path(path)) if equals and NAME.fullmatch(name) else cls("folder", Path(text))

    @property
    def worlds(self) -> tuple[str, str, str]:
        """Names for `image_world`: at rest, moving, inverse."""
        return (self.name, f"moving-{self.name}", f"inverse-{self.name}")

    def pictures(self) -> Pictures:
        """Look what there is; no picture is opened.

        Raises:
            DataError: there is no folder, or it has too few pictures, or some in it and some in folders inside it.
        """
        if not self.path.is_dir():
            raise DataError(f"expected a folder of pictures at {self.path}, got none; check the path")
        inside = sorted(entry for entry in self.path.iterdir() if entry.is_dir() and not entry.name.startswith("."))
        by_class = {folder.name: some for folder in inside if (some := _pictures_in(folder))}
        if loose := _pictures_in(self.path):
            if by_class:
                raise DataError(
                    f"expected pictures either in {self.path} or in folders inside it, got both ({loose[0].name} and "
                    f"{next(iter(by_class))}); move the one or the other away"
                )
            by_class = {"": loose}
        labelled = [(file, label) for label, files in enumerate(by_class.values()) for file in files]
        if len(labelled) > self.most:
            labelled = [labelled[place * len(labelled) // self.most] for place in range(self.most)]
        files = tuple(file for file, _ in labelled)
        found = Pictures(
            files, np.array([label for _, label in labelled], np.int64), tuple(by_class), self._hash(files)
        )
        if not found.chosen("test").any():
            raise DataError(
                f"expected at least {TEST_EVERY} PNG or JPEG pictures of a class in {self.path} or in folders inside "
                f"it, got {len(files)} pictures; check the path"
            )
        return found

    def load(self, split: Split = "train", *, size: int) -> ImageSet:
        """Read the pictures of one part as grey squares.

        Args:
            split: every fifth picture of a class is for the test, the others to learn from.
            size: side of the images in pixels, at least 1.

        Raises:
            DataError: see `pictures`; or one cannot be read.
        """
        if size < 1:
            raise ValueError(f"expected a size of at least 1, got {size}")
        found = self.pictures()
        chosen = np.flatnonzero(found.chosen(split))
        images = np.empty((len(chosen), size, size), np.uint8)
        for place, number in enumerate(chosen):
            images[place] = resize_images(read_square(found.files[number])[None], size)[0]
        return ImageSet(self.name, images, found.labels[chosen])

    def _hash(self, files: tuple[Path, ...]) -> str:
        listed = (f"{file.relative_to(self.path).as_posix()}\t{file.stat().st_size}\n" for file in files)
        return hashlib.sha256("".join(listed).encode("utf-8", "surrogateescape")).hexdigest()


def _pictures_in(folder: Path) -> list[Path]:
    return sorted(
        entry for entry in folder.iterdir() if entry.suffix.lower() in PICTURES and not entry.name.startswith(".")
    )
