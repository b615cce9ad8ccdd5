"""IDX files are read byte for byte, and what is not one is refused in one sentence."""

from __future__ import annotations

import gzip
import hashlib
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from perma_agent.data.idx import read_idx
from perma_agent.errors import DataError


def as_idx(values: np.ndarray) -> bytes:
    """The format's own definition: two zero bytes, type 8, axes, lengths, then the bytes in C order."""
    header = struct.pack(f">BBBB{values.ndim}I", 0, 0, 8, values.ndim, *values.shape)
    return header + values.tobytes()


def refusal(path: Path, **arguments: str) -> str:
    with pytest.raises(DataError) as caught:
        read_idx(path, **arguments)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@settings(max_examples=30, deadline=None)
@given(
    values=hnp.arrays(np.uint8, hnp.array_shapes(min_dims=1, max_dims=4, min_side=0, max_side=5)), packed=st.booleans()
)
def test_reads_what_was_written(tmp_path_factory: pytest.TempPathFactory, values: np.ndarray, packed: bool) -> None:
    path = tmp_path_factory.getbasetemp() / "values-idx"
    path.write_bytes(gzip.compress(as_idx(values)) if packed else as_idx(values))
    found = read_idx(path)
    assert found.dtype == np.uint8
    assert found.shape == values.shape
    np.testing.assert_array_equal(found, values)


def test_a_file_byte_by_byte(tmp_path: Path) -> None:
    path = tmp_path / "two-by-three"
    path.write_bytes(bytes([0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3, 10, 20, 30, 40, 50, 60]))
    np.testing.assert_array_equal(read_idx(path), [[10, 20, 30], [40, 50, 60]])


@pytest.mark.parametrize("level", [1, 9])
def test_the_checksum_is_of_the_unpacked_content(tmp_path: Path, level: int) -> None:
    content = as_idx(np.arange(100, dtype=np.uint8))
    path = tmp_path / "packed.gz"
    path.write_bytes(gzip.compress(content, compresslevel=level))
    assert len(read_idx(path, sha256=hashlib.sha256(content).hexdigest())) == 100


def test_another_checksum_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "one"
    path.write_bytes(as_idx(np.zeros(1, np.uint8)))
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    assert refusal(path, sha256="ab" * 32) == (
        f"expected content with SHA-256 abababababab… in {path}, got {found[:12]}…, so it is damaged or another file; "
        "remove it and get it again"
    )


def test_a_missing_file(tmp_path: Path) -> None:
    path = tmp_path / "none"
    assert refusal(path) == f"expected to read {path}, got an error (No such file or directory); check the path"


@pytest.mark.parametrize("kept", [3, 15, 40])
def test_a_truncated_gzip_file(tmp_path: Path, kept: int) -> None:
    path = tmp_path / "cut.gz"
    path.write_bytes(gzip.compress(as_idx(np.arange(200, dtype=np.uint8)))[:kept])
    assert refusal(path) == f"expected a whole gzip file at {path}, got a truncated one; remove it and get it again"


@pytest.mark.parametrize("place", [2, 12, -6])
def test_a_damaged_gzip_file(tmp_path: Path, place: int) -> None:
    packed = bytearray(gzip.compress(as_idx(np.arange(200, dtype=np.uint8))))
    packed[place] ^= 0xFF
    path = tmp_path / "bad.gz"
    path.write_bytes(packed)
    assert refusal(path) == f"expected a whole gzip file at {path}, got a damaged one; remove it and get it again"


@pytest.mark.parametrize(
    ("content", "begins"),
    [
        (b"", "nothing"),
        (b"\x89PNG....", "89504e47"),
        (bytes([0, 0, 13, 1, 0, 0, 0, 1, 0, 0, 0, 0]), "00000d01"),  # floats
        (bytes([0, 0, 8, 2, 0, 0, 0, 1]), "00000802"),  # the header ends early
        (bytes([0, 0, 8, 0, 7]), "00000800"),  # no axes
    ],
)
def test_what_is_no_idx_file_of_bytes(tmp_path: Path, content: bytes, begins: str) -> None:
    path = tmp_path / "other"
    path.write_bytes(content)
    assert refusal(path) == (
        f"expected an IDX file of unsigned bytes at {path}, got one that begins with {begins}; "
        "check that it is the file its name says"
    )


@pytest.mark.parametrize("change", [-1, 1])
def test_more_or_fewer_bytes_than_the_header_says(tmp_path: Path, change: int) -> None:
    content = as_idx(np.zeros((40, 50), np.uint8))
    path = tmp_path / "length"
    path.write_bytes(content[:change] if change < 0 else content + b"\0")
    assert refusal(path) == (
        f"expected 2,000 bytes for the shape (40, 50) in {path}, got {2000 + change:,}; remove it and get it again"
    )
