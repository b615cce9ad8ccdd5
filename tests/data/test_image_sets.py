"""Image sets come from where they should, hold what they should, and say what is wrong in one sentence."""

from __future__ import annotations

import gzip
import hashlib
import os
import struct
from collections.abc import Mapping
from pathlib import Path

import cv2
import numpy as np
import pytest

from perma_agent.data import ImageSet, load_image_folder, load_image_set
from perma_agent.data.image_sets import SOURCES, ImageSource, resize_images
from perma_agent.errors import DataError, FrameError

FILES = (
    "train-images-idx3-ubyte.gz",
    "train-labels-idx1-ubyte.gz",
    "t10k-images-idx3-ubyte.gz",
    "t10k-labels-idx1-ubyte.gz",
)
TRAIN = np.arange(3 * 4 * 4, dtype=np.uint8).reshape(3, 4, 4)
TEST = 200 + np.arange(2 * 4 * 4, dtype=np.uint8).reshape(2, 4, 4)
ARRAYS = dict(zip(FILES, (TRAIN, np.array([2, 0, 9], np.uint8), TEST, np.array([5, 5], np.uint8)), strict=True))


def content(values: np.ndarray) -> bytes:
    return struct.pack(f">BBBB{values.ndim}I", 0, 0, 8, values.ndim, *values.shape) + values.tobytes()


def write(folder: Path) -> Mapping[str, ImageSource]:
    """A set `tiny` in a folder of sets, and the source that says what its files are and that they can be had there."""
    (folder / "tiny").mkdir(parents=True)
    for file, values in ARRAYS.items():
        (folder / "tiny" / file).write_bytes(gzip.compress(content(values)))
    sums = {file: hashlib.sha256(content(values)).hexdigest() for file, values in ARRAYS.items()}
    return {"tiny": ImageSource(url=(folder / "tiny").as_uri() + "/", sha256=sums)}


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Nobody's folders: no PERMA_DATA, and a cache of the test's own."""
    monkeypatch.delenv("PERMA_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "perma_agent"


def check(images: ImageSet, expected: np.ndarray, labels: list[int]) -> None:
    assert images.name == "tiny"
    assert images.images.dtype == np.uint8
    assert images.labels.dtype == np.int64
    np.testing.assert_array_equal(images.images, expected)
    assert images.labels.tolist() == labels
    assert len(images) == len(labels)


def test_a_set_in_a_given_folder(tmp_path: Path, cache: Path) -> None:
    sources = write(tmp_path / "sets")
    check(load_image_set("tiny", data=tmp_path / "sets", sources=sources), TRAIN, [2, 0, 9])
    check(load_image_set("tiny", split="test", data=tmp_path / "sets", sources=sources), TEST, [5, 5])
    assert not cache.exists()


def test_the_argument_goes_before_the_variable_before_the_cache(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sources = write(tmp_path / "sets")
    monkeypatch.setenv("PERMA_DATA", str(tmp_path / "sets"))
    check(load_image_set("tiny", sources=sources), TRAIN, [2, 0, 9])
    monkeypatch.setenv("PERMA_DATA", str(tmp_path / "nowhere"))
    check(load_image_set("tiny", data=tmp_path / "sets", sources=sources), TRAIN, [2, 0, 9])
    assert not cache.exists()
    monkeypatch.setenv("PERMA_DATA", "")
    check(load_image_set("tiny", sources=sources), TRAIN, [2, 0, 9])
    assert cache.exists()


def test_what_is_missing_is_downloaded_to_the_cache_once(tmp_path: Path, cache: Path) -> None:
    sources = write(tmp_path / "server")
    told: list[str] = []
    load_image_set("tiny", sources=sources, progress=lambda file, done, total: told.append(file))
    assert sorted(set(told)) == sorted(FILES[:2])
    (tmp_path / "server").rename(tmp_path / "gone")
    check(load_image_set("tiny", sources=sources), TRAIN, [2, 0, 9])
    assert not list(cache.rglob("*.part"))


def test_without_xdg_the_cache_is_in_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sources = write(tmp_path / "server")
    monkeypatch.setenv("HOME", str(tmp_path / "ann"))
    for value in ("", "relative/folder"):
        monkeypatch.setenv("XDG_CACHE_HOME", value)
        load_image_set("tiny", sources=sources)
    assert (tmp_path / "ann" / ".cache" / "perma_agent" / "tiny" / FILES[0]).is_file()


def test_a_file_missing_in_a_given_folder(tmp_path: Path, cache: Path) -> None:
    sources = write(tmp_path / "sets")
    missing = tmp_path / "sets" / "tiny" / FILES[1]
    missing.unlink()
    with pytest.raises(DataError) as caught:
        load_image_set("tiny", data=tmp_path / "sets", sources=sources)
    assert str(caught.value) == (
        f"expected {missing}, got no such file; put the files of {sources['tiny'].url} there, or name no folder "
        f"(neither as data nor in PERMA_DATA) to have them downloaded to {cache / 'tiny'}"
    )
    assert not missing.exists()
    assert not cache.exists()


def test_a_set_that_cannot_be_downloaded(tmp_path: Path, cache: Path) -> None:
    sources = write(tmp_path / "server")
    (tmp_path / "server" / "tiny" / FILES[0]).unlink()
    with pytest.raises(DataError, match=f"expected to download file://.*{FILES[0]}, got no answer"):
        load_image_set("tiny", sources=sources)
    assert not list(cache.rglob("*.gz"))


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    sources = write(tmp_path / "sets")
    path = tmp_path / "sets" / "tiny" / FILES[0]
    altered = TRAIN.copy()
    altered[0, 0, 0] += 1
    path.write_bytes(gzip.compress(content(altered)))
    with pytest.raises(DataError, match=r"expected content with SHA-256 .* so it is damaged or another file"):
        load_image_set("tiny", data=tmp_path / "sets", sources=sources)
    path.write_bytes(gzip.compress(content(TRAIN))[:30])
    with pytest.raises(DataError, match="got a truncated one"):
        load_image_set("tiny", data=tmp_path / "sets", sources=sources)


def test_unknown_names() -> None:
    with pytest.raises(DataError) as caught:
        load_image_set("minst")
    assert str(caught.value) == (
        "expected an image set among mnist, fashion-mnist, digits, got 'minst'; choose one of them"
    )
    with pytest.raises(DataError) as caught:
        load_image_set("mnist", split="valid")  # type: ignore[arg-type]
    assert str(caught.value) == "expected a split among train, test, got 'valid'; choose one of them"


def test_digits_need_no_files_and_are_split_by_class() -> None:
    train, test = load_image_set("digits"), load_image_set("digits", split="test")
    assert train.images.shape[1:] == test.images.shape[1:] == (28, 28)
    assert (len(train), len(test)) == (1442, 355)
    assert np.bincount(test.labels).tolist() == [35, 36, 35, 36, 36, 36, 36, 35, 34, 36]  # a fifth of each class
    assert (train.images.min(), train.images.max()) == (0, 255)
    seen = {image.tobytes() for image in train.images}
    assert not any(image.tobytes() in seen for image in test.images)
    np.testing.assert_array_equal(load_image_set("digits").images, train.images)


@pytest.mark.parametrize(
    ("images", "labels", "words"),
    [
        (np.zeros((2, 4, 4)), np.zeros(2, np.int64), "expected uint8 images [N, H, W], got float64 of shape (2, 4, 4)"),
        (np.zeros((2, 4, 4, 1), np.uint8), np.zeros(2, np.int64), "got uint8 of shape (2, 4, 4, 1)"),
        (np.zeros((0, 4, 4), np.uint8), np.zeros(0, np.int64), "got uint8 of shape (0, 4, 4)"),
        (np.zeros((2, 4, 4), np.uint8), np.zeros(3, np.int64), "expected one int64 label of at least 0 for each of 2"),
        (np.zeros((2, 4, 4), np.uint8), np.zeros(2, np.uint8), "got uint8 of shape (2,)"),
        (np.zeros((2, 4, 4), np.uint8), np.array([0, -1]), "expected one int64 label of at least 0"),
    ],
)
def test_what_is_no_image_set(images: np.ndarray, labels: np.ndarray, words: str) -> None:
    with pytest.raises(FrameError) as caught:
        ImageSet("bad", images, labels)
    assert words in str(caught.value)


def test_a_folder_of_pictures(tmp_path: Path) -> None:
    wide = np.zeros((4, 8, 3), np.uint8)
    wide[:, 2:6] = 200  # what is left of it when it is cropped at its centre
    cv2.imwrite(str(tmp_path / "b.png"), wide)
    cv2.imwrite(str(tmp_path / "a.JPG"), np.full((6, 6, 3), 100, np.uint8))
    cv2.imwrite(str(tmp_path / "c.jpeg"), np.full((9, 3), 50, np.uint8))
    (tmp_path / "list.txt").write_text("not a picture")
    found = load_image_folder(tmp_path, size=2)
    assert found.images[:, 0, 0].tolist() == [100, 200, 50]
    assert (found.images == found.images[:, :1, :1]).all()
    assert found.labels.tolist() == [0, 0, 0]
    assert found.name == tmp_path.name
    assert load_image_folder(tmp_path, size=3, limit=2).images.shape == (2, 3, 3)


def test_grey_is_the_weighted_sum_of_the_colours(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "red.png"), np.full((2, 2, 3), (0, 0, 255), np.uint8))  # BGR
    assert load_image_folder(tmp_path, size=2).images[0, 0, 0] == round(0.299 * 255)


def test_folders_that_are_none(tmp_path: Path) -> None:
    for path, words in ((tmp_path / "none", "a folder of pictures at"), (tmp_path, "PNG or JPEG pictures in")):
        with pytest.raises(DataError) as caught:
            load_image_folder(path, size=8)
        assert str(caught.value) == f"expected {words} {path}, got none; check the path"
    for name, bytes_ in (("cut.png", b"\x89PNG\r\n"), ("empty.png", b"")):
        (tmp_path / name).write_bytes(bytes_)
        with pytest.raises(DataError) as caught:
            load_image_folder(tmp_path, size=8)
        assert str(caught.value) == f"expected a picture at {tmp_path / name}, got one that cannot be read; remove it"
        (tmp_path / name).unlink()
    with pytest.raises(ValueError, match="size and a limit of at least 1, got 0 and 3"):
        load_image_folder(tmp_path, size=0, limit=3)


def test_shrinking_averages_areas_and_one_size_is_left_alone() -> None:
    images = np.array([[[0, 4, 8, 8], [8, 4, 8, 8], [1, 1, 0, 0], [1, 1, 0, 100]]], np.uint8)
    np.testing.assert_array_equal(resize_images(images, 2), [[[4, 8], [1, 25]]])
    assert resize_images(images, 4) is images


@pytest.mark.skipif("PERMA_DATA" not in os.environ, reason="PERMA_DATA names no folder of image sets")
@pytest.mark.parametrize(
    ("name", "first_train", "first_test"),
    [("mnist", [5, 0, 4, 1, 9], [7, 2, 1]), ("fashion-mnist", [9, 0, 0, 3, 0], [9, 2, 1])],
)
def test_the_real_files(name: str, first_train: list[int], first_test: list[int]) -> None:
    data = Path(REAL_DATA)
    for split, count, labels in (("train", 60_000, first_train), ("test", 10_000, first_test)):
        images = load_image_set(name, split=split, data=data)  # type: ignore[arg-type]
        assert images.images.shape == (count, 28, 28)
        assert images.labels[: len(labels)].tolist() == labels
        if name == "fashion-mnist":
            assert np.bincount(images.labels).tolist() == [count // 10] * 10
    assert set(SOURCES[name].sha256) == set(FILES)


REAL_DATA = os.environ.get("PERMA_DATA", "")
"""Read before any test takes the variable away."""
