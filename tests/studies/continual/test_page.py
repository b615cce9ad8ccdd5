"""The page is made of whatever cells there are: each has its figure, each figure is in the page, nothing else is."""

import base64
import html
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from perma_agent.evaluation.cells import Cell
from perma_agent.evaluation.machine import Machine
from perma_agent.evaluation.report.tiles import tiles_to_text
from perma_agent.evaluation.results import Summary
from perma_agent.evaluation.traversals import TRAVERSED
from perma_agent.studies.continual.page import write_figures
from perma_agent.studies.continual.page_lives import draw_latents
from perma_agent.studies.continual.page_table import PAPER, PAPERS_WORLDS, ablation
from perma_agent.studies.continual.rows import rows_of

MACHINE = Machine(cpu="invented", cores=2, torch="0", accelerator=None)
FIVE = ("moving-mnist", "fashion", "inverse-fashion", "mnist", "moving-fashion")
RETURN = ("moving-fashion", "mnist", "moving-fashion")
SMOKE = ("moving-digits", "digits", "inverse-digits")
STEPS, EVERY, LATENTS = 200, 50, 6
FACTORS = {"opens": [["x", "y"], ["hue"]], "steps": [100, 100]}
ALL = {
    "environments",
    "probes_three",
    "probes_five",
    "ablation",
    "latent_use_three",
    "atypicality_three",
    "masks_three",
    "latent_use_five",
    "traversals_three_sda",
    "traversals_three_none",
    "traversals_five_sda",
    "cross_domain",
    "cross_domain_entangled",
    "ambiguity_mnist",
    "ambiguity_mnist_decoded",
    "ambiguity_fashion",
    "ambiguity_fashion_decoded",
    "imagination",
    "factors",
}


def cell(arm: str, seed: int, *, figures: Any = None, series: Any = None, **settings: Any) -> Cell:
    return Cell(
        study="continual",
        arm=arm,
        seed=seed,
        settings={"preset": "bench", **settings},
        figures=figures or {},
        series=series or {},
        seconds=60.0,
        commit="0000000",
        machine=MACHINE,
    )


def sheet(rows: int, columns: int, *, canvas: int = 8) -> dict[str, Any]:
    """Squares that walk to the right with the column."""
    frames = np.zeros((rows, columns, 1, canvas, canvas), dtype=np.uint8)
    for row in range(rows):
        for column in range(columns):
            frames[row, column, 0, 2:5, (row + column) % (canvas - 3) :][:, :3] = 255
    return {"sheet": tiles_to_text(frames), "sheet_rows": rows, "sheet_columns": columns}


def life(arm: str, seed: int, worlds: Sequence[str], *, loss: float = 0.02) -> Cell:
    """A life that settles on an environment for each world, and forgets `loss` with each world that comes."""
    rng = np.random.default_rng([seed, len(arm)])
    names, batches = list(dict.fromkeys(worlds)), STEPS * len(worlds)
    examined = list(range(EVERY, batches + 1, EVERY))
    sampled = [*range(1, batches + 1, 10)]
    learnt = np.clip(np.arange(1, len(examined) + 1) / 4, 0, 1)
    forgotten = loss * np.maximum(0, np.arange(len(examined)) - 4) / 4 + rng.random(len(examined)) * 0.004
    used = rng.random((len(names), LATENTS)) * 3 * (rng.random((len(names), LATENTS)) > 0.4)
    changes = [[1 + STEPS * place, names.index(name)] for place, name in enumerate(worlds)]
    changes += [[STEPS + 1, None], [STEPS + 4, names.index(worlds[1])]]
    changes = sorted({step: [step, index] for step, index in changes}.values())
    alpha = np.exp(rng.normal(-3, 0.4, (len(sampled), LATENTS)))
    alpha[len(sampled) // 3 :, :2] += 1.5
    figures = {
        f"{kind}/mean/{name}": scale * (sign * loss * (1 + 0.1 * rng.random()) if name != "best" else 0.87)
        for kind, sign, scale in (("accuracy", -1, 1.0), ("position_mse", 1, 0.01))
        for name in ("best", "final_less_best", "worst_less_own", "later_less_best")
    }
    return cell(
        arm,
        seed,
        learner={"mask": {"enabled": True, "threshold": 0.5, "hysteresis": 0.1}},
        figures={
            **figures,
            "inference/right": float(seed % 3 != 2),
            **{f"inference/{name}": 0.0 for name in ("missed", "unrecognised", "spurious")},
        },
        series={
            "worlds": [{"name": name, "start": 1 + STEPS * place} for place, name in enumerate(worlds)],
            "batches": batches,
            "environments": changes,
            "opened": [1, STEPS + 4],
            "sampled": sampled,
            "atypicality": alpha.round(3).tolist(),
            "masks": ["".join("0" if value > 0.5 else "1" for value in row) for row in alpha],
            "examined": examined,
            "accuracy": {name: (0.9 * learnt - forgotten).clip(0, 1).tolist() for name in names[:2]},
            "position_mse": {names[0]: (0.02 - 0.015 * learnt + forgotten / 9).tolist()},
            "information": {
                name: (learnt[:, None] * used[place]).round(3).tolist() for place, name in enumerate(names)
            },
        },
    )


def traversals(life: str, worlds: Sequence[str]) -> Cell:
    rng = np.random.default_rng(len(life))
    series = {
        name: {
            "environment": 0 if life.endswith("none") else place,
            "information": (rng.random(LATENTS) * 3).round(3).tolist(),
            **sheet(LATENTS, len(TRAVERSED)),
        }
        for place, name in enumerate(dict.fromkeys(worlds))
    }
    return cell(f"traversals-{life}", 0, series={"traversals": series})


def mixtures(world: str) -> Cell:
    weights, shares = np.linspace(0, 1, 21), np.array([0.0, 0.25, 0.9])
    single = 1 / (1 + np.exp(-30 * (weights - 0.4)))
    away = (1 - shares[:, None]) * single
    series = {
        "worlds": [world, "inverse-fashion"],
        "environments": [3, 2],
        "weights": weights,
        "shares": shares,
        "single": single,
        "averaged": {"first": away + shares[:, None], "second": away},
        "decision_boundaries": {"first": [0.4, 0.3, 0.0], "second": [0.4, 0.6, 1.0]},
        "sigma_used": [None] * 21 if world == "fashion" else 0.1 + 0.3 * weights * (1 - weights),
        **sheet(3, 21),
    }
    return cell(f"ambiguity-{world}", 0, figures={"ambiguity_width": 0.1}, series={"ambiguity": series})


def carried(arm: str, seed: int, **missing: str) -> Cell:
    worlds = {"position": ["moving-fashion", "moving-mnist"], "class": ["fashion", "inverse-fashion"]}
    series = {name: {"worlds": pair, "environments": [4, 0], **sheet(4, 3)} for name, pair in worlds.items()}
    notes = {name: {"note": note} for name, note in missing.items()}
    return cell(arm, seed, figures={"position_mean": 2.5, "class_abroad": 0.7}, series={**series, **notes})


def imagined(seed: int) -> Cell:
    series = {
        "worlds": ["mnist", "moving-fashion"],
        "environments": [1, 0],
        "latents": [4, 1],
        "values": TRAVERSED,
        **sheet(4, len(TRAVERSED)),
    }
    return cell("imagination-sda", seed, figures={"imagination_reach": 7.0}, series={"imagination": series})


def split(arm: str, seed: int) -> Cell:
    at_once = arm.endswith("at-once")
    steps = np.arange(20, 201, 20)
    curve = 0.6 * (1 - np.exp(-steps / 60)) - 0.05 * seed
    late = [None if step <= 100 and not at_once else float(value) for step, value in zip(steps, curve, strict=True)]
    series = {
        "steps": steps,
        **dict.fromkeys(("mig_mean", "mig_sup", "dci_disentanglement"), curve),
        "mig": {"x": curve, "y": curve / 2, "hue": late},
    }
    return cell(arm, seed, figures={"mig_mean": 0.4, "mig_drop": None}, series=series, **FACTORS)


def complete() -> list[Cell]:
    losses = {"sda": 0.02, "sd": 0.1, "a": 0.2, "none": 0.15, "sda-entangled": 0.05, "sd-encoder-entangled": 0.1}
    return [
        *(life(f"three-{arm}", seed, PAPERS_WORLDS, loss=loss) for arm, loss in losses.items() for seed in (0, 1, 2)),
        life("three-d", 0, PAPERS_WORLDS, loss=0.13),
        *(life(f"five-{arm}", seed, FIVE) for arm in ("sda", "none") for seed in (0, 1)),
        *(life("return-sda", seed, RETURN) for seed in (0, 2)),
        traversals("three-sda", PAPERS_WORLDS),
        traversals("three-none", PAPERS_WORLDS),
        traversals("five-sda", FIVE),
        mixtures("mnist"),
        mixtures("fashion"),
        carried("cross-sda", 0, position="no environment was inferred for <moving-mnist>"),
        carried("cross-sda", 1),
        carried("cross-sda-entangled", 0),
        imagined(0),
        imagined(1),
        *(split(f"factors-{arm}", seed) for arm in ("sda", "sda-entangled", "none", "at-once") for seed in (0, 1)),
    ]


def smoke() -> list[Cell]:
    return [life(f"three-{arm}", 0, SMOKE) for arm in ("sda", "none")]


def summary_of(cells: Sequence[Cell]) -> Summary:
    return Summary(
        study="continual",
        preset="bench",
        command="perma-agent study continual --preset bench",
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
    assert set(figures) == ALL
    assert sorted(shown(page)) == sorted(figures.values())
    assert {path.suffix for path in folder.iterdir()} == {".png", ".html", ".md"}  # nothing temporary is left


def test_table_1_stands_in_markdown_with_the_papers_numbers(whole: tuple[dict[str, bytes], str, Path]) -> None:
    text = (whole[2] / "tables.md").read_text(encoding="utf-8")
    assert text.startswith("# Tables, made by `perma-agent study continual --preset bench --summarise`\n")
    rows = [line for line in text.splitlines() if line.startswith("| SDA |")]
    assert any("-5.4 ± 0.3" in row for row in rows) and any("3.2 ± 0.03" in row for row in rows)


def test_the_page_needs_nothing_else_and_names_no_place(whole: tuple[dict[str, bytes], str, Path]) -> None:
    _, page, folder = whole
    text = re.sub(r"base64,[A-Za-z0-9+/=]+", "", page)
    assert str(folder) not in text and str(Path.home()) not in text and str(Path.cwd()) not in text
    assert "://" not in text and "<script" not in text
    assert "nan" not in re.findall(r">([^<]*)<", text)
    assert "perma-agent study continual --preset bench --summarise" in text


def test_captions_say_which_figure_of_the_paper_each_stands_for(whole: tuple[dict[str, bytes], str, Path]) -> None:
    page = whole[1]
    for figure in ("2, bottom", "2, top", "3A", "3B", "5A", "5B"):
        assert f"figure {figure}" in page
    assert "figures 4B and 9" in page and "table 1" in page


def test_what_could_not_be_had_is_said(whole: tuple[dict[str, bytes], str, Path]) -> None:
    said = "Nothing to show of cross-sda for seed 0: no environment was inferred for &lt;moving-mnist&gt;."
    assert said in whole[1]


def test_a_short_study_has_what_its_cells_give(tmp_path: Path) -> None:
    (tmp_path / "factors.png").write_bytes(b"of an earlier summary")
    figures, page = published(smoke(), tmp_path)
    assert figures.pop("factors") == b"of an earlier summary"
    names = {"environments", "probes_three", "ablation", "latent_use_three", "atypicality_three", "masks_three"}
    assert set(figures) == names
    assert sorted(shown(page)) == sorted(figures.values())
    assert "not the paper's" in html.unescape(page) and "± 0.4" not in page  # other worlds: its numbers would mislead
    assert "Imagination" not in page and "Ambiguity" not in page


@pytest.mark.parametrize(
    ("cells", "names"),
    [
        ([traversals("three-none", PAPERS_WORLDS)], {"traversals_three_none"}),
        ([mixtures("fashion")], {"ambiguity_fashion", "ambiguity_fashion_decoded"}),
        (
            [replace(mixtures("mnist"), arm="images-celeba_inverse_fashion-ambiguity")],
            {"images_celeba_inverse_fashion_ambiguity", "images_celeba_inverse_fashion_ambiguity_decoded"},
        ),
        ([carried("cross-sda-entangled", 3, position="gone")], {"cross_domain_entangled"}),
        ([carried("cross-sda", 3, position="gone", **{"class": "gone"})], set()),
        ([imagined(2)], {"imagination"}),
        ([cell("imagination-sda", 0, series={"imagination": {"note": "gone"}})], set()),
        ([cell("ambiguity-mnist", 0, series={"ambiguity": {"note": "gone"}})], set()),
        ([cell("traversals-five-sda", 0, series={"traversals": {}})], set()),
        ([split("factors-at-once", 0)], {"factors"}),
        ([life("five-none", 1, FIVE)], {"probes_five"}),
        ([life("return-sda", 1, RETURN)], {"environments"}),
        ([life("three-a", 1, PAPERS_WORLDS)], {"ablation"}),
    ],
)
def test_any_cell_alone(cells: list[Cell], names: set[str], tmp_path: Path) -> None:
    figures, page = published(cells, tmp_path)
    assert set(figures) == names
    assert sorted(shown(page)) == sorted(figures.values())


def test_use_by_worlds_not_met_yet_is_cut_and_said_to_be() -> None:
    usual = life("three-sda", 0, PAPERS_WORLDS)
    information = {name: [list(row) for row in rows] for name, rows in usual.series["information"].items()}
    most = max(max(row) for rows in information.values() for row in rows)
    assert "cut off" not in draw_latents([usual], "three")[0].caption
    information["moving-mnist"][0][0] = 50.0  # its frames are strange to an encoder that never saw their like
    drawn = draw_latents([replace(usual, series={**usual.series, "information": information})], "three")[0]
    assert "cut off" in drawn.caption
    scale = next(axes.collections[0].norm for axes in drawn.figure.axes if axes.get_title("left").startswith("use by"))
    assert scale.vmax == pytest.approx(most)


def test_the_same_cells_give_the_same_bytes(tmp_path: Path) -> None:
    cells = [*smoke(), imagined(0), split("factors-sda", 0)]
    first = published(cells, tmp_path / "a")
    again = published(list(reversed(cells)), tmp_path / "b")  # in whatever order they are read
    assert first == again


def test_table_one_holds_ours_and_the_papers() -> None:
    _, _, objects, places = ablation(complete())
    header, rows = objects.header, {row[0]: row for row in objects.rows}
    assert list(rows) == [
        "SDA",
        "SDA entangled",
        "SD",
        "SD-[41] entangled",
        "D",
        "A",
        "none (CCI-VAE)",
    ]
    assert header == [
        "arm",
        "seeds",
        "best (%)",
        "paper's",
        "change (i)",
        "paper's change",
        "change (ii)",
        "change (iii)",
    ]
    assert rows["SDA"][1:4] == [3, "87.00 (87.00 to 87.00)", "88.6 ± 0.4"]
    assert rows["SDA"][5] == "-5.4 ± 0.3"
    assert re.fullmatch(r"-2\.\d\d \(-2\.\d\d to -2\.\d\d\)", rows["SDA"][4])
    assert rows["D"][1:3] == [1, "87.00"]
    assert {row[0]: row[3] for row in places.rows}["none (CCI-VAE)"] == "3.5 ± 0.05"


def test_the_papers_numbers_are_those_of_its_table() -> None:
    assert len(PAPER) == 17  # SD-[41] was trained entangled alone
    assert "sd-encoder" not in PAPER
    best = max(PAPER, key=lambda arm: PAPER[arm][1][0])
    assert best == "sda" and PAPER["sda"][3] == (3.0, 0.2)
