"""What is not a store, or no longer one, is refused in one sentence and left as it is."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from perma_agent.data import PairSampler, TrajectoryStore
from perma_agent.errors import StoreError
from perma_agent.types import Trajectory

Counting = Callable[..., Trajectory]


@pytest.fixture
def full(tmp_path: Path, counting: Counting) -> Path:
    """Path of a store with five trajectories in one file, closed."""
    with TrajectoryStore.create(tmp_path / "full") as store:
        store.add_many([counting(n, size=(16, 16)) for n in range(5)])
    return tmp_path / "full"


def content(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def refused(path: Path, words: str) -> None:
    """Neither way of opening takes the folder, and nothing in it changes."""
    before = content(path) if path.is_dir() else None
    for opening in (TrajectoryStore.open, TrajectoryStore.open_or_create):
        with pytest.raises(StoreError, match=words) as caught:
            opening(path)
        assert "\n" not in str(caught.value)
    assert before == (content(path) if path.is_dir() else None)


def test_nothing_there(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="got nothing there; check the path"):
        TrajectoryStore.open(tmp_path / "nowhere")
    assert not (tmp_path / "nowhere").exists()


def test_a_foreign_folder_and_a_file(tmp_path: Path) -> None:
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter1.tex").write_text("years of work")
    refused(tmp_path / "thesis", "got a folder without store.json")
    with pytest.raises(StoreError, match="new or empty folder"):
        TrajectoryStore.create(tmp_path / "thesis")
    refused(tmp_path / "thesis" / "chapter1.tex", "got a file without store.json")
    assert (tmp_path / "thesis" / "chapter1.tex").read_text() == "years of work"


@pytest.mark.parametrize(
    ("marker", "words"),
    [
        ({"format": "somebody else's"}, "another program's file"),
        (["a", "list"], "another program's file"),
        ({"format_version": 2}, "format 1 or older at .*, got format 2; upgrade perma_agent"),
        ({"format_version": "one"}, "as it was written"),
        ({"compression": "jpeg"}, "as it was written"),
    ],
)
def test_a_marker_that_is_not_ours(full: Path, marker: dict[str, object] | list[str], words: str) -> None:
    ours = json.loads((full / "store.json").read_text())
    (full / "store.json").write_text(json.dumps({**ours, **marker} if isinstance(marker, dict) else marker))
    refused(full, words)


def test_a_damaged_marker(full: Path) -> None:
    (full / "store.json").write_bytes(b'{"format": "perma\xff')
    refused(full, "got a damaged file")


def test_an_empty_store_opens_but_has_nothing_to_read(tmp_path: Path) -> None:
    TrajectoryStore.create(tmp_path / "s").close()
    with TrajectoryStore.open(tmp_path / "s") as store:
        assert (len(store), store.num_frames, store.frame_shape) == (0, 0, None)
        with pytest.raises(IndexError):
            store.trajectory(0)
        with pytest.raises(StoreError, match="got an empty store; record some first"):
            store.frames([])
        with pytest.raises(StoreError, match="got an empty store; record some first"):
            PairSampler(store)


@pytest.mark.parametrize("left", [0, 0.5, 0.9])
def test_truncated_data(full: Path, left: float) -> None:
    (file,) = (full / "frames.lance" / "data").iterdir()
    file.write_bytes(file.read_bytes()[: int(left * file.stat().st_size)])
    refused(full, "damaged or missing")


def test_missing_data(full: Path) -> None:
    shutil.rmtree(full / "frames.lance" / "data")
    refused(full, "damaged or missing")


@pytest.mark.parametrize("rubbish", [b"", b"\xff" * 500, b"half"])
def test_a_damaged_manifest(full: Path, rubbish: bytes, capfd: pytest.CaptureFixture[str]) -> None:
    for file in (full / "frames.lance" / "_versions").glob("*.manifest"):
        file.write_bytes(rubbish)
    refused(full, "damaged or missing")


def test_another_table_in_its_place(full: Path) -> None:
    import lance
    import pyarrow as pa

    shutil.rmtree(full / "frames.lance")
    lance.write_dataset(pa.table({"length": [1], "level": ["x"], "layout": ["{}"]}), str(full / "frames.lance"))
    refused(full, "expected")


def test_one_flipped_bit_in_a_frame_is_noticed(full: Path, counting: Counting) -> None:
    (file,) = (full / "frames.lance" / "data").iterdir()
    content = bytearray(file.read_bytes())
    place = content.index(counting(3, size=(16, 16)).frames[2].tobytes())
    content[place + 100] ^= 1
    file.write_bytes(content)
    store = TrajectoryStore.open(full)
    spoilt = store.rows(3)[2]
    np.testing.assert_array_equal(store.trajectory(2).frames, counting(2, size=(16, 16)).frames)
    store.frames([spoilt - 1, spoilt + 1])
    for read in (lambda: store.trajectory(3), lambda: store.frames([0, spoilt])):
        with pytest.raises(StoreError, match="got other pixels; the store is damaged"):
            read()


def test_a_folder_left_by_a_killed_create_is_taken_up(tmp_path: Path, counting: Counting) -> None:
    folder = tmp_path / "s"
    folder.mkdir()
    (folder / "writer.lock").touch()
    (folder / "store.json.123.tmp").write_text('{"for')
    with TrajectoryStore.create(folder) as store:
        store.add(counting(0))
    assert len(TrajectoryStore.open(folder)) == 1


def test_a_killed_first_commit_leaves_an_empty_store(tmp_path: Path, counting: Counting) -> None:
    with TrajectoryStore.create(tmp_path / "s") as store:
        data = tmp_path / "s" / "frames.lance" / "data"
        data.mkdir(parents=True)
        (data / "left-over.lance").write_bytes(b"half a file")  # the manifest was never written
        assert len(TrajectoryStore.open(tmp_path / "s")) == 0
        store.add(counting(0))
        store.compact()
    assert len(TrajectoryStore.open(tmp_path / "s")) == 1
    assert not (data / "left-over.lance").exists()


def test_a_commit_that_fails_too_late_counts(
    tmp_path: Path, counting: Counting, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Told of a failure the caller would add again: so what did get committed must not be reported as failed."""
    import lance

    write = lance.write_dataset

    def commit_then_fail(*arguments: object, **options: object) -> None:
        write(*arguments, **options)
        raise OSError("no room for the hint file")

    def fail(*arguments: object, **options: object) -> None:
        raise OSError("no room at all")

    with TrajectoryStore.create(tmp_path / "s") as store:
        monkeypatch.setattr(lance, "write_dataset", commit_then_fail)
        assert [store.add(counting(0)), store.add(counting(1))] == [0, 1]
        monkeypatch.setattr(lance, "write_dataset", fail)
        with pytest.raises(StoreError, match=r"got an error \(no room at all\); nothing was added"):
            store.add(counting(2))
        monkeypatch.setattr(lance, "write_dataset", write)
        assert store.add(counting(2)) == 2
        assert [store.provenance(n).seed for n in range(3)] == [0, 1, 2]


def test_closing_a_store_that_cannot_be_merged_only_warns(
    tmp_path: Path, counting: Counting, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = TrajectoryStore.create(tmp_path / "s")
    for n in range(3):
        store.add(counting(n))
    monkeypatch.setattr(store._table, "merge", lambda: (_ for _ in ()).throw(StoreError("expected room")))
    with pytest.warns(RuntimeWarning, match="expected room"):
        store.close()
    assert len(TrajectoryStore.open(tmp_path / "s")) == 3
