"""A folder of pictures: which files count, which are for the test, what classes they have, and the worlds they make."""

from __future__ import annotations

import hashlib
from pathlib import Path

import cv2
import numpy as np
import pytest

from perma_agent.data import ImageFolder, image_world
from perma_agent.errors import DataError


def picture(path: Path, grey: int, *, size: tuple[int, int] = (6, 6)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.full(size, grey, np.uint8))


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    """Ten pictures without classes; the grey of each is ten times its number."""
    for number in range(10):
        picture(tmp_path / "plain" / f"{number}.png", 10 * number)
    return tmp_path / "plain"


@pytest.fixture
def sorted_by_class(tmp_path: Path) -> Path:
    """Seven cats (grey 0 to 6), three ants (100 to 102)."""
    for number in range(7):
        picture(tmp_path / "sorted" / "cats" / f"{number}.png", number)
    for number in range(3):
        picture(tmp_path / "sorted" / "ants" / f"{number}.png", 100 + number)
    (tmp_path / "sorted" / "empty").mkdir()
    return tmp_path / "sorted"


def greys(folder: Path, split: str) -> list[int]:
    images = ImageFolder("folder", folder).load(split, size=4).images  # type: ignore[arg-type]
    assert (images == images[:, :1, :1]).all() and images.shape[1:] == (4, 4)
    return images[:, 0, 0].tolist()


def test_every_fifth_picture_is_for_the_test(plain: Path) -> None:
    assert greys(plain, "test") == [40, 90]
    assert greys(plain, "train") == [0, 10, 20, 30, 50, 60, 70, 80]


def test_folders_inside_are_classes_in_the_order_of_their_names(sorted_by_class: Path) -> None:
    found = ImageFolder("folder", sorted_by_class).pictures()
    assert found.classes == ("ants", "cats") and found.labels.tolist() == [0] * 3 + [1] * 7
    assert greys(sorted_by_class, "test") == [4]  # the fifth cat; there is no fifth ant
    train = ImageFolder("folder", sorted_by_class).load("train", size=4)
    assert train.images[:, 0, 0].tolist() == [100, 101, 102, 0, 1, 2, 3, 5, 6]
    assert train.labels.tolist() == [0] * 3 + [1] * 6


def test_what_is_no_picture_is_left_out(plain: Path) -> None:
    before = ImageFolder("folder", plain).pictures()
    (plain / "list.txt").write_text("not a picture")
    (plain / "._0.png").write_bytes(b"what a file system leaves behind")
    picture(plain / ".thumbnails" / "0.png", 1)
    picture(plain / "deeper" / "still" / "0.png", 1)
    after = ImageFolder("folder", plain).pictures()
    assert after.files == before.files and after.digest == before.digest and len(after.files) == 10


def test_too_many_are_thinned_evenly(plain: Path) -> None:
    few = ImageFolder("folder", plain, most=5).pictures()
    assert [file.name for file in few.files] == ["0.png", "2.png", "4.png", "6.png", "8.png"]
    assert few.digest != ImageFolder("folder", plain).pictures().digest


def test_the_digest_is_that_of_names_and_sizes_wherever_the_folder_lies(plain: Path, tmp_path: Path) -> None:
    lines = "".join(f"{number}.png\t{(plain / f'{number}.png').stat().st_size}\n" for number in range(10))
    digest = ImageFolder("folder", plain).pictures().digest
    assert digest == hashlib.sha256(lines.encode()).hexdigest()
    plain.rename(tmp_path / "elsewhere")
    assert ImageFolder("other", tmp_path / "elsewhere").pictures().digest == digest
    (tmp_path / "elsewhere" / "3.png").rename(tmp_path / "elsewhere" / "3b.png")
    renamed = ImageFolder("folder", tmp_path / "elsewhere").pictures().digest
    picture(tmp_path / "elsewhere" / "3b.png", 7, size=(60, 40))
    assert len({digest, renamed, ImageFolder("folder", tmp_path / "elsewhere").pictures().digest}) == 3


def test_pictures_fill_the_canvas_except_where_they_move(plain: Path) -> None:
    folders, rng = (ImageFolder("faces", plain),), np.random.default_rng(0)
    rest, moving, inverse = (
        image_world(name, split="test", canvas=32, folders=folders)
        for name in ("faces", "moving-faces", "inverse-faces")
    )
    assert (rest.sprite, moving.sprite, inverse.sprite) == (32, 14, 32)
    drawn = rest.draw(20, rng)
    assert {*drawn.frames.mean(axis=(1, 2, 3)).tolist()} == {40.0, 90.0} and not drawn.positions.any()
    assert {*inverse.draw(20, rng).frames.mean(axis=(1, 2, 3)).tolist()} == {215.0, 165.0}
    frames = moving.draw(20, rng)
    assert ((frames.frames > 0).sum(axis=(1, 2, 3)) == 14 * 14).all() and len(np.unique(frames.positions)) > 5


def test_other_worlds_are_there_beside_those_of_a_folder(plain: Path) -> None:
    folders = (ImageFolder("faces", plain),)
    assert image_world("digits", folders=folders).images.name == "digits"
    with pytest.raises(
        DataError, match=r"inverse-digits, faces, moving-faces, inverse-faces, got 'folder'; choose one"
    ):
        image_world("folder", folders=folders)


@pytest.mark.parametrize(
    ("text", "name", "path"),
    [
        ("pictures", "folder", "pictures"),
        ("faces=a/b", "faces", "a/b"),
        ("faces=a=b", "faces", "a=b"),
        ("./faces=b", "folder", "./faces=b"),
    ],
)
def test_a_name_stands_before_the_path(text: str, name: str, path: str) -> None:
    assert ImageFolder.parse(text) == ImageFolder(name, Path(path))


@pytest.mark.parametrize("name", ["fashion", "mnist", "digits", "a-b", "", "7up"])
def test_names_that_worlds_cannot_have(name: str) -> None:
    with pytest.raises(DataError) as caught:
        ImageFolder(name, Path("dir"))
    assert str(caught.value) == (
        "expected a name of letters, digits and _ for the pictures in dir, none of digits, fashion, mnist, "
        f"got {name!r}; choose another"
    )


def test_folders_that_are_none(tmp_path: Path, sorted_by_class: Path) -> None:
    def complaint(path: Path) -> str:
        with pytest.raises(DataError) as caught:
            ImageFolder("folder", path).pictures()
        return str(caught.value)

    assert (
        complaint(tmp_path / "none")
        == f"expected a folder of pictures at {tmp_path / 'none'}, got none; check the path"
    )
    few = tmp_path / "few"
    for count in range(5):
        assert complaint_of_few(few, count) == complaint(few)
        picture(few / f"{count}.png", 1)
    assert ImageFolder("folder", few).pictures().chosen("test").sum() == 1
    picture(sorted_by_class / "loose.png", 1)
    assert complaint(sorted_by_class) == (
        f"expected pictures either in {sorted_by_class} or in folders inside it, got both (loose.png and ants); move "
        "the one or the other away"
    )


def complaint_of_few(folder: Path, count: int) -> str:
    folder.mkdir(exist_ok=True)
    return (
        f"expected at least 5 PNG or JPEG pictures of a class in {folder} or in folders inside it, got {count} "
        "pictures; check the path"
    )


def test_a_picture_that_is_cut_is_named(plain: Path) -> None:
    (plain / "3.png").write_bytes(b"\x89PNG\r\n")
    with pytest.raises(DataError, match=r"expected a picture at .*3\.png, got one that cannot be read; remove it"):
        ImageFolder("folder", plain).load("train", size=4)
    assert len(ImageFolder("folder", plain).load("test", size=4)) == 2


def test_sizes_and_counts_are_checked(plain: Path) -> None:
    with pytest.raises(ValueError, match="a size of at least 1, got 0"):
        ImageFolder("folder", plain).load(size=0)
    with pytest.raises(ValueError, match="at least 5 pictures, got 4"):
        ImageFolder("folder", plain, most=4)
