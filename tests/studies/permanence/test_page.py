"""The page is made of whatever cells there are: each has its figure, each figure is in the page, nothing else is."""

import base64
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from perma_agent.continual import LearnerConfig
from perma_agent.evaluation.cells import Cell
from perma_agent.evaluation.machine import Machine
from perma_agent.evaluation.report.tiles import tiles_to_text
from perma_agent.evaluation.results import Summary
from perma_agent.evaluation.traversals import TRAVERSED
from perma_agent.studies.continual.presets import PRESETS as LIVES
from perma_agent.studies.permanence.arms import ARMS
from perma_agent.studies.permanence.page import write_figures
from perma_agent.studies.permanence.page_arms import arms_on, grounds_of, tried_on
from perma_agent.studies.permanence.page_cases import world_and_arm
from perma_agent.studies.permanence.page_scores import draw_weights
from perma_agent.studies.permanence.page_table import tables
from perma_agent.studies.permanence.page_vase import vase
from perma_agent.studies.permanence.rows import rows_of
from perma_agent.studies.permanence.vase import DEFAULT, VASEStudy

MACHINE = Machine(cpu="invented", cores=2, torch="0", accelerator=None)
FACTORS = ("x", "y", "shape", "size", "hue")
LATENTS = 10
SCORES = (
    *(f"dci_{part}" for part in ("disentanglement", "completeness", "informativeness")),
    "dci_forest_disentanglement",
    *("mcc_spearman", "mcc_pearson", "mig", "mig_sup", "sap", "factor_vae", "beta_vae", "modularity", "explicitness"),
    *("permanence", "permanence_of_noise", "slowness", "gini_of_change"),
)
SPRITES = {f"sprites_{name}" for name in ("scores", "curves", "weights", "changes", "correlations", "traversals")}


def cell(arm: str, seed: int, *, figures: Any = None, series: Any = None) -> Cell:
    return Cell(
        study="permanence",
        arm=arm,
        seed=seed,
        settings={"preset": "bench"},
        figures=figures or {},
        series=series or {},
        seconds=200.0,
        commit="0000000",
        machine=MACHINE,
    )


def learnt(ground: str, arm: str, seed: int, *, skill: float, weight: float = 1.0) -> Cell:
    """An arm whose code knows more of the factors the greater its skill; on rollouts nothing moves alone."""
    rng = np.random.default_rng([seed, len(arm), round(100 * skill)])
    used = 7 if skill > 0.3 else 4
    information = np.where(np.arange(LATENTS) < used, 0.5 + 3 * rng.random(LATENTS), 0.01)
    rng.shuffle(information)
    moved = rng.random((len(FACTORS), LATENTS)) * (1 - skill) * (information > 0.1)
    moved[np.arange(len(FACTORS)), np.argsort(-information)[: len(FACTORS)]] += skill
    looks = np.array([1_250, 2_500, 3_750, 5_000])
    series: dict[str, Any] = {
        "factors": list(FACTORS),
        "information": information.round(3).tolist(),
        "correlation": (moved.T * rng.choice([-1, 1], moved.T.shape)).clip(-1, 1).round(3).tolist(),
        "importance": moved.T.round(3).tolist(),
        "moved": moved.round(3).tolist() if ground == "sprites" else [],
        "looks": {
            "step": looks.tolist(),
            "mcc": (0.2 + skill * (1 - np.exp(-looks / 2_000)) + 0.02 * seed).tolist(),
            "dci_forest": (skill * (1 - np.exp(-looks / 3_000)) + 0.01 * seed).tolist(),
        },
    }
    if arm != "pcl":
        series |= sheet(LATENTS, len(TRAVERSED))
    figures = {
        name: float(skill * (0.8 + 0.2 * place / len(SCORES)) + 0.03 * rng.random())
        for place, name in enumerate(SCORES)
    }
    figures |= {"weight": weight, "active_units": float(used), "loss/reconstruction": 90.0, "metrics_seconds": 30.0}
    return cell(f"{ground}-{arm}", seed, figures=figures, series=series)


def sheet(rows: int, columns: int, *, canvas: int = 32) -> dict[str, Any]:
    """Coloured squares that walk to the right with the column."""
    frames = np.zeros((rows, columns, 3, canvas, canvas), dtype=np.uint8)
    for row in range(rows):
        for column in range(columns):
            left = (3 * column + row) % (canvas - 8)
            frames[row, column, row % 3, 10:18, left : left + 8] = 255
    return {"sheet": tiles_to_text(frames), "sheet_rows": rows, "sheet_columns": columns}


def tried(ground: str, arm: str, seeds: Sequence[int] = (100, 101)) -> list[Cell]:
    """Every weight of an arm; the second does best."""
    return [
        cell(
            f"{ground}-tune-{arm}-{weight:g}",
            seed,
            figures={"weight": weight, "dci_forest": 0.2 - 0.05 * abs(place - 1), "mcc": 0.4 + 0.01 * (seed - 100)},
        )
        for place, weight in enumerate(ARMS[arm].weights)
        for seed in seeds
    ]


def lived(weight: float, seed: int) -> Cell:
    return cell(
        f"vase-{weight:g}",
        seed,
        figures={
            "accuracy/mean/best": 0.76,
            "accuracy/mean/final_less_best": -0.02 + 0.001 * seed,
            "position_mse/mean/best": 1e-3,
            "position_mse/mean/final_less_best": 1e-4 * (1 + seed),
            "homology/score": 0.6 + 0.05 * weight + 0.01 * seed,
            "homology/same_latent": 1.0,
            "homology/code_reading": 0.9,
            "latents/used": 9.0,
            "latents/moving-mnist": 7.0,
            "inference/right": 1.0,
        },
    )


def case(world: str, arm: str, seed: int) -> Cell:
    figures = {"weight": 5.0, "inside": 0.9 - 0.1 * seed, "outside": 0.1, "latents": 4.0, "met": 1.0}
    persistence = {
        "persistence/seen": 0.9,
        "persistence/hidden": 0.6,
        "persistence/same": 0.5,
        "persistence/chance": 0.2,
    }
    return cell(f"case-{world}-{arm}", seed, figures={**figures, **(persistence if "memory" in arm else {})})


def complete() -> list[Cell]:
    skills = {"none": 0.15, "l1": 0.35, "l2": 0.2, "slowvae": 0.5, "ada-gvae": 0.4, "pcl": 0.45, "p_b": 0.42}
    skills |= {"direction": 0.6}
    return [
        *(learnt("sprites", arm, seed, skill=skill) for arm, skill in skills.items() for seed in (0, 1)),
        *(learnt("miniworld", arm, seed, skill=skills[arm] / 2) for arm in ("none", "direction") for seed in (0, 1)),
        *(one for arm in skills if arm != "pcl" for one in tried("sprites", arm)),
        *tried("miniworld", "direction"),
        *(case("bounce", arm, seed) for arm in ("none", "direction", "jepa-direction") for seed in (0, 1, 2)),
        *(case("hidden", arm, seed) for arm in ("memory", "memory-direction") for seed in (0, 1, 2)),
        *(lived(weight, seed) for weight in (0.0, 1.0, 5.0) for seed in (0, 1, 2)),
    ]


def summary_of(cells: Sequence[Cell]) -> Summary:
    return Summary(
        study="permanence",
        preset="bench",
        command="perma-agent study permanence --preset bench",
        rows=tuple(rows_of(cells)),
        commit="0000000",
        machine=MACHINE,
        date="2026-01-01T00:00:00+00:00",
    )


def published(cells: Sequence[Cell], folder: Path) -> tuple[dict[str, bytes], str]:
    """The figures by name, and the page."""
    write_figures(cells, summary_of(cells), folder)
    page = (folder / "report.html").read_text(encoding="utf-8")
    return {path.stem: path.read_bytes() for path in folder.glob("*.png")}, page


def shown(page: str) -> list[bytes]:
    return [base64.b64decode(text) for text in re.findall(r"data:image/png;base64,([A-Za-z0-9+/=]+)", page)]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, bytes], str, Path]:
    folder = tmp_path_factory.mktemp("whole")
    return *published(complete(), folder), folder


def test_every_figure_is_a_file_and_on_the_page(whole: tuple[dict[str, bytes], str, Path]) -> None:
    figures, page, folder = whole
    rollouts = {name.replace("sprites", "miniworld") for name in SPRITES} - {"miniworld_changes"}
    assert set(figures) == SPRITES | rollouts | {"cases", "vase"}
    assert sorted(shown(page)) == sorted(figures.values())
    assert {path.suffix for path in folder.iterdir()} == {".png", ".html", ".md"}  # nothing temporary is left


def test_the_page_needs_nothing_else_and_names_no_place(whole: tuple[dict[str, bytes], str, Path]) -> None:
    _, page, folder = whole
    text = re.sub(r"base64,[A-Za-z0-9+/=]+", "", page)
    assert str(folder) not in text and str(Path.home()) not in text and str(Path.cwd()) not in text
    assert "://" not in text and "<script" not in text
    assert "nan" not in re.findall(r">([^<]*)<", text)
    assert "perma-agent study permanence --preset bench --summarise" in text


def test_tables_stand_in_markdown(whole: tuple[dict[str, bytes], str, Path]) -> None:
    text = (whole[2] / "tables.md").read_text(encoding="utf-8")
    assert text.startswith("# Tables, made by `perma-agent study permanence --preset bench --summarise`\n")
    headings = [line for line in text.splitlines() if line.startswith("## ")]
    assert len(headings) == 4 and len(set(headings)) == 4
    assert sum(line.startswith("| P₀ by direction |") for line in text.splitlines()) == 6


@pytest.mark.parametrize(
    ("cells", "names"),
    [
        (tried("sprites", "l1"), {"sprites_weights"}),
        ([cell("sprites-tune-l1-3", 100, figures={"weight": 3.0, "dci_forest": 0.1, "mcc": 0.2})], {"sprites_weights"}),
        ([cell("sprites-l1", 0, figures={"mcc_spearman": 0.4, "weight": 1.0})], {"sprites_scores"}),
        ([cell("sprites-l1", 0, figures={"loss/reconstruction": 90.0})], set()),
        ([cell("sprites-nobody", 0, figures={"mcc_spearman": 0.4})], set()),
        ([learnt("sprites", "pcl", 3, skill=0.4)], SPRITES - {"sprites_weights", "sprites_traversals"}),
        ([case("bounce", "direction", 0)], {"cases"}),
        ([cell("case-bounce-tune-direction-5", 100, figures={"weight": 5.0, "dci_forest": 0.1, "mcc": 0.2})], set()),
        ([cell("case-hidden-memory", 0, figures={"persistence/seen": 0.9})], set()),
        ([lived(0.0, 0)], {"vase"}),
        ([cell("vase-5", 0, figures={"latents/used": 9.0})], set()),
        ([cell("vase-tune-5", 100, figures={"homology/score": 0.9})], set()),
    ],
)
def test_any_cell_alone(cells: list[Cell], names: set[str], tmp_path: Path) -> None:
    (tmp_path / "sprites_scores.png").write_bytes(b"of an earlier summary")
    figures, page = published(cells, tmp_path)
    if "sprites_scores" not in names:
        assert figures.pop("sprites_scores") == b"of an earlier summary"
    assert set(figures) == names
    assert sorted(shown(page)) == sorted(figures.values())


def test_the_same_cells_give_the_same_bytes(tmp_path: Path) -> None:
    cells = [learnt("sprites", arm, seed, skill=0.4) for arm in ("l1", "none") for seed in (0, 1)]
    first = published(cells, tmp_path / "a")
    assert first == published(list(reversed(cells)), tmp_path / "b")  # in whatever order they are read


def test_tables_hold_means_intervals_weights_and_the_best_by_hand() -> None:
    def of(arm: str, *dci: float) -> list[Cell]:
        figures = ({"dci_disentanglement": value, "weight": 3.0, "active_units": 7.0} for value in dci)
        return [cell(f"sprites-{arm}", seed, figures=own) for seed, own in enumerate(figures)]

    scores, change = tables(arms_on([*of("none", 0.1, 0.2), *of("l1", 0.3)], "sprites"))
    assert scores.header == ("arm", "seeds", "weight", "DCI disentanglement")  # and nothing that no cell has
    assert [tuple(row) for row in scores.rows] == [
        ("β-VAE", 2, "3", "0.150 (0.100 to 0.200)"),
        ("L1", 1, "3", "0.300 ★"),
    ]
    assert change.header == ("arm", "seeds", "active units", "minutes")
    assert [tuple(row)[2:] for row in change.rows] == [("7.00 (7.00 to 7.00)", "3.3 (3.3 to 3.3)"), ("7.00", "3.3")]
    assert tables({}) == []


def test_an_arm_alone_is_not_called_the_best() -> None:
    only = {"l1": [cell("sprites-l1", 0, figures={"dci_disentanglement": 0.3})]}
    assert "★" not in str(tables(only)[0].rows)


def test_cells_that_weights_are_chosen_by_are_never_reported_on() -> None:
    cells = [*tried("sprites", "l1"), *tried("sprites", "jepa-direction")]
    assert arms_on(cells, "sprites") == {} and grounds_of(cells) == ["sprites"]
    found = tried_on(cells, "sprites")
    assert list(found) == ["l1", "jepa-direction"] and len(found["l1"]) == 2 * len(ARMS["l1"].weights)


def test_grounds_with_bars_come_first_and_other_sections_are_none() -> None:
    names = ("uniform-l1", "miniworld-l1", "vase-5", "case-bounce-l1", "sprites-l1")
    assert grounds_of([cell(name, 0) for name in names]) == ["sprites", "miniworld", "uniform"]


def test_worlds_of_cases_may_have_dashes_and_arms_too() -> None:
    assert world_and_arm("case-two-balls-jepa-direction") == ("two-balls", "jepa-direction")
    assert world_and_arm("case-ball-direction") == ("ball", "direction")
    assert world_and_arm("case-ball-other") == ("ball", "other")


def test_a_weight_that_was_not_tried_on_all_seeds_is_not_called_chosen() -> None:
    cells = tried("sprites", "l1")
    whole_, part = (draw_weights(tried_on(some, "sprites"), "sprites")[0].figure for some in (cells, cells[:-1]))
    rings = [sum(line.get_markersize() == 11 for line in figure.axes[0].lines) for figure in (whole_, part)]
    assert rings == [1, 0]


def test_lives_stand_by_weight_and_the_default_last() -> None:
    of_default = [replace(lived(1.0, seed), arm=f"vase-{DEFAULT}") for seed in (0, 1)]
    drawn, table = vase([*of_default, lived(5.0, 0), lived(0.0, 0)])
    assert table.header == ("", "VASE alone, 1 seeds", "weight 5, 1 seeds", "the learner's default, 2 seeds")
    assert "default" in [text.get_text() for text in drawn.figure.axes[0].get_yticklabels()][-1]


def test_the_default_arm_is_what_a_learner_has_unasked() -> None:
    arms = VASEStudy(life=LIVES["bench"].lives["three"]).arms
    assert list(arms) == ["0", "5", DEFAULT]
    assert arms[DEFAULT].learner.permanence == LearnerConfig().permanence
    assert [arms[name].learner.permanence.weight for name in ("0", "5")] == [0.0, 5.0]
