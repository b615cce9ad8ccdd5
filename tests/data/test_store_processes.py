"""Stores among processes: killed, forked, out of room, many at once; and memory that does not grow with the store."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import textwrap
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from perma_agent.data import TrajectoryStore
from perma_agent.types import Trajectory

Counting = Callable[..., Trajectory]
Same = Callable[[Trajectory, Trajectory], None]

WORLD = """
import resource, sys
from pathlib import Path
import numpy as np
sys.path.insert(0, "{tests}")
from conftest import counting_trajectory
from perma_agent.data import PairSampler, TrajectoryStore
from perma_agent.errors import StoreError
folder = Path("{folder}")
"""


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., subprocess.Popen[str]]:
    """Start a script in a process of its own; `folder` there is a store's path here."""

    def start(script: str, *, prefix: tuple[str, ...] = (), folder: Path | None = None) -> subprocess.Popen[str]:
        world = WORLD.format(tests=Path(__file__).parent, folder=folder or tmp_path / "store")
        code = world + textwrap.dedent(script)
        command = [*prefix, sys.executable, "-c", code]
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    return start


def output(process: subprocess.Popen[str]) -> str:
    """What a process that ended well printed."""
    out, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    return out


def test_kill_9_loses_nothing_that_add_returned_from(
    tmp_path: Path, run: Callable, same: Same, counting: Counting
) -> None:
    script = """
        store = TrajectoryStore.open_or_create(folder)
        for n in range(len(store), 100_000):
            store.add(counting_trajectory(n))
            print(n, flush=True)
    """
    committed = 0
    for reports in (2, 40):  # in the first commits, and over a merge
        writer = run(script)
        for _ in range(reports):
            last = writer.stdout.readline()
        writer.kill()
        rest = writer.communicate()[0].split()
        reported = int((rest or [last])[-1]) + 1
        store = TrajectoryStore.open(tmp_path / "store")
        assert reported <= len(store) <= reported + 1  # one may have been committed but not yet reported
        assert len(store) > committed
        committed = len(store)
        for n in range(committed):
            same(store.trajectory(n), counting(n))
        assert store.add(counting(committed)) == committed  # and the store goes on


def test_two_writers_and_a_reader_at_once(tmp_path: Path, run: Callable, same: Same, counting: Counting) -> None:
    script = """
        store = TrajectoryStore.open_or_create(folder)
        for n in range({first}, {first} + 40):
            store.add(counting_trajectory(n, steps=1 + n % 5))
        store.close()
    """
    writers = [run(script.format(first=first)) for first in (0, 100)]
    store, rng = TrajectoryStore.open_or_create(tmp_path / "store"), np.random.default_rng(0)
    while any(writer.poll() is None for writer in writers):
        store.refresh()
        for place in rng.integers(0, len(store), 20 if len(store) else 0):
            n = store.provenance(place).seed
            same(store.trajectory(place), counting(n, steps=1 + n % 5))
    for writer in writers:
        output(writer)
    store.refresh()
    numbers = [store.provenance(place).seed for place in range(len(store))]
    assert sorted(numbers) == [*range(40), *range(100, 140)]
    assert [n for n in numbers if n < 100] == list(range(40))  # each writer's in its own order
    for place, n in enumerate(numbers):
        same(store.trajectory(place), counting(n, steps=1 + n % 5))


def test_a_forked_child_is_refused(store: TrajectoryStore, counting: Counting) -> None:
    store.add(counting(0))
    uses = (lambda: store.frames([0]), lambda: store.add(counting(1)), lambda: TrajectoryStore.open(store.path))
    for use in uses:
        reading, writing = os.pipe()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Lance warns at every fork
            child = os.fork()
        if child == 0:
            try:
                use()
                answer = "no error"
            except Exception as error:
                answer = f"{type(error).__name__}: {error}"
            os.write(writing, answer.encode())
            os._exit(0)
        os.close(writing)
        with os.fdopen(reading) as pipe:
            assert pipe.read().startswith(
                "StoreError: expected a trajectory store to be used in the process that opened"
            )
        os.waitpid(child, 0)
    assert store.add(counting(1)) == 1  # the parent goes on


FILL = """
    store = TrajectoryStore.create(folder)
    {limit}
    for n in range(200):
        try:
            store.add(counting_trajectory(n, steps=2 + 5 * n, size=(32, 32)))
        except StoreError as error:
            print(n, error)
            break
"""


def check_full(printed: str, folder: Path, counting: Counting, same: Same) -> None:
    number, sentence = printed.strip().split(maxsplit=1)
    assert sentence == (
        f"expected room to write to {folder}, got a full disk or quota; "
        "free some space, what was committed before is whole"
    )
    store = TrajectoryStore.open(folder)
    assert len(store) == int(number) > 1
    for n in range(len(store)):
        same(store.trajectory(n), counting(n, steps=2 + 5 * n, size=(32, 32)))
    bytes_before = store.summary().bytes
    store.compact()  # there is room again: left-overs go, trajectories stay
    assert len(store) == int(number)
    assert store.summary().bytes < bytes_before


def test_a_file_size_limit(tmp_path: Path, run: Callable, counting: Counting, same: Same) -> None:
    limit = "resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))"
    printed = output(run(FILL.format(limit=limit)))
    check_full(printed, tmp_path / "store", counting, same)


@pytest.fixture
def disk(tmp_path: Path) -> Callable[[str, str], tuple[str, ...]]:
    """A file system of its own for a command, where the machine lets an ordinary user mount one."""
    (tmp_path / "disk").mkdir()
    space = ("unshare", "--user", "--map-root-user", "--mount", "sh", "-c")

    def prefix(options: str, after: str) -> tuple[str, ...]:
        mount = f'mount -t tmpfs -o {options} tmpfs "{tmp_path}/disk"'
        if shutil.which("unshare") is None or subprocess.run([*space, mount]).returncode:
            pytest.skip("no user namespaces here")
        return (*space, f'{mount} && "$@" && {after}', "sh")

    return prefix


@pytest.mark.slow  # the same as the limit above, on a real file system
def test_a_full_disk(tmp_path: Path, run: Callable, disk: Callable, counting: Counting, same: Same) -> None:
    folder, copy = tmp_path / "disk" / "store", tmp_path / "copy"
    prefix = disk("size=2m", f'cp -r "{folder}" "{copy}"')
    printed = output(run(FILL.format(limit=""), prefix=prefix, folder=folder))
    check_full(printed.replace(str(folder), str(copy)), copy, counting, same)


@pytest.mark.slow
def test_a_read_only_disk(tmp_path: Path, run: Callable, disk: Callable) -> None:
    script = """
        try:
            TrajectoryStore.open_or_create(folder)
        except StoreError as error:
            print(error)
    """
    folder = tmp_path / "disk" / "store"
    assert output(run(script, prefix=disk("ro", "true"), folder=folder)).strip() == (
        f"expected to write {folder}, got no permission; check its owner and whether it is mounted read-only"
    )


def test_memory_stays_flat(tmp_path: Path, run: Callable) -> None:
    """Opening and drawing from 8 times the frames (49 MB more) takes no more memory."""
    frames = np.random.default_rng(0).integers(0, 256, (101, 32, 32, 3), dtype=np.uint8)
    trajectory = Trajectory(frames, np.zeros(100, np.int64), np.zeros(100, np.float32), True, False)
    for name, copies in (("short", 20), ("long", 180)):
        with TrajectoryStore.create(tmp_path / name) as store:
            for _ in range(copies // 20):
                store.add_many([trajectory] * 20)
    script = """
        def peak():
            return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        sampler, rng = PairSampler(TrajectoryStore.open(folder), offsets=(1, 5)), np.random.default_rng(0)
        for _ in range(150):
            sampler.draw(64, rng=rng)
        print(peak())
    """
    processes = [run(script, folder=tmp_path / name) for name in ("short", "long")]
    short, long = (float(output(process)) for process in processes)
    assert abs(long - short) < 16, f"{short} MB and {long} MB"
