"""A folder of pictures in the study of lives: which cells it adds, that others stay as they are, and that they run."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from perma_agent.data import ImageFolder
from perma_agent.errors import DataError
from perma_agent.evaluation.cells import read_cells
from perma_agent.evaluation.probes import ProbeConfig
from perma_agent.studies.continual import PRESETS, plan, run, summarise
from perma_agent.studies.continual.presets import ContinualConfig


def smallest(path: Path, *, name: str = "folder") -> ContinualConfig:
    """The smoke preset at a tenth of its length, with a folder."""
    smoke = PRESETS["smoke"]
    life = replace(
        smoke.lives["three"],
        sequence=replace(smoke.lives["three"].sequence, steps=(12, 8, 8)),
        every=20,
        learn_probes_on=40,
        test_probes_on=30,
        probe=ProbeConfig(hidden=(8,), epochs=2),
    )
    return replace(smoke, lives={"three": life}, factors=None, folders=(ImageFolder(name, path),))


def fill(folder: Path, *, count: int = 10, seed: int = 0) -> None:
    """Small colour pictures of blobs, which are not square."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    for number in range(count):
        coarse = rng.integers(0, 256, (4, 5, 3), dtype=np.uint8)
        cv2.imwrite(str(folder / f"{number:02d}.png"), cv2.resize(coarse, (50, 40)))


@pytest.mark.parametrize("preset", ["smoke", "bench", "paper"])
def test_a_folder_adds_cells_and_changes_no_other(preset: str, tmp_path: Path) -> None:
    fill(tmp_path)
    config = PRESETS[preset]
    without = {(cell.arm, cell.seed): cell.settings for cell in plan(config)}
    with_folder = {
        (cell.arm, cell.seed): cell.settings
        for cell in plan(replace(config, folders=(ImageFolder("faces", tmp_path),)))
    }
    added = with_folder.keys() - without.keys()
    assert {key: with_folder[key] for key in without} == without
    assert not any(arm.startswith("images-") for arm, _ in without)
    first, second = (name.replace("-", "_") for name in config.mixed)
    seeds = (0,) if preset == "smoke" else (0, 1, 2)
    assert added == {
        (f"images-{pair}-{kind}", seed)
        for pair in (f"faces_{second}", f"{first}_faces")
        for kind in ("sda", "ambiguity")
        for seed in seeds
    }


def test_the_papers_order_is_pictures_then_inverse_fashion(tmp_path: Path) -> None:
    fill(tmp_path)
    cells = {cell.arm: cell for cell in plan(replace(PRESETS["paper"], folders=(ImageFolder("celeba", tmp_path),)))}
    settings = cells["images-celeba_inverse_fashion-sda"].settings
    assert settings["sequence"]["worlds"] == ["celeba", "inverse-fashion"]
    assert settings["sequence"]["steps"] == [28_000, 19_000]
    assert settings["sequence"]["classified"] == ["inverse-fashion"]  # the pictures have no classes
    assert cells["images-mnist_celeba-sda"].settings["sequence"]["worlds"] == ["mnist", "celeba"]
    assert cells["images-mnist_celeba-ambiguity"].settings["life"] == "images-mnist_celeba-sda"


def test_folders_inside_are_told_apart_by_a_probe(tmp_path: Path) -> None:
    fill(tmp_path / "cats")
    fill(tmp_path / "dogs", seed=1)
    cells = {cell.arm: cell for cell in plan(smallest(tmp_path))}
    assert cells["images-folder_inverse_digits-sda"].settings["sequence"]["classified"] == ["folder", "inverse-digits"]
    assert cells["images-folder_inverse_digits-sda"].settings["images"]["folder"]["classes"] == 2


def test_other_pictures_are_other_settings_and_another_place_is_not(tmp_path: Path) -> None:
    def settings(path: Path) -> str:
        found = {cell.arm: cell.settings for cell in plan(smallest(path))}["images-folder_inverse_digits-ambiguity"]
        return json.dumps(dict(found))

    fill(tmp_path / "here")
    before = settings(tmp_path / "here")
    assert str(tmp_path) not in before and '"pictures": 10' in before
    (tmp_path / "here").rename(tmp_path / "there")
    assert settings(tmp_path / "there") == before
    fill(tmp_path / "there", count=11)
    assert settings(tmp_path / "there") != before


def test_folders_that_cannot_be_are_told_before_anything_runs(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"^expected a folder of pictures at .*missing, got none; check the path$"):
        run(smallest(tmp_path / "missing"), tmp_path / "results")
    fill(tmp_path / "a")
    twice = replace(smallest(tmp_path / "a"), folders=(ImageFolder("folder", tmp_path / "a"),) * 2)
    with pytest.raises(DataError) as caught:
        run(twice, tmp_path / "results")
    assert str(caught.value) == (
        "expected a name of its own for each folder of pictures, got folder, folder; give NAME=DIR"
    )
    assert not (tmp_path / "results").exists()


def test_its_worlds_are_lived_in_and_their_mixtures_looked_at(tmp_path: Path) -> None:
    fill(tmp_path / "pictures" / "cats")
    fill(tmp_path / "pictures" / "dogs", seed=1)
    cells = {cell.arm: cell for cell in plan(smallest(tmp_path / "pictures"), tmp_path / "results")}
    for pair in (("folder", "inverse-digits"), ("digits", "folder")):
        arm = f"images-{'_'.join(pair).replace('-', '_')}"
        life = cells[f"{arm}-sda"].measure(lambda work: None)
        assert 0 <= life.figures["accuracy/folder/best"] <= 1  # type: ignore[operator]  # it was measured
        assert [(world["name"], world["start"]) for world in life.series["worlds"]] == [(pair[0], 1), (pair[1], 13)]
        asked: list[float] = []
        look = cells[f"{arm}-ambiguity"].measure(asked.append)
        assert asked == [1.0]  # the learner that lived was kept
        assert "ambiguity_centre" in look.figures  # without a value: so short a life tells no environments apart
        assert pair[1] in look.series["ambiguity"]["note"]


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_its_cells_run_alone_and_are_summed_up(tmp_path: Path) -> None:
    fill(tmp_path / "pictures")
    results = tmp_path / "results"
    run(smallest(tmp_path / "pictures"), results, only="images-folder")
    arms = {cell.arm for cell in read_cells(results)}
    assert arms == {"images-folder_inverse_digits-sda", "images-folder_inverse_digits-ambiguity"}
    summary = summarise(results)
    assert summary["images_folder_inverse_digits_sda_accuracy_mean_best"].n == 1
    page = (results / "report.html").read_text()
    assert "Nothing to show of images-folder_inverse_digits-ambiguity" in page and str(tmp_path) not in page
