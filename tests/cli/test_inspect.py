"""`perma-agent inspect` shows what is in a folder, and notices what is wrong with it."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import cv2
import pytest

from perma_agent.cli import inspect
from perma_agent.cli.inspect import origins
from perma_agent.data import TrajectoryStore


def test_a_store(say, store: Path, bytes_of) -> None:
    before = bytes_of(store)
    found = json.loads(say("inspect", store, "--json").out)
    with TrajectoryStore.open(store) as opened:
        assert (found["trajectories"], found["frames"]) == (len(opened), opened.num_frames)
    assert found["bytes"] == sum(map(len, before.values()))
    (origin,) = found["provenance"]["origins"]
    assert origin["trajectories"] == found["provenance"]["looked_at"] == found["trajectories"]
    assert (origin["level"], origin["policy"]) == ("perma/IndoorMaze-v0", "wanderer")
    assert origin["arguments"]["rows"] == 1
    assert "miniworld" in origin["versions"]
    assert bytes_of(store) == before


def test_a_store_as_a_table(say, store: Path) -> None:
    lines = say("inspect", store).out.splitlines()
    assert lines[1].startswith("perma/IndoorMaze-v0\t")
    assert lines[3].startswith("of ")
    assert "\twanderer\t" in lines[4]


def test_few_of_many_trajectories_are_looked_at(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inspect, "LOOKED_AT", 3)
    with TrajectoryStore.open(store) as opened:
        assert len(opened) > 3
        asked: list[int] = []
        read = opened.provenance
        monkeypatch.setattr(opened, "provenance", lambda number: asked.append(number) or read(number))
        count, found = origins(opened)
        assert (count, found.total(), asked) == (3, 3, [0, len(opened) // 3, 2 * len(opened) // 3])


def test_an_empty_store(say, tmp_path: Path) -> None:
    TrajectoryStore.create(tmp_path / "empty").close()
    found = json.loads(say("inspect", tmp_path / "empty", "--json").out)
    assert (found["frames"], found["provenance"]) == (0, {"looked_at": 0, "origins": []})
    said = say("inspect", tmp_path / "empty", "--picture", tmp_path / "sheet.png")
    assert "got an empty store" in said.complaint()
    assert not (tmp_path / "sheet.png").exists()


def test_a_picture_of_a_store(say, store: Path, tmp_path: Path) -> None:
    assert say("inspect", store, "--picture", tmp_path / "new" / "sheet.png").code == 0
    picture = cv2.imread(str(tmp_path / "new" / "sheet.png"))
    height, width, _ = picture.shape
    assert width > 8 * 128 and height > 128  # eight frames in a row, enlarged
    assert picture.std() > 10


def test_pictures_are_of_stores_and_png(say, store: Path, run: Path, tmp_path: Path) -> None:
    assert "leave --picture out" in say("inspect", run, "--picture", tmp_path / "sheet.png").complaint()
    assert "expected --picture to name a .png file" in say("inspect", store, "--picture", "sheet.jpg").complaint()


def test_a_run_folder(say, run: Path, bytes_of) -> None:
    before = bytes_of(run)
    found = json.loads(say("inspect", run, "--json").out)
    assert (found["step"], found["environment"], found["model"]["filters"]) == (6, 0, [4, 4, 4, 4])
    (environment,) = found["environments"]
    assert (environment["steps"], environment["settled"], environment["used"], environment["masked"]) == (
        6,
        False,
        [],
        [],
    )
    for name, digest in found["files"].items():
        assert digest == hashlib.sha256(before[name]).hexdigest()
    assert found["bytes"] == sum(len(before[name]) for name in found["files"])
    (stretch,) = found["extra"]["pretraining"]
    assert (stretch["made"], stretch["config"]["updates"], stretch["rng"]) == (6, 6, None)
    assert bytes_of(run) == before


def test_a_run_folder_as_tables(say, run: Path) -> None:
    rows = dict(line.split("\t")[:2] for line in say("inspect", run).out.splitlines())
    assert rows["batches seen"] == "6"
    assert rows["network"] == "filters 4 4 4 4, 16 hidden units, 6 latents"
    assert rows["files"].endswith("all checksums right")
    assert rows["0"] == "6"


def test_an_agent(say, agent: Path) -> None:
    found = json.loads(say("inspect", agent, "--json").out)
    assert found["config"]["timesteps"] == 128
    assert found["extra"]["level"] == "perma/IndoorMaze-v0"
    rows = dict(line.split("\t") for line in say("inspect", agent).out.splitlines())
    assert rows["algorithm"] == "PPO, 128 steps on 2 copies, seed 0"
    assert rows["level"] == "perma/IndoorMaze-v0"


def test_what_is_none_of_these(say, tmp_path: Path) -> None:
    assert "got something else; check the path" in say("inspect", tmp_path).complaint()
    assert "got nothing there; check the path" in say("inspect", tmp_path / "nowhere").complaint()
    (tmp_path / "manifest.json").write_text('{"kind": "web app"}')
    assert "that is not of perma_agent" in say("inspect", tmp_path).complaint()


@pytest.mark.parametrize("name", ["model.safetensors", "learner.safetensors", "state.json", "config.json"])
def test_a_changed_byte_shows(say, run: Path, name: str) -> None:
    content = bytearray((run / name).read_bytes())
    content[len(content) // 2] ^= 1
    (run / name).write_bytes(content)
    assert f"expected {name} of {len(content)} bytes as it was saved" in say("inspect", run).complaint()
