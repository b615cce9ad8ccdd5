"""Sets of labelled grey images: MNIST and Fashion-MNIST from IDX files, scikit-learn's digits, folders of pictures."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Literal, get_args

import numpy as np

from perma_agent.data.download import Progress, download
from perma_agent.data.idx import read_idx
from perma_agent.errors import DataError, FrameError

Split = Literal["train", "test"]
DATA_VARIABLE = "PERMA_DATA"
"""Environment variable that names the folder of the image sets."""
DIGITS_SIDE = 28
"""Pixels; scikit-learn's digits are enlarged from 8 to MNIST's side."""
PICTURES = frozenset({".png", ".jpg", ".jpeg"})
_PARTS: Mapping[str, str] = MappingProxyType({"train": "train", "test": "t10k"})


@dataclass(frozen=True, eq=False)
class ImageSet:
    """Grey images of one size, each with the number of its class."""

    name: str
    """What the set is called, e.g. `mnist`."""
    images: np.ndarray = field(repr=False)
    """uint8, shape `[N, H, W]`, N at least 1."""
    labels: np.ndarray = field(repr=False)
    """Class of each, int64, shape `[N]`, at least 0."""

    def __post_init__(self) -> None:
        if self.images.dtype != np.uint8 or self.images.ndim != 3 or not self.images.size:
            raise FrameError(
                f"expected uint8 images [N, H, W], got {self.images.dtype} of shape {self.images.shape}; "
                "pass grey 0-255 pixels"
            )
        if self.labels.dtype != np.int64 or self.labels.shape != self.images.shape[:1] or self.labels.min() < 0:
            raise FrameError(
                f"expected one int64 label of at least 0 for each of {len(self.images)} images, "
                f"got {self.labels.dtype} of shape {self.labels.shape}"
            )

    def __len__(self) -> int:
        """Images."""
        return len(self.images)


@dataclass(frozen=True)
class ImageSource:
    """Where an image set can be had, and what its files must be."""

    url: str
    """Address that the names of the files are appended to."""
    sha256: Mapping[str, str]
    """Name of each file -> checksum of its content when unpacked (mirrors pack the same content anew), hexadecimal."""


SOURCES: Mapping[str, ImageSource] = MappingProxyType(
    {
        "mnist": ImageSource(
            url="https://ossci-datasets.s3.amazonaws.com/mnist/",
            sha256={
                "train-images-idx3-ubyte.gz": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
                "train-labels-idx1-ubyte.gz": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
                "t10k-images-idx3-ubyte.gz": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
                "t10k-labels-idx1-ubyte.gz": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
            },
        ),
        "fashion-mnist": ImageSource(
            url="http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
            sha256={
                "train-images-idx3-ubyte.gz": "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
                "train-labels-idx1-ubyte.gz": "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
                "t10k-images-idx3-ubyte.gz": "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
                "t10k-labels-idx1-ubyte.gz": "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
            },
        ),
    }
)
"""The sets that are files; `digits` comes with scikit-learn."""


def load_image_set(
    name: str,
    *,
    split: Split = "train",
    data: Path | None = None,
    sources: Mapping[str, ImageSource] = SOURCES,
    progress: Progress | None = None,
) -> ImageSet:
    """Load one of the known image sets: `mnist`, `fashion-mnist` (28×28, 60,000 and 10,000) or `digits`.

    The files of a set are looked for in the folder of its name inside `data`, else inside the folder that the
    environment variable PERMA_DATA names, else inside `$XDG_CACHE_HOME/perma_agent` (or `~/.cache/perma_agent`). Only
    into the last are they downloaded. Their checksums are compared each time.

    `digits` are scikit-learn's 1,797 handwritten digits, enlarged from 8×8 to 28×28; every fifth of each class is a
    test image. They need no files.

    Args:
        name: which set.
        split: images to learn from or to test with.
        data: folder of the sets' folders; nothing is ever written to it.
        sources: the sets that are files; for mirrors and sets of one's own.
        progress: told of downloads.

    Raises:
        DataError: the set is unknown, or a file is missing, damaged or cannot be downloaded.
    """
    if split not in get_args(Split):
        raise DataError(f"expected a split among {', '.join(get_args(Split))}, got {split!r}; choose one of them")
    if name == "digits":
        return _digits(split)
    if name not in sources:
        raise DataError(
            f"expected an image set among {', '.join((*sources, 'digits'))}, got {name!r}; choose one of them"
        )
    arrays = []
    for file in (f"{_PARTS[split]}-images-idx3-ubyte.gz", f"{_PARTS[split]}-labels-idx1-ubyte.gz"):
        path = _present(name, file, source=sources[name], data=data, progress=progress)
        arrays.append(read_idx(path, sha256=sources[name].sha256[file]))
    return ImageSet(name, arrays[0], arrays[1].astype(np.int64))


def load_image_folder(path: Path, *, size: int, limit: int | None = None) -> ImageSet:
    """Load the PNG and JPEG pictures of a folder (e.g. CelebA's) as grey squares, all of class 0.

    Each picture is cropped to the square at its centre, then resized; the order is that of the files' names.

    Args:
        path: the folder; folders inside it are not looked into.
        size: side of the images in pixels, at least 1.
        limit: load the first so many only.

    Raises:
        DataError: the folder is missing or has no such picture, or one cannot be read.
    """
    if size < 1 or (limit is not None and limit < 1):
        raise ValueError(f"expected a size and a limit of at least 1, got {size} and {limit}")
    path = Path(path)
    if not path.is_dir():
        raise DataError(f"expected a folder of pictures at {path}, got none; check the path")
    files = sorted(file for file in path.iterdir() if file.suffix.lower() in PICTURES)[:limit]
    if not files:
        raise DataError(f"expected PNG or JPEG pictures in {path}, got none; check the path")
    images = np.empty((len(files), size, size), np.uint8)
    for place, file in enumerate(files):
        images[place] = resize_images(read_square(file)[None], size)[0]
    return ImageSet(path.name, images, np.zeros(len(files), np.int64))


def resize_images(images: np.ndarray, size: int) -> np.ndarray:
    """Images uint8 `[N, H, W]` as squares of `size` pixels: averaged over areas to shrink, bilinear to enlarge."""
    import cv2

    if images.shape[1:] == (size, size):
        return images
    how = cv2.INTER_AREA if size <= min(images.shape[1:]) else cv2.INTER_LINEAR
    resized = np.empty((len(images), size, size), np.uint8)
    for place, image in enumerate(images):
        cv2.resize(image, (size, size), dst=resized[place], interpolation=how)
    return resized


def read_square(file: Path) -> np.ndarray:
    """The square at the centre of a picture, grey, uint8 `[side, side]`.

    Raises:
        DataError: there is none, or it cannot be read.
    """
    import cv2

    try:
        picture = cv2.imdecode(np.frombuffer(file.read_bytes(), np.uint8), cv2.IMREAD_GRAYSCALE)
    except (OSError, cv2.error) as error:
        raise DataError(f"expected a picture at {file}, got one that cannot be read; remove it") from error
    if picture is None:
        raise DataError(f"expected a picture at {file}, got one that cannot be read; remove it")
    side = min(picture.shape)
    top, left = (picture.shape[0] - side) // 2, (picture.shape[1] - side) // 2
    return np.ascontiguousarray(picture[top : top + side, left : left + side])


def _present(name: str, file: str, *, source: ImageSource, data: Path | None, progress: Progress | None) -> Path:
    """Path of a file of a set, downloaded to the cache where no folder was given."""
    given = data or os.environ.get(DATA_VARIABLE)
    if given:
        path = Path(given) / name / file
        if not path.is_file():
            raise DataError(
                f"expected {path}, got no such file; put the files of {source.url} there, or name no folder "
                f"(neither as data nor in {DATA_VARIABLE}) to have them downloaded to {_cache() / name}"
            )
        return path
    path = _cache() / name / file
    if not path.is_file():
        download(f"{source.url}{file}", path, sha256=source.sha256[file], progress=progress)
    return path


def _cache() -> Path:
    """Our folder among the user's caches; a relative XDG_CACHE_HOME counts as none, as its specification says."""
    base = Path(os.environ.get("XDG_CACHE_HOME", ""))
    return (base if base.is_absolute() else Path.home() / ".cache") / "perma_agent"


def _digits(split: Split) -> ImageSet:
    from sklearn.datasets import load_digits

    bunch = load_digits()
    labels = bunch.target.astype(np.int64)
    images = np.rint(bunch.images * (255 / 16)).astype(np.uint8)
    rank = np.zeros(len(labels), np.int64)  # of each image among those of its class
    for label in range(10):
        rank[labels == label] = np.arange(np.count_nonzero(labels == label))
    chosen = (rank % 5 == 4) == (split == "test")
    return ImageSet("digits", resize_images(images[chosen], DIGITS_SIDE), labels[chosen])
