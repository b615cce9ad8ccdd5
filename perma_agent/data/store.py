"""Trajectories on disk: added whole or not at all, kept lossless, read back at random."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from types import TracebackType

import numpy as np
import pyarrow as pa

from perma_agent.data.factors import merge_factors
from perma_agent.data.folder import Compression, Marker, begin, read_marker
from perma_agent.data.index import TrajectoryIndex
from perma_agent.data.rows import factors_from, frames_from, provenance_from_json, trajectory_from
from perma_agent.data.summary import StoreSummary, summarise
from perma_agent.data.table import FrameTable
from perma_agent.errors import StoreError
from perma_agent.types import Provenance, Trajectory

Rows = Sequence[int] | range | np.ndarray


class TrajectoryStore:
    """Trajectories in a folder, on Lance: appended atomically, read at random, never changed.

    What is safe:
        - `add` and `add_many` return when their trajectories are committed, all of them or none (one Lance commit);
          a process that is killed leaves the store as it was after its last commit. (A power cut may cost what the
          system had not written out yet.)
        - Threads may share a store, and processes may each open it, to read and to add: writers take turns under a
          file lock; readers see what was there when they opened it or last called `refresh`.
        - Rows and trajectories keep their numbers for ever, also when small files are merged.
        - Not safe after `os.fork`, which Lance's threads do not survive: a forked child is refused with a
          `StoreError`. Processes started by "spawn" or "forkserver" are fine.

    Memory holds some 32 bytes a trajectory and at most 64 MiB of Lance's metadata, but no frames.

    All frames have one shape, set by the first trajectory. They are stored raw by default, since recording and
    learning share the processor: for 64×64 RGB frames of MiniWorld zstd (level 1) took three times raw's time to
    write and twice its time to read, for half the bytes (6.0 kB against 12.3 a frame); PNG took six times zstd's to
    save another tenth. Each frame carries its CRC-32, checked at every read.

    Example:
        >>> with TrajectoryStore.open_or_create("runs/indoor") as store:  # doctest: +SKIP
        ...     store.add(trajectory)
        ...     store.frames([0, 17, 4]).shape
        (3, 64, 64, 3)
    """

    def __init__(self, path: str | Path) -> None:
        """Open a store, see `open`."""
        self.path = Path(path)
        self._compression = read_marker(self.path).compression
        self._table = FrameTable(self.path, compression=self._compression)

    @classmethod
    def open(cls, path: str | Path) -> TrajectoryStore:
        """Open a store that exists, to read, to add or both.

        Raises:
            StoreError: nothing is there, it is not a store, a newer version wrote it, or it is damaged.
        """
        return cls(path)

    @classmethod
    def create(cls, path: str | Path, *, compression: Compression = "none") -> TrajectoryStore:
        """Begin a store in a new or empty folder; parents are made as needed.

        Args:
            path: its folder.
            compression: `none` (raw pixels: fastest) or `zstd` (half the bytes); both lossless.

        Raises:
            StoreError: something is there already, or the folder cannot be written.
        """
        path = Path(path)
        if not begin(path, Marker(compression=compression)):
            raise StoreError(f"expected a new or empty folder at {path}, got one in use; open it, or choose another")
        return cls(path)

    @classmethod
    def open_or_create(cls, path: str | Path, *, compression: Compression = "none") -> TrajectoryStore:
        """Open the store at `path`, or begin one there; `compression` counts for a new one only.

        Raises:
            StoreError: as `open` and `create`; a folder that holds anything else is left alone.
        """
        path = Path(path)
        begin(path, Marker(compression=compression))
        return cls(path)

    def __len__(self) -> int:
        """Trajectories."""
        return len(self.index)

    @property
    def num_frames(self) -> int:
        """Frames (rows) of all trajectories together."""
        return self.index.num_rows

    @property
    def frame_shape(self) -> tuple[int, ...] | None:
        """`(H, W, C)` of every frame; None while the store is empty."""
        return self._table.view.frame_shape

    @property
    def index(self) -> TrajectoryIndex:
        """Where each trajectory begins, how long it is and which level it is of; never changes once taken."""
        return self._table.view.index

    def add(self, trajectory: Trajectory) -> int:
        """Commit one trajectory and return its number; `add_many` costs less a trajectory."""
        return self.add_many([trajectory])[0]

    def add_many(self, trajectories: Iterable[Trajectory]) -> range:
        """Commit trajectories together: when this returns all of them are on disk, when it raises none is.

        Args:
            trajectories: at least one, with frames of the store's shape.

        Returns:
            Their numbers.

        Raises:
            StoreError: the frames' shape is not the store's, or writing failed (full disk, no permission …).
        """
        batch = list(trajectories)
        if not batch:
            raise ValueError("expected at least one trajectory, got none")
        return self._table.append(batch)

    def rows(self, number: int) -> range:
        """Row numbers of a trajectory's frames, as `frames` and `factors` take them.

        Raises:
            IndexError: there is no trajectory of this number.
        """
        if not 0 <= number < len(self):
            raise IndexError(f"expected a trajectory from 0 to {len(self) - 1} of {self.path}, got {number}")
        start = int(self.index.starts[number])
        return range(start, start + int(self.index.lengths[number]))

    def trajectory(self, number: int) -> Trajectory:
        """Read one whole trajectory.

        Raises:
            IndexError: there is no trajectory of this number.
            StoreError: files are damaged or missing.
        """
        rows, index = self.rows(number), self.index
        layout = index.layouts[index.layout_codes[number]]
        shape = self._table.view.frame_shape or ()
        return self._table.read(
            lambda dataset: trajectory_from(dataset.take(np.asarray(rows)), frame_shape=shape, layout=layout)
        )

    def provenance(self, number: int) -> Provenance:
        """Where a trajectory came from; reads no frame.

        Raises:
            IndexError: there is no trajectory of this number.
            StoreError: files are damaged or missing.
        """
        first = self.rows(number)[0]
        return self._table.read(
            lambda dataset: provenance_from_json(dataset.take([first], columns=["provenance"])[0][0].as_py())
        )

    def frames(self, rows: Rows) -> np.ndarray:
        """Read frames at random.

        Args:
            rows: row numbers, 0 to `num_frames` - 1, in any order, repeats allowed, shape `[B]`.

        Returns:
            A new array, uint8, shape `[B, H, W, C]`.

        Raises:
            IndexError: a row is out of range.
            StoreError: the store is empty, or files are damaged or missing.
        """
        different, places = self._different(rows)
        shape = self._table.view.frame_shape or ()
        columns = ["frame", "checksum"]
        frames = self._table.read(lambda dataset: frames_from(dataset.take(different, columns=columns), shape))
        return frames if np.array_equal(places, np.arange(len(different))) else frames[places]

    def factors(self, rows: Rows) -> dict[str, np.ndarray]:
        """Read ground-truth factors at random.

        Args:
            rows: as for `frames`.

        Returns:
            Name -> float32 of shape `[B, ...]`, for every factor that any of the rows has; NaN where a row has not.
            Where a factor's shape differs between rows, each axis is as long as the longest.

        Raises:
            IndexError: a row is out of range.
            StoreError: the store is empty, or files are damaged or missing.
        """
        different, places = self._different(rows)
        table = self._table.read(lambda dataset: dataset.take(different, columns=["factors"]))
        index = self.index
        codes = index.layout_codes[index.trajectory_of(different)]
        groups = []
        for code in np.unique(codes):
            chosen = np.flatnonzero(codes == code)
            groups.append((chosen, factors_from(table.take(pa.array(chosen)), index.layouts[code])))
        return {name: values[places] for name, values in merge_factors(groups, total=len(different)).items()}

    def summary(self) -> StoreSummary:
        """Count what is in the store and what it takes on disk."""
        return summarise(self.path, compression=self._compression, index=self.index, frame_shape=self.frame_shape)

    def refresh(self) -> None:
        """Take over what other processes have committed since.

        Raises:
            StoreError: files are damaged or missing.
        """
        self._table.refresh()

    def compact(self) -> None:
        """Merge small files and remove left-overs; happens by itself while adding and at `close`.

        Raises:
            StoreError: files cannot be written.
        """
        self._table.merge()

    def close(self) -> None:
        """Merge the small files this object added, then refuse further use; again, it does nothing."""
        self._table.close()

    def __enter__(self) -> TrajectoryStore:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _different(self, rows: Rows) -> tuple[np.ndarray, np.ndarray]:
        """The rows in order, each once, and the place of each wanted row among them."""
        wanted = np.asarray(rows, dtype=np.int64)
        if wanted.size and not 0 <= wanted.min() <= wanted.max() < self.num_frames:
            raise IndexError(f"expected rows from 0 to {self.num_frames - 1}, got {wanted.min()} to {wanted.max()}")
        return np.unique(wanted, return_inverse=True)
