"""The study as a whole: which cells it plans, and a run of it at its smallest, cut short and gone on with."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from perma_agent.errors import DataError, RunFolderError
from perma_agent.evaluation.cells import read_cells
from perma_agent.evaluation.probes import ProbeConfig
from perma_agent.evaluation.results import read_summary
from perma_agent.studies.continual import PRESETS, run, summarise
from perma_agent.studies.continual.looks import LOOKS
from perma_agent.studies.continual.presets import ContinualConfig
from perma_agent.studies.continual.study import plan


def smallest() -> ContinualConfig:
    """The smoke preset at a tenth of its length."""
    smoke = PRESETS["smoke"]
    life = smoke.lives["three"]
    small = replace(
        life,
        sequence=replace(life.sequence, steps=(12, 8, 8)),
        every=8,
        learn_probes_on=40,
        test_probes_on=30,
        probe=ProbeConfig(hidden=(8,), epochs=2),
    )
    return replace(smoke, lives={"three": small}, factors=None)


def test_bench_has_every_cell_of_the_issue() -> None:
    cells = {(cell.arm, cell.seed) for cell in plan(PRESETS["bench"], Path("nowhere"))}
    for arm in ("sda", "sd", "a", "s", "d", "none", "sda-entangled", "none-entangled"):
        assert {(f"three-{arm}", seed) for seed in range(3)} <= cells
    for sequence in ("three", "five", "return"):  # ten seeds each, of which some may live short lives
        assert {seed for arm, seed in cells if arm in (f"{sequence}-sda", f"{sequence}_short-sda")} == set(range(10))
    assert {arm for arm, _ in cells} >= set(LOOKS)


@pytest.mark.parametrize("preset", ["smoke", "bench", "paper"])
def test_cells_are_planned_once_seed_by_seed_and_say_all_that_they_depend_on(preset: str) -> None:
    config = replace(PRESETS[preset], data=Path("somewhere"), processes=7)
    cells = plan(config, Path("nowhere"))
    keys = [(cell.arm, cell.seed) for cell in cells]
    assert len(set(keys)) == len(keys)
    lives = [cell for cell in cells if cell.arm not in LOOKS]
    assert [cell.seed for cell in lives] == sorted(cell.seed for cell in lives)
    for cell in cells:
        text = json.dumps(dict(cell.settings))
        assert cell.settings["preset"] == preset and "somewhere" not in text and "nowhere" not in text


def test_paper_has_the_papers_sizes() -> None:
    life = PRESETS["paper"].lives["three"]
    assert (life.model.image_size, life.model.filters, life.model.latents, life.batch) == (
        64,
        (64, 64, 128, 128),
        24,
        64,
    )
    assert life.sequence.worlds == ("moving-fashion", "mnist", "moving-mnist")


@pytest.mark.timeout(240)
def test_a_run_that_is_cut_short_goes_on_and_is_summed_up(tmp_path: Path) -> None:
    config = smallest()
    run(config, tmp_path, only="three-sda")
    first = (tmp_path / "cells" / "three-sda_0.json").read_bytes()
    run(config, tmp_path)
    assert (tmp_path / "cells" / "three-sda_0.json").read_bytes() == first
    arms = {cell.arm for cell in read_cells(tmp_path)}
    assert {"three-sda", "three-none", "traversals-three-sda"} <= arms
    summary = summarise(tmp_path)
    assert read_summary(tmp_path / "summary.json") == summary
    assert summary["sda_change_accuracy"].n == 1 and summary["inference_right_of_30"].met is False
    page = (tmp_path / "report.html").read_text()
    assert "sda_change_accuracy" in page and str(tmp_path) not in page
    other = replace(config, lives={"three": replace(config.lives["three"], every=9)})
    with pytest.raises(RunFolderError, match="present settings"):
        run(other, tmp_path)


def test_missing_images_are_told_at_once(tmp_path: Path) -> None:
    config = replace(PRESETS["bench"], data=tmp_path)
    with pytest.raises(DataError, match=r"^expected "):
        run(config, tmp_path / "results")
    assert not (tmp_path / "results").exists()


@pytest.mark.parametrize("only", ["factors-nothing-of-that-name", "factors"])
def test_images_are_asked_of_none_who_needs_none(tmp_path: Path, only: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[list[str]] = []
    monkeypatch.setattr(
        "perma_agent.studies.continual.study.run_cells",
        lambda study, folder, cells, **_: asked.append([cell.arm for cell in cells]),
    )
    run(replace(PRESETS["bench"], data=tmp_path), tmp_path / "results", only=only)
    assert all(arm.startswith("factors") for arm in asked[0]) and asked[1] == []
