"""`perma-agent imagine`: a sheet and what is on it, and one sentence for what a user can get wrong."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from perma_agent.data import TrajectoryStore
from perma_agent.imagination.configurations import KINDS


def test_a_sheet_is_drawn_and_told_of(say: Callable[..., Any], learnt: Path, recorded: Path, tmp_path: Path) -> None:
    sheets = [tmp_path / "one.png", tmp_path / "again.png"]
    said = [say("imagine", learnt, "--store", recorded, "--out", sheet, "--json", "--rows", 5) for sheet in sheets]
    assert [each.code for each in said] == [0, 0]
    told, again = (json.loads(each.out) for each in said)
    assert told["imagined"] == again["imagined"] and sheets[0].read_bytes() == sheets[1].read_bytes()
    assert 1 <= len(told["imagined"]) <= 5
    with TrajectoryStore.open(recorded) as store:
        assert told["frames"] == min(2_048, store.num_frames)
    table = say("imagine", learnt, "--store", recorded, "--out", sheets[0], "--frames", 30)
    assert f"frames looked at\t{min(30, told['frames'])}" in table.out
    for one in told["imagined"]:
        assert one["kind"] in KINDS and 0 <= one["novelty"] <= 1 and 0 < one["plausibility"] <= 1 and one["replaced"]


def test_what_a_user_can_get_wrong_is_one_sentence(
    say: Callable[..., Any], learnt: Path, recorded: Path, tmp_path: Path
) -> None:
    assert "to name a .png file" in say("imagine", learnt, "--store", recorded, "--out", tmp_path / "a.jpg").complaint()
    assert "run folder" in say("imagine", tmp_path, "--store", recorded, "--out", tmp_path / "a.png").complaint()
    assert "frames >= 24" in say("imagine", learnt, "--store", recorded, "--frames", 3).complaint()
