"""The doctor finds what is missing, says what to do, and survives what it examines."""

from __future__ import annotations

import base64
import json
import os
import pickle
import tomllib
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any

import pytest

from perma_agent.cli import doctor
from perma_agent.cli.doctor import (
    Check,
    Config,
    disk_space,
    draw_a_frame,
    examine,
    in_another_process,
    run,
    write_and_read,
)


def _crash() -> str:
    os.abort()


def _answer() -> str:
    return str(os.getpid())


def test_this_machine_is_healthy(tmp_path: Path) -> None:
    checks = {check.name: check for check in examine(tmp_path)}
    assert {name: check for name, check in checks.items() if check.state == "missing"} == {}
    assert "OpenGL" in checks["OpenGL/EGL, a frame"].found
    assert checks["store on Lance"].found.endswith("wrote and read")


def test_what_is_missing_gives_exit_code_1_and_advice(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    missing = Check(name="OpenGL", state="missing", found="no libEGL", advice="apt-get install libegl1")
    monkeypatch.setattr(doctor, "examine", lambda folder: iter([missing]))
    assert run(Config()) == 1
    assert "OpenGL\tmissing\tno libEGL\tapt-get install libegl1" in capsys.readouterr().out
    assert run(Config(json=True)) == 1
    assert json.loads(capsys.readouterr().out)["ok"] is False


def test_what_is_optional_does_not_matter(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(doctor, "examine", lambda folder: iter([Check(name="x", state="optional", found="no")]))
    assert run(Config(json=True)) == 0
    assert json.loads(capsys.readouterr().out) == {
        "ok": True,
        "checks": [{"name": "x", "state": "optional", "found": "no", "advice": ""}],
    }


def test_an_engine_that_fails_is_reported_with_its_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def fail(task: object) -> str:
        raise RuntimeError("no EGL here")

    monkeypatch.setattr(doctor, "in_another_process", fail)
    (check,) = [check for check in examine(tmp_path) if check.name.startswith("OpenGL")]
    assert check.state == "missing"
    assert check.found == "RuntimeError: no EGL here"
    assert "libegl1" in check.advice


def test_a_crash_takes_only_its_own_process() -> None:
    assert in_another_process(_answer) != str(os.getpid())
    with pytest.raises(BrokenProcessPool):
        in_another_process(_crash)


def test_probes_do_what_they_say() -> None:
    assert "OpenGL" in draw_a_frame()
    assert "wrote and read" in write_and_read()


def test_a_full_disk_is_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    folder = tmp_path / "not" / "yet"
    assert disk_space(folder).state == "ok"
    monkeypatch.setattr(doctor, "FREE_GIGABYTES", 1e9)
    assert disk_space(folder).state == "missing"
    assert "free 1e+09 GB" in disk_space(folder).advice


def test_every_extra_is_examined(root: Path) -> None:
    extras = tomllib.loads((root / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert set(doctor.EXTRAS) == set(extras) - {"dev"}


def test_a_zip_from_somebody_else_is_examined_and_the_exit_code_tells(say: Callable[..., Any], tmp_path: Path) -> None:
    clean, foreign = tmp_path / "clean.zip", tmp_path / "foreign.zip"
    for path, value in ((clean, OrderedDict(a=1)), (foreign, os.system)):
        text = base64.b64encode(pickle.dumps(value)).decode()
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("data", json.dumps({"lr_schedule": {":serialized:": text}}))
    said = say("doctor", clean)
    assert said.code == 0
    assert "data: lr_schedule\tharmless\tcollections.OrderedDict" in said.out
    said = say("doctor", foreign)
    assert said.code == 1
    assert "data: lr_schedule\tSUSPICIOUS\tposix.system\timported" in said.out
    said = say("doctor", foreign, "--json")
    told = json.loads(said.out)
    assert (said.code, told["ok"], told["verdict"]) == (1, False, "suspicious")
    assert told["items"][1]["findings"][0]["name"] == "posix.system"


def test_what_is_no_zip_is_refused_in_one_sentence(say: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "agent.zip").write_text("no zip")
    assert say("doctor", tmp_path / "agent.zip").complaint().startswith("expected a zip that SB3 saved, got something")
