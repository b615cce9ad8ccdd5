"""The verb `study`: which study, which preset, which folder, and what it answers."""

from __future__ import annotations

import importlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from perma_agent.cli import study
from perma_agent.cli.main import main
from perma_agent.data import ImageFolder
from perma_agent.evaluation.results import Row, Summary
from perma_agent.evaluation.statistics import Estimate


@dataclass(frozen=True)
class Resources:
    """What a preset takes from the machine."""

    data: Path | None = None
    processes: int = 1
    folders: tuple[ImageFolder, ...] = ()


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Path, str | None]]:
    """A study `levels` that only notes what it was asked for."""
    calls: list[tuple[str, Path, str | None]] = []
    rows = (Row.of("reach", Estimate.exact(2.5), goal=">= 3"), Row.not_measured("depth", why="not yet"))
    double = SimpleNamespace(
        PRESETS={"smoke": "little", "bench": "much"},
        run=lambda config, folder, *, only, progress: calls.append((config, folder, only)),
        summarise=lambda folder: Summary(study="levels", preset="smoke", command="x", rows=rows),
    )
    monkeypatch.setattr(study, "importlib", SimpleNamespace(import_module=lambda name: double))
    return calls


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([], ("little", Path("runs/studies/levels-smoke"), None)),
        (["--preset", "bench"], ("much", Path("benchmarks/results/levels"), None)),
        (["--folder", "here", "--only", "kills"], ("little", Path("here"), "kills")),
    ],
)
def test_what_is_run_and_where_it_goes(ran: Any, arguments: list[str], expected: tuple[Any, ...]) -> None:
    assert main(["study", "levels", *arguments]) == 0
    assert ran == [expected]


def test_summarising_measures_nothing(ran: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["study", "levels", "--summarise", "--json"]) == 0
    assert ran == []
    shown = json.loads(capsys.readouterr().out)
    assert [row["id"] for row in shown["rows"]] == ["reach", "depth"]


def test_table(ran: Any, capsys: pytest.CaptureFixture[str]) -> None:
    main(["study", "levels"])
    lines = [line.split("\t") for line in capsys.readouterr().out.splitlines()]
    assert lines[1] == ["reach", "2.5", "2.5 to 2.5", "1", "", ">= 3", "missed", ""]
    assert lines[2][:2] == ["depth", "-"] and lines[2][-1] == "not yet"


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["heights"], "expected one of the studies " + ", ".join(study.STUDIES) + ", got 'heights'"),
        (["levels", "--preset", "huge"], "expected one of the presets smoke, bench, got 'huge'"),
        (["levels", "--levels"], "--levels with the study throughput only"),
        (["levels", "--summarise", "--folder", "nowhere"], "expected cells in"),
        (["levels", "--data", "x"], f"--data with the studies {', '.join(study.WITH_IMAGES)} only, got it with levels"),
        (["levels", "--part", "x"], "expected --part with the study transfer only, got it with levels"),
        (["transfer", "--part", "x"], "expected one of the parts sample-efficiency, got 'x'"),
        (
            ["levels", "--processes", "2"],
            f"--processes with the studies {', '.join(study.SIDE_BY_SIDE)} only, got it with levels",
        ),
        (["permanence", "--images", "dir"], "--images with the study continual only, got it with permanence"),
        (["continual", "--images", "none"], "expected a folder of pictures at none, got none; check the path"),
        (["continual", "--images", "a=."], "expected at least 5 PNG or JPEG pictures of a class in . or in folders"),
        (["continual", "--images", "mnist=."], "none of digits, fashion, mnist, got 'mnist'; choose another"),
        (["continual", "--processes", "0"], "expected at least one process, got --processes 0"),
        (["continual", "--preset", "bench", "--data", "nowhere"], "expected "),
    ],
)
def test_what_cannot_be_is_one_sentence(
    arguments: list[str], complaint: str, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["study", *arguments]) == 2
    said = capsys.readouterr().err
    assert complaint in said.replace("the the", "the") and said.count("\n") == 1


@pytest.mark.parametrize("name", sorted(study.STUDIES))
def test_every_study_has_what_the_verb_asks_of_it(name: str) -> None:
    module = importlib.import_module(study.STUDIES[name])
    assert {"smoke", "bench"} <= set(module.PRESETS)
    assert callable(module.run) and callable(module.summarise)
    cells = [(cell.arm, cell.seed) for cell in module.plan(module.PRESETS["bench"])]
    assert len(cells) == len(set(cells))


@pytest.mark.parametrize(
    ("arguments", "data", "processes"),
    [
        (["continual"], None, os.cpu_count()),
        (["continual", "--data", "images", "--processes", "3"], Path("images"), 3),
        (["permanence", "--data", "images", "--processes", "3"], Path("images"), 3),
    ],
)
def test_what_a_machine_has_goes_to_the_studies_whose_cells_run_side_by_side(
    monkeypatch: pytest.MonkeyPatch, arguments: list[str], data: Path | None, processes: int
) -> None:
    asked: list[Any] = []
    double = SimpleNamespace(
        PRESETS={"smoke": Resources()},
        run=lambda config, folder, *, only, progress: asked.append(config),
        summarise=lambda folder: Summary(study="continual", preset="smoke", command="x", rows=()),
    )
    monkeypatch.setattr(study, "importlib", SimpleNamespace(import_module=lambda name: double))
    assert main(["study", *arguments]) == 0
    assert asked == [Resources(data=data, processes=processes)]


def test_folders_of_pictures_go_to_the_study_of_lives(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []
    double = SimpleNamespace(
        PRESETS={"smoke": Resources()},
        run=lambda config, folder, *, only, progress: asked.append((config.folders, only)),
        summarise=lambda folder: Summary(study="continual", preset="smoke", command="x", rows=()),
    )
    monkeypatch.setattr(study, "importlib", SimpleNamespace(import_module=lambda name: double))
    arguments = ["--images", "pictures", "--images", "faces=celeba/images", "--only", "images"]
    assert main(["study", "continual", *arguments]) == 0
    folders = (ImageFolder("folder", Path("pictures")), ImageFolder("faces", Path("celeba/images")))
    assert asked == [(folders, "images")]
