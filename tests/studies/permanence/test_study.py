"""The study end to end: weights are chosen, arms are run, and what was measured is neither run again nor changed."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from perma_agent.errors import RunFolderError
from perma_agent.evaluation.cells import read_cells
from perma_agent.evaluation.disentanglement import Settings
from perma_agent.evaluation.results import read_summary
from perma_agent.studies.permanence import PRESETS, examination, plan, run, summarise
from perma_agent.studies.permanence.arms import ARMS
from perma_agent.studies.permanence.config import Comparison
from perma_agent.studies.permanence.presets import PermanenceStudy


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cells are measured in this process, which spares the start of others, and by small readers."""
    from perma_agent.studies.cell_runs import run_cells

    def one_after_another(*arguments: object, **options: object) -> None:
        run_cells(*arguments, **{**options, "processes": None})  # type: ignore[arg-type]

    monkeypatch.setattr("perma_agent.studies.permanence.study.run_cells", one_after_another)
    monkeypatch.setattr(examination, "SETTINGS", Settings(boosting_trees=3, train_groups=50, test_groups=50))


def config_of(comparison: Comparison, **changes: object) -> PermanenceStudy:
    return PermanenceStudy(preset="test", comparisons={"sprites": replace(comparison, **changes)})


def numbers(folder: Path) -> dict[str, object]:
    """What the cells hold, but for times."""
    found = {}
    for path in sorted((folder / "cells").glob("*.json")):
        document = json.loads(path.read_text())
        document.pop("seconds")
        document["figures"].pop("metrics_seconds", None)
        found[path.name] = document
    return found


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_a_run_that_is_cut_short_goes_on_gives_the_same_cells_and_is_summed_up(here, comparison, tmp_path):
    config = config_of(comparison)
    parts, whole = tmp_path / "parts", tmp_path / "whole"
    run(config, parts, only="sprites-tune")
    arms = {cell.arm for cell in read_cells(parts)}
    assert arms == {f"sprites-tune-none-{weight:g}" for weight in ARMS["none"].weights}
    first = (parts / "cells" / "sprites-tune-none-1_100.json").read_bytes()
    run(config, parts)
    assert (parts / "cells" / "sprites-tune-none-1_100.json").read_bytes() == first
    run(config, whole, only="sprites-none")
    again = numbers(parts)
    assert numbers(whole) == {name: cell for name, cell in again.items() if "pcl" not in name}
    assert {(cell.arm, cell.seed) for cell in plan(config, parts)} == {
        (cell.arm, cell.seed) for cell in read_cells(parts)
    }
    summary = summarise(parts)
    assert read_summary(parts / "summary.json") == summary and summary["sprites_pcl_mcc_spearman"].n == 1
    names = {path.name for path in parts.iterdir() if path.is_file()}
    assert {"summary.json", "report.html", "tables.md", "sprites_scores.png", "sprites_changes.png"} <= names
    with pytest.raises(RunFolderError, match="present settings"):
        run(config_of(comparison, warm_up=2, looks=1), parts)


def test_only_runs_what_it_names_and_what_that_needs(comparison, tmp_path, monkeypatch):
    asked: list[list[str]] = []
    monkeypatch.setattr(
        "perma_agent.studies.permanence.study.run_cells",
        lambda study, folder, cells, **_: asked.append([cell.arm for cell in cells]),
    )
    run(config_of(comparison), tmp_path, only="sprites-pcl")
    run(config_of(comparison), tmp_path, only="sprites-none")
    tuning = [f"sprites-tune-none-{weight:g}" for weight in ARMS["none"].weights]
    assert asked == [[], ["sprites-pcl"], tuning, []]


def test_presets_have_their_names_and_bench_the_bars_grounds():
    assert {name: preset.preset for name, preset in PRESETS.items()} == {name: name for name in PRESETS}
    assert {"sprites", "miniworld"} <= set(PRESETS["bench"].comparisons)
