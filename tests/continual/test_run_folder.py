"""A run folder is always one whole checkpoint: what crashes, full disks, other writers and bad bytes leave of it."""

from __future__ import annotations

import errno
import json
import multiprocessing
import os
import resource
import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from perma_agent.continual import run_folder
from perma_agent.continual.manifest import Member, write_manifest
from perma_agent.continual.run_folder import is_run_folder, read_files, write_files
from perma_agent.errors import RunFolderError

NAMES = ("a.json", "b.bin")
OLD = {"a.json": b'{"age": "old"}', "b.bin": b"o" * 1000}
NEW = {"a.json": b'{"age": "new"}', "b.bin": b"n" * 1200}


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_files(tmp_path / "run", OLD)
    return tmp_path / "run"


def test_what_is_written_is_read(folder: Path):
    assert is_run_folder(folder)
    assert read_files(folder, NAMES) == OLD
    write_files(folder, NEW)
    assert read_files(folder, NAMES) == NEW
    assert sorted(contents(folder)) == ["a.json", "b.bin", "manifest.json"]


def test_manifest_names_size_and_sha256(folder: Path):
    entry = json.loads((folder / "manifest.json").read_text())["files"]["b.bin"]
    # of a thousand letters o, by sha256sum
    assert entry == {"sha256": "95e5f33e95422b3ef84e8b4492d1e762b25396e29652f141be90f0b0851f7dcc", "bytes": 1000}


def test_other_files_are_left_alone(folder: Path):
    (folder / "metrics.jsonl").write_text("{}\n")
    (folder / ".hidden.0123456789abcdef").write_text("mine")
    write_files(folder, NEW)
    assert (folder / "metrics.jsonl").read_text() == "{}\n"
    assert (folder / ".hidden.0123456789abcdef").read_text() == "mine"


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_changed_byte_is_accepted(folder: Path, data: st.DataObject):
    name = data.draw(st.sampled_from([*NAMES, "manifest.json"]))
    original = (folder / name).read_bytes()
    position = data.draw(st.integers(0, len(original) - 1))
    kind = data.draw(st.sampled_from(["flip", "truncate", "insert", "delete"]))
    byte = data.draw(st.integers(1, 255))
    if kind == "flip":
        changed = original[:position] + bytes([original[position] ^ byte]) + original[position + 1 :]
    elif kind == "insert":
        changed = original[:position] + bytes([byte]) + original[position:]
    else:
        changed = original[:position] + (original[position + 1 :] if kind == "delete" else b"")
    if changed == original:
        return
    (folder / name).write_bytes(changed)
    try:
        with pytest.raises(RunFolderError):
            read_files(folder, NAMES)
    finally:
        (folder / name).write_bytes(original)


@pytest.mark.parametrize("name", ["a.json", "b.bin", "manifest.json"])
def test_a_missing_file_is_named(folder: Path, name: str):
    (folder / name).unlink()
    with pytest.raises(RunFolderError, match=f"{name}.* in the run folder|without {name}"):
        read_files(folder, NAMES)


def test_says_truncated_or_altered(folder: Path):
    (folder / "b.bin").write_bytes(b"o" * 10)
    with pytest.raises(RunFolderError, match=r"b\.bin of 1000 bytes .* truncated to 10 bytes"):
        read_files(folder, NAMES)
    (folder / "b.bin").write_bytes(b"O" * 1000)
    with pytest.raises(RunFolderError, match="altered"):
        read_files(folder, NAMES)


def test_no_folder_and_no_run_folder(tmp_path: Path):
    with pytest.raises(RunFolderError, match="got no folder at"):
        read_files(tmp_path / "nowhere", NAMES)
    with pytest.raises(RunFolderError, match=r"without manifest\.json"):
        read_files(tmp_path, NAMES)
    (tmp_path / "file").write_text("")
    with pytest.raises(RunFolderError):
        read_files(tmp_path / "file", NAMES)
    with pytest.raises(RunFolderError):
        write_files(tmp_path / "file", NEW)
    assert not is_run_folder(tmp_path) and not is_run_folder(tmp_path / "nowhere")


def test_other_files_than_expected(folder: Path):
    with pytest.raises(RunFolderError, match=r"with c\.bin, got a\.json, b\.bin"):
        read_files(folder, ["c.bin"])


def test_nothing_foreign_is_overwritten(tmp_path: Path):
    (tmp_path / "b.bin").write_bytes(b"somebody's")
    with pytest.raises(RunFolderError, match=r"b\.bin but no manifest\.json"):
        write_files(tmp_path, NEW)
    assert contents(tmp_path) == {"b.bin": b"somebody's"}
    (tmp_path / "manifest.json").write_text('{"name": "a web page", "icons": []}')
    before = contents(tmp_path)
    for attempt in (lambda: write_files(tmp_path, NEW), lambda: read_files(tmp_path, NAMES)):
        with pytest.raises(RunFolderError, match="not of perma_agent"):
            attempt()
    assert contents(tmp_path) == before and not is_run_folder(tmp_path)


def test_newer_format_is_neither_read_nor_overwritten(folder: Path):
    manifest = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps({**manifest, "format": 99, "perma_agent": "9.9"}))
    before = contents(folder)
    for attempt in (lambda: write_files(folder, NEW), lambda: read_files(folder, NAMES)):
        with pytest.raises(RunFolderError, match=r"format 99 .* perma_agent 9\.9; update perma_agent"):
            attempt()
    assert contents(folder) == before


def test_names_that_lead_elsewhere_are_refused(folder: Path):
    (folder.parent / "secret").write_bytes(b"secret")
    (folder / "manifest.json").write_bytes(write_manifest({"../secret": Member.of(b"secret")}))
    with pytest.raises(RunFolderError):
        read_files(folder, ["../secret"])


class Crash(BaseException):
    """The machine stopped here: nothing catches this."""


def interrupting(monkeypatch: pytest.MonkeyPatch, step: int, failure: Callable[[], BaseException]) -> list[int]:
    """Let the step-th file operation fail; a write that fails has written half."""
    count = [0]

    def wrap(owner: object, name: str, *, partial: Callable[..., None] | None = None) -> None:
        original = getattr(owner, name)

        def operation(*arguments: object, **options: object) -> object:
            count[0] += 1
            if count[0] == step:
                if partial is not None:
                    partial(*arguments)
                raise failure()
            return original(*arguments, **options)

        monkeypatch.setattr(owner, name, operation)

    wrap(run_folder, "_write", partial=lambda path, content: path.write_bytes(content[: len(content) // 2]))
    wrap(Path, "replace")
    wrap(os, "fsync")
    wrap(Path, "unlink")
    return count


def steps_of_a_write(folder: Path) -> int:
    with pytest.MonkeyPatch.context() as monkeypatch:
        count = interrupting(monkeypatch, 0, Crash)
        write_files(folder, NEW)
    return count[0]


@pytest.mark.parametrize("first", [True, False], ids=["first checkpoint", "second checkpoint"])
def test_a_crash_at_any_step_leaves_old_or_new(tmp_path: Path, first: bool):
    (tmp_path / "trial").mkdir()
    if not first:
        write_files(tmp_path / "trial", OLD)
    steps = steps_of_a_write(tmp_path / "trial")
    assert steps >= 12
    seen = set()
    for step in range(1, steps + 1):
        folder = tmp_path / f"run-{step}"
        if not first:
            write_files(folder, OLD)
        with pytest.MonkeyPatch.context() as monkeypatch, pytest.raises(Crash):
            interrupting(monkeypatch, step, Crash)
            write_files(folder, NEW)
        if first and not is_run_folder(folder):
            seen.add("none")
        else:
            seen.add({b'{"age": "old"}': "old", b'{"age": "new"}': "new"}[read_files(folder, NAMES)["a.json"]])
            assert read_files(folder, NAMES) in (OLD, NEW)
        write_files(folder, {**OLD, "b.bin": b"third"})  # life goes on, and nothing is left behind
        assert sorted(contents(folder)) == ["a.json", "b.bin", "manifest.json"]
        assert read_files(folder, NAMES)["b.bin"] == b"third"
    assert seen == ({"none", "new"} if first else {"old", "new"})


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO, errno.EDQUOT])
def test_an_operation_that_fails_leaves_old_or_new(tmp_path: Path, number: int):
    (tmp_path / "trial").mkdir()
    write_files(tmp_path / "trial", OLD)
    for step in range(1, steps_of_a_write(tmp_path / "trial") + 1):
        folder = tmp_path / f"run-{step}"
        write_files(folder, OLD)
        with pytest.MonkeyPatch.context() as monkeypatch, pytest.raises(RunFolderError, match=os.strerror(number)):
            interrupting(monkeypatch, step, lambda: OSError(number, os.strerror(number)))
            write_files(folder, NEW)
        found = read_files(folder, NAMES)
        assert found in (OLD, NEW)
        if found == OLD:
            assert sorted(contents(folder)) == ["a.json", "b.bin", "manifest.json"]


def test_a_full_disk_keeps_the_old_checkpoint(folder: Path):
    before = contents(folder)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1100, hard))  # no file may grow beyond 1100 bytes; b.bin wants 1200
    try:
        with pytest.raises(RunFolderError, match=r"expected to write a checkpoint into .* free space"):
            write_files(folder, NEW)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, handler)
    assert contents(folder) == before


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_no_permission(folder: Path):
    folder.chmod(0o500)
    try:
        with pytest.raises(RunFolderError, match="Permission denied"):
            write_files(folder, NEW)
    finally:
        folder.chmod(0o700)
    assert read_files(folder, NAMES) == OLD


def generation(number: int) -> dict[str, bytes]:
    return {"a.json": json.dumps(number).encode(), "b.bin": number.to_bytes(4, "big") * 50_000}


def write_for_ever(folder: Path) -> None:
    for number in range(1, 1_000_000):
        write_files(folder, generation(number))


def test_killed_at_random_moments(tmp_path: Path):
    folder = tmp_path / "run"
    write_files(folder, generation(0))
    fork = multiprocessing.get_context("fork")
    numbers = []
    for trial in range(25):
        writer = fork.Process(target=write_for_ever, args=(folder,))
        writer.start()
        time.sleep(0.01 + 0.0037 * trial)
        assert writer.pid is not None
        os.kill(writer.pid, signal.SIGKILL)
        writer.join()
        found = read_files(folder, NAMES)
        numbers.append(json.loads(found["a.json"]))
        assert found == generation(numbers[-1])
    assert max(numbers) > 0  # the writers did write


@pytest.fixture
def background() -> Iterator[Callable[[Callable[[], None]], list[BaseException]]]:
    """Repeat something in a thread for the length of a test; gives the list of what went wrong."""
    stop, threads = threading.Event(), []

    def start(action: Callable[[], None]) -> list[BaseException]:
        wrong: list[BaseException] = []

        def loop() -> None:
            try:
                while not stop.is_set():
                    action()
            except BaseException as error:  # handed to the test
                wrong.append(error)

        threads.append(threading.Thread(target=loop))
        threads[-1].start()
        return wrong

    yield start
    stop.set()
    for thread in threads:
        thread.join()


def test_a_reader_beside_two_writers_sees_whole_checkpoints(folder: Path, background):
    wrong = [background(lambda: write_files(folder, OLD)), background(lambda: write_files(folder, NEW))]
    until = time.monotonic() + 1.0
    seen = set()
    while time.monotonic() < until:
        found = read_files(folder, NAMES)
        assert found in (OLD, NEW)
        seen.add(found["a.json"])
    assert wrong == [[], []] and len(seen) == 2


def test_a_copied_folder_is_as_good(folder: Path, tmp_path: Path):
    shutil.copytree(folder, tmp_path / "copy")
    assert read_files(tmp_path / "copy", NAMES) == OLD
