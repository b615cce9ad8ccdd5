"""The study end to end: run, go on, restore, and summarise whatever is there."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import pytest

from perma_agent.errors import PermaAgentError, RunFolderError
from perma_agent.evaluation.cells import read_cells, write_cell
from perma_agent.evaluation.results import read_summary
from perma_agent.studies.transfer import PARTS, run, study, summarise
from perma_agent.studies.transfer.sample_efficiency import planning
from perma_agent.studies.transfer.study import TransferStudy

NAME = "sample-efficiency"


@pytest.fixture
def config(tiny_study, monkeypatch) -> TransferStudy:
    """The study with the tiny part as its smoke, in this process."""
    tiny = replace(tiny_study, arms=("nature", "vase"))
    monkeypatch.setattr(study, "PARTS", {NAME: replace(PARTS[NAME], presets={"smoke": tiny})})
    return TransferStudy(preset="smoke", part=NAME, processes=None)


def test_a_study_is_run_once_and_summarised_from_what_is_there(config, tmp_path, monkeypatch):
    run(config, tmp_path, only="oneroom-nature")
    assert {cell.arm for cell in read_cells(tmp_path)} == {f"{NAME}-oneroom-nature"}
    assert not (tmp_path / "pretrained").exists()  # NatureCNN needs no code
    assert read_summary_of(tmp_path)["steps_ratio_to_nature_return"].mean is None
    run(config, tmp_path)
    arms = {f"{NAME}-oneroom-{end}" for end in ("nature", "vase", "codes", "players")}
    assert {cell.arm for cell in read_cells(tmp_path)} == arms
    summary = read_summary_of(tmp_path)
    assert summary.preset == "smoke" and summary["vase_over_random"].mean is None
    assert summary["steps_ratio_to_nature_return"].mean is not None
    for file in ("report.html", "tables.md", "sample_efficiency_steps.png", "sample_efficiency_final.png"):
        assert (tmp_path / file).stat().st_size > 300
    monkeypatch.setattr(planning, "measure_policy", lambda *everything: pytest.fail("measured again"))
    before = {cell.arm: cell for cell in read_cells(tmp_path)}
    run(config, tmp_path)
    assert {cell.arm: cell for cell in read_cells(tmp_path)} == before


def read_summary_of(folder):
    assert summarise(folder) == read_summary(folder / "summary.json")
    return read_summary(folder / "summary.json")


@pytest.mark.slow
def test_codes_that_were_not_published_are_made_again_where_an_arm_needs_them(config, tmp_path):
    run(config, tmp_path)
    (tmp_path / "cells" / f"{NAME}-oneroom-vase_0.json").rename(tmp_path / "kept.json")
    shutil.rmtree(tmp_path / "pretrained")
    run(config, tmp_path)
    old = json.loads((tmp_path / "kept.json").read_text())
    new = json.loads((tmp_path / "cells" / f"{NAME}-oneroom-vase_0.json").read_text())
    assert old["series"]["returns"] == new["series"]["returns"]
    assert old["figures"]["final_return"] == new["figures"]["final_return"]


def test_cells_of_other_settings_are_refused(config, tmp_path, monkeypatch, tiny_study):
    run(config, tmp_path, only="oneroom-nature")
    more = replace(tiny_study, episodes=3)
    monkeypatch.setattr(study, "PARTS", {NAME: replace(PARTS[NAME], presets={"smoke": more})})
    with pytest.raises(RunFolderError, match="got others for episodes"):
        run(config, tmp_path)


def test_made_up_cells_of_some_arms_are_summarised(make_cell, tmp_path):
    for seed in range(2):
        write_cell(tmp_path, make_cell("nature", seed, [0.0, 1.0, 2.0]))
    summary = read_summary_of(tmp_path)
    assert summary["forage_nature_final_return"].mean == 2.0
    assert (tmp_path / "report.html").exists() and summary.command == "perma-agent study transfer --preset smoke"


def test_an_unknown_part_is_refused():
    with pytest.raises(PermaAgentError, match=r"^expected one of the parts sample-efficiency, got 'far'$"):
        _ = TransferStudy(preset="smoke", part="far").chosen
