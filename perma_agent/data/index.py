"""Where each trajectory of a store begins: a few numbers a trajectory, read without touching a frame."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pyarrow as pa

from perma_agent.data.rows import Layout
from perma_agent.errors import StoreError

if TYPE_CHECKING:
    import lance

SCAN_ROWS = 65_536
"""Rows looked at at a time: bounds the memory of opening a store."""


class Entry(NamedTuple):
    """What the index keeps of one trajectory."""

    length: int
    """Rows, that is frames."""
    level: str
    """Level id."""
    layout: str
    """`Layout` as JSON."""


def _empty() -> np.ndarray:
    return np.zeros(0, dtype=np.int64)


@dataclass(frozen=True)
class TrajectoryIndex:
    """All trajectories in the order they were committed; never changed, only extended into a new one."""

    starts: np.ndarray = field(default_factory=_empty)
    """First row of each, int64, shape `[trajectories]`."""
    lengths: np.ndarray = field(default_factory=_empty)
    """Rows (frames, so actions + 1) of each, int64."""
    level_codes: np.ndarray = field(default_factory=_empty)
    """Position of each one's level in `levels`."""
    layout_codes: np.ndarray = field(default_factory=_empty)
    """Position of each one's layout in `layouts`."""
    levels: tuple[str, ...] = ()
    """Different levels, in the order they were met."""
    layouts: tuple[Layout, ...] = ()
    """Different layouts, in the order they were met."""

    def __len__(self) -> int:
        """Trajectories."""
        return len(self.starts)

    @property
    def num_rows(self) -> int:
        """Rows of all trajectories together."""
        return int(self.starts[-1] + self.lengths[-1]) if len(self.starts) else 0

    def extended(self, entries: Iterable[Entry]) -> TrajectoryIndex:
        """The index with further trajectories at its end."""
        entries = list(entries)
        levels = {level: code for code, level in enumerate(self.levels)}
        layouts = {layout.to_json(): code for code, layout in enumerate(self.layouts)}
        level_codes = [levels.setdefault(entry.level, len(levels)) for entry in entries]
        layout_codes = [layouts.setdefault(entry.layout, len(layouts)) for entry in entries]
        lengths = np.array([entry.length for entry in entries], dtype=np.int64)
        return replace(
            self,
            starts=np.append(self.starts, self.num_rows + np.cumsum(lengths) - lengths),
            lengths=np.append(self.lengths, lengths),
            level_codes=np.append(self.level_codes, np.array(level_codes, dtype=np.int64)),
            layout_codes=np.append(self.layout_codes, np.array(layout_codes, dtype=np.int64)),
            levels=tuple(levels),
            layouts=self.layouts + tuple(Layout.from_json(text) for text in list(layouts)[len(self.layouts) :]),
        )

    def trajectory_of(self, rows: np.ndarray) -> np.ndarray:
        """Which trajectory each row belongs to, int64."""
        return np.searchsorted(self.starts, rows, side="right") - 1


def scan(dataset: lance.LanceDataset, known: TrajectoryIndex) -> TrajectoryIndex:
    """The index of a table, read from the first row that `known` does not cover.

    Raises:
        StoreError: lengths and rows do not agree, or the columns are not a store's.
    """
    scanner = dataset.scanner(columns=list(Entry._fields), offset=known.num_rows, batch_size=SCAN_ROWS)
    for batch in scanner.to_batches():
        lengths = batch.column("length")
        firsts = np.flatnonzero(~lengths.is_null().to_numpy(zero_copy_only=False))
        known = known.extended(Entry(**row) for row in batch.take(pa.array(firsts)).to_pylist())
    if known.num_rows != dataset.count_rows():
        raise StoreError(
            f"expected {known.num_rows} rows in {dataset.uri}, got {dataset.count_rows()}; "
            "the store is damaged, restore it"
        )
    return known
