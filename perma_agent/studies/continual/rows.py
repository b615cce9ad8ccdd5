"""The rows of the study `continual`: its bars, and table 1's figures of every arm that was lived."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from perma_agent.evaluation.cells import Cell
from perma_agent.evaluation.results import BEYOND, Row
from perma_agent.evaluation.statistics import Estimate
from perma_agent.studies.continual.scores import WITHIN
from perma_agent.studies.seed_rows import compare, difference, row, row_id, seeds_of

DEFINITIONS: Mapping[str, str] = {
    "final_less_best": "final less best",
    "worst_less_own": "worst after its own world less the figure at that world's end",
    "later_less_best": "mean over what comes after its own world less best",
}
"""The three readings of the paper's "change", in words; the first leads."""
POINTS, E4 = 100.0, 1e4
"""Accuracies are given in points, position errors in 1e-4 of the squared range of positions."""
LEAST_LOSS = 0.1
"""Points; a smaller loss of VASE's counts as this much where CCI-VAE's is divided by it."""


LIVES = ("three", "five", "return", "three_short", "five_short")
"""Sequences, with which the arms of lives begin."""


@dataclass(frozen=True, kw_only=True)
class Measure:
    """A column of table 1."""

    key: str
    """Of a life's figures, without the definition."""
    name: str
    """In row ids."""
    unit: str
    """Of the row."""
    scale: float
    """From a life's figure to the row's unit."""


ACCURACY = Measure(key="accuracy/mean", name="accuracy", unit="points", scale=POINTS)
POSITION = Measure(key="position_mse/mean", name="position_mse", unit="1e-4 of the squared range", scale=E4)


def rows_of(cells: Sequence[Cell]) -> list[Row]:
    """All rows: the bars first, then table 1, then what else was measured."""
    return [
        *_bars(cells),
        *_inference(cells),
        *_factor_split(cells),
        *_minutes(cells),
        *_table(cells),
        *_analyses(cells),
    ]


def _bars(cells: Sequence[Cell]) -> list[Row]:
    changes = {measure.name: _change(cells, "sda", measure) for measure in (ACCURACY, POSITION)}
    leading = f"change is {DEFINITIONS['final_less_best']}"
    note = f"mean over the two classifiers; {leading}"
    made = [
        row("sda_change_accuracy", changes["accuracy"], unit="points", goal=">= -2.7", note=note),
        row("sda_change_position_mse", changes["position_mse"], unit=POSITION.unit, goal="<= 1.5", note=leading),
    ]
    best, plain = _best(cells, "sda", ACCURACY), _best(cells, "none", ACCURACY)
    if len(best) and len(plain):
        made.append(difference("sda_best_accuracy_less_none", best, plain, unit="points", goal=">= -1"))
    lost = _change(cells, "none", ACCURACY)
    if len(lost) and len(changes["accuracy"]):
        made.append(
            compare(
                "ccivae_over_sda_change",
                lost,
                changes["accuracy"],
                lambda theirs, ours: theirs / np.minimum(ours, -LEAST_LOSS),
                goal=">= 3",
                note=f"mean loss of accuracy over mean loss; a loss below {LEAST_LOSS} points counts as that",
            )
        )
    return made


def _table(cells: Sequence[Cell]) -> list[Row]:
    arms = sorted({cell.arm.removeprefix("three-") for cell in cells if cell.arm.startswith("three-")})
    made = []
    for arm in arms:
        name = arm.replace("-", "_")
        for measure in (ACCURACY, POSITION):
            best = _best(cells, arm, measure)
            made.append(row(f"{name}_best_{measure.name}", best, unit=measure.unit))
            for field, words in DEFINITIONS.items():
                values = seeds_of(cells, f"three-{arm}", f"{measure.key}/{field}", scale=measure.scale)
                suffix = "" if field == "final_less_best" else f"_{field}"
                id = f"{name}_change_{measure.name}{suffix}"
                if id not in ("sda_change_accuracy", "sda_change_position_mse"):  # among the bars
                    made.append(row(id, values, unit=measure.unit, note=words))
        if arm != "sda":
            made += _advantage(cells, arm)
    return made


def _advantage(cells: Sequence[Cell], arm: str) -> list[Row]:
    """How much less SDA changes than another arm; positive where SDA keeps more."""
    made = []
    for measure, sign in ((ACCURACY, 1.0), (POSITION, -1.0)):
        ours, theirs = _change(cells, "sda", measure), _change(cells, arm, measure)
        if len(ours) and len(theirs):
            id = f"sda_keeps_more_{measure.name}_than_{arm.replace('-', '_')}"
            goal = f"> 0{BEYOND}" if arm in ("a", "s", "d", "none") else None
            made.append(difference(id, sign * ours, sign * theirs, unit=measure.unit, goal=goal))
    return made


def _inference(cells: Sequence[Cell]) -> list[Row]:
    lives = [cell for cell in cells if cell.arm.endswith("-sda") and cell.arm.split("-")[0] in LIVES]
    made = []
    if lives:
        right = sum(cell.figures["inference/right"] or 0.0 for cell in lives)
        told = (
            f"of {len(lives)} lives; right: each world's own environment within {WITHIN} batches of the switch, "
            "returns recognised, none spurious"
        )
        made.append(Row.of("inference_right_of_30", Estimate.exact(right), unit="lives", goal=">= 30", note=told))
    for sequence in ("three", "five", "return"):
        chosen = [cell for cell in lives if cell.arm in (f"{sequence}-sda", f"{sequence}_short-sda")]
        for figure in ("right", "missed", "unrecognised", "spurious"):
            if chosen:
                total = sum(cell.figures[f"inference/{figure}"] or 0.0 for cell in chosen)
                note = f"of {len(chosen)} lives" if figure == "right" else f"in {len(chosen)} lives"
                made.append(Row.of(f"inference_{figure}_{sequence}", Estimate.exact(total), note=note))
    return made


def _factor_split(cells: Sequence[Cell]) -> list[Row]:
    """Whether what was disentangled stays so when further factors open."""
    ours, at_once = seeds_of(cells, "factors-sda", "mig_mean"), seeds_of(cells, "factors-at-once", "mig_mean")
    drop = seeds_of(cells, "factors-sda", "mig_drop")
    if not len(drop):
        return []
    note = "largest fall, over factors, from the best since the world in which it opened had ended"
    made = [row("factor_split_mig_drop", drop, unit="MIG", goal="<= 0.05", note=note)]
    if len(at_once):
        made.append(difference("factor_split_mig_less_at_once", ours, at_once, unit="MIG", goal=">= -0.05"))
    return made


def _minutes(cells: Sequence[Cell]) -> list[Row]:
    minutes = np.array([cell.seconds / 60 for cell in cells if cell.arm == "three-sda"])
    note = "wall clock of a life of three worlds on one core, with its examinations, the other core at work as well"
    return [row("run_minutes", minutes, unit="minutes", goal="<= 15", note=note)] if len(minutes) else []


def _analyses(cells: Sequence[Cell]) -> list[Row]:
    """Every figure of the cells that are no lives, under the arm's name and its own."""
    made = []
    arms = sorted({cell.arm for cell in cells if cell.arm.split("-")[0] not in LIVES})
    for arm in arms:
        figures = sorted({figure for cell in cells if cell.arm == arm for figure in cell.figures})
        for figure in figures:
            values = seeds_of(cells, arm, figure)
            if len(values):
                made.append(row(row_id(f"{arm}_{figure}"), values))
    return made


def _change(cells: Sequence[Cell], arm: str, measure: Measure) -> np.ndarray:
    return seeds_of(cells, f"three-{arm}", f"{measure.key}/final_less_best", scale=measure.scale)


def _best(cells: Sequence[Cell], arm: str, measure: Measure) -> np.ndarray:
    return seeds_of(cells, f"three-{arm}", f"{measure.key}/best", scale=measure.scale)
