"""How a trajectory lies in rows of a Lance table: one a frame, and on the first what holds for all of it."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from perma_agent.data.folder import Compression
from perma_agent.errors import StoreError
from perma_agent.types import Provenance, Trajectory

SHAPE_KEY = b"frame_shape"
_PLAIN = {"lance-encoding:dict-divisor": "1000000"}  # no dictionary of equal frames: a row must not cost a page
_ENCODINGS: dict[Compression, dict[str, str]] = {
    "none": {"lance-encoding:compression": "none", **_PLAIN},
    "zstd": {"lance-encoding:compression": "zstd", "lance-encoding:compression-level": "1", **_PLAIN},
}


@dataclass(frozen=True)
class Layout:
    """How the bytes of a trajectory's actions and factors are to be read."""

    action_dtype: str
    """NumPy's name with byte order, e.g. `<i8`."""
    action_shape: tuple[int, ...]
    """Of one action: `()` for a discrete one, `(A,)` for a continuous one."""
    factors: tuple[tuple[str, tuple[int, ...]], ...]
    """Names and shapes at one frame, in the order their numbers stand in."""

    def to_json(self) -> str:
        """One line of JSON, the same for equal layouts."""
        return json.dumps(asdict(self), separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> Layout:
        """The reverse of `to_json`."""
        fields = json.loads(text)
        factors = tuple((name, tuple(shape)) for name, shape in fields["factors"])
        return cls(fields["action_dtype"], tuple(fields["action_shape"]), factors)


def make_schema(frame_shape: tuple[int, ...], *, compression: Compression) -> pa.Schema:
    """Columns of the table; `frame_shape` (`[H, W, C]`) goes with them as metadata."""
    return pa.schema(
        [
            pa.field("frame", pa.large_binary(), metadata=_ENCODINGS[compression]),  # pixels, row by row, H W C
            pa.field("checksum", pa.uint32()),  # CRC-32 of the pixels
            pa.field("action", pa.binary()),  # taken at this frame; empty at the last
            pa.field("reward", pa.float32()),  # for that action; NaN at the last
            pa.field("factors", pa.list_(pa.float32())),  # all factors at this frame, one after the other
            pa.field("length", pa.int32()),  # rows of the trajectory; this and all below: null but at its first row
            pa.field("level", pa.string()),
            pa.field("layout", pa.string()),
            pa.field("provenance", pa.string()),
            pa.field("terminated", pa.bool_()),
            pa.field("truncated", pa.bool_()),
        ],
        metadata={SHAPE_KEY: json.dumps(frame_shape)},
    )


def frame_shape_of(schema: pa.Schema) -> tuple[int, ...]:
    """`[H, W, C]` as the table's metadata has it.

    Raises:
        ValueError: the table was not made by `make_schema`.
    """
    if SHAPE_KEY not in (schema.metadata or {}):
        raise ValueError(f"no {SHAPE_KEY.decode()} in the table's metadata")
    return tuple(int(size) for size in json.loads(schema.metadata[SHAPE_KEY]))


def layout_of(trajectory: Trajectory) -> Layout:
    """The layout a trajectory will be stored in.

    Raises:
        ValueError: actions are not numbers.
    """
    if trajectory.actions.dtype.kind not in "biuf":
        raise ValueError(f"expected actions that are numbers, got dtype {trajectory.actions.dtype}")
    factors = tuple((name, tuple(values.shape[1:])) for name, values in trajectory.factors.items())
    return Layout(trajectory.actions.dtype.str, trajectory.actions.shape[1:], factors)


def to_batch(trajectory: Trajectory, schema: pa.Schema) -> pa.RecordBatch:
    """The rows of one trajectory; its pixels are not copied."""
    frames = np.ascontiguousarray(trajectory.frames)
    rows, width = len(frames), int(np.prod(frames.shape[1:]))
    offsets = np.arange(rows + 1, dtype=np.int64) * width
    once: Mapping[str, Any] = {
        "length": rows,
        "level": trajectory.provenance.level,
        "layout": layout_of(trajectory).to_json(),
        "provenance": provenance_to_json(trajectory.provenance),
        "terminated": bool(trajectory.terminated),
        "truncated": bool(trajectory.truncated),
    }
    columns = [
        pa.Array.from_buffers(pa.large_binary(), rows, [None, pa.py_buffer(offsets), pa.py_buffer(frames)]),
        pa.array(np.fromiter(map(zlib.crc32, frames), np.uint32, rows)),
        _action_column(trajectory.actions),
        pa.array(np.append(np.asarray(trajectory.rewards, np.float32), np.float32(np.nan))),
        _factor_column(trajectory.factors, rows),
        *(pa.array([value] + [None] * (rows - 1), schema.field(name).type) for name, value in once.items()),
    ]
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def frames_from(table: pa.Table, frame_shape: tuple[int, ...]) -> np.ndarray:
    """Pixels of all rows, a new array u8[B, H, W, C], each frame checked against its checksum.

    Raises:
        StoreError: a frame is not what was written.
    """
    width = int(np.prod(frame_shape))
    frames = np.empty((table.num_rows, *frame_shape), dtype=np.uint8)
    position = 0
    for chunk in table.column("frame").chunks:
        _, offset_buffer, pixels = chunk.buffers()
        ends = np.frombuffer(offset_buffer, np.int64)[chunk.offset : chunk.offset + len(chunk) + 1]
        if (np.diff(ends) != width).any():
            raise StoreError(f"expected frames of {width} bytes, got others; the store is damaged, restore it")
        block = np.frombuffer(pixels, np.uint8)[ends[0] : ends[-1]]
        frames[position : position + len(chunk)] = block.reshape(len(chunk), *frame_shape)
        position += len(chunk)
    found = np.fromiter(map(zlib.crc32, frames), np.uint32, len(frames))
    if (found != table.column("checksum").to_numpy()).any():
        raise StoreError("expected frames as they were recorded, got other pixels; the store is damaged, restore it")
    return frames


def factors_from(table: pa.Table, layout: Layout) -> dict[str, np.ndarray]:
    """Factors of rows that share a layout, each f32[B, ...]."""
    numbers = np.concatenate(
        [np.zeros(0, np.float32), *(c.flatten().to_numpy() for c in table.column("factors").chunks)]
    )
    numbers = numbers.reshape(table.num_rows, -1)
    factors, position = {}, 0
    for name, shape in layout.factors:
        size = int(np.prod(shape))
        factors[name] = numbers[:, position : position + size].reshape(table.num_rows, *shape)
        position += size
    return factors


def trajectory_from(table: pa.Table, *, frame_shape: tuple[int, ...], layout: Layout) -> Trajectory:
    """The reverse of `to_batch`."""
    first = table.select(["provenance", "terminated", "truncated"]).slice(0, 1).to_pylist()[0]
    actions = b"".join(table.column("action").to_pylist())
    return Trajectory(
        frames=frames_from(table, frame_shape),
        actions=np.frombuffer(bytearray(actions), layout.action_dtype).reshape(-1, *layout.action_shape),
        rewards=table.column("reward").to_numpy()[:-1].copy(),
        terminated=first["terminated"],
        truncated=first["truncated"],
        factors=factors_from(table, layout),
        provenance=provenance_from_json(first["provenance"]),
    )


def provenance_to_json(provenance: Provenance) -> str:
    """One line of JSON.

    Raises:
        ValueError: a level argument is not a JSON value.
    """
    try:
        return json.dumps(
            {
                **vars(provenance),
                "level_arguments": dict(provenance.level_arguments),
                "versions": dict(provenance.versions),
            }
        )
    except TypeError as error:
        raise ValueError(f"expected JSON values in {provenance}, got others ({error})") from error


def provenance_from_json(text: str) -> Provenance:
    """The reverse of `provenance_to_json`."""
    fields = json.loads(text)
    return Provenance(**{**fields, "wrappers": tuple(fields["wrappers"])})


def _action_column(actions: np.ndarray) -> pa.Array:
    steps = len(actions)
    data = np.ascontiguousarray(actions)
    width = data.nbytes // steps
    offsets = np.minimum(np.arange(steps + 2), steps).astype(np.int32) * width  # the last row's is empty
    return pa.Array.from_buffers(pa.binary(), steps + 1, [None, pa.py_buffer(offsets), pa.py_buffer(data.tobytes())])


def _factor_column(factors: Mapping[str, np.ndarray], rows: int) -> pa.Array:
    parts: Sequence[np.ndarray] = [np.asarray(values, np.float32).reshape(rows, -1) for values in factors.values()]
    numbers = np.concatenate([np.zeros((rows, 0), np.float32), *parts], axis=1)
    offsets = np.arange(rows + 1, dtype=np.int32) * numbers.shape[1]
    return pa.ListArray.from_arrays(offsets, numbers.reshape(-1))
