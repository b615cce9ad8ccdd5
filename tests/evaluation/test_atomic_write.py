"""A file is there whole or not at all."""

import json
import stat

import numpy as np
import pytest

from perma_agent.evaluation.atomic_write import atomic_file, write_json, write_text


def test_a_failure_half_way_leaves_the_old_file_and_no_litter(tmp_path):
    path = tmp_path / "summary.json"
    write_text(path, "old")
    with pytest.raises(OSError, match="disk full"), atomic_file(path) as file:
        file.write(b"half of the ne")
        file.flush()
        raise OSError("disk full")
    assert path.read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["summary.json"]


def test_nothing_is_under_the_name_before_the_block_ends(tmp_path):
    path = tmp_path / "new" / "report.html"
    with atomic_file(path) as file:
        file.write(b"whole")
        assert not path.exists()
    assert path.read_bytes() == b"whole"


def test_others_may_read_it_as_the_umask_says(tmp_path):
    plainly = tmp_path / "plainly"
    plainly.touch()
    write_text(tmp_path / "atomically", "")
    assert stat.S_IMODE((tmp_path / "atomically").stat().st_mode) == stat.S_IMODE(plainly.stat().st_mode)


def test_numpy_and_missing_numbers_become_plain_json(tmp_path):
    path = tmp_path / "cell.json"
    write_json(
        path, {"a": np.float32(0.5), "b": np.array([1.0, np.nan]), "c": (np.int64(3), np.bool_(True)), "d": None}
    )
    assert json.loads(path.read_text()) == {"a": 0.5, "b": [1.0, None], "c": [3, True], "d": None}


def test_infinity_is_refused_and_nothing_written(tmp_path):
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(tmp_path / "cell.json", {"a": float("inf")})
    assert list(tmp_path.iterdir()) == []
