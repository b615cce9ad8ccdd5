"""Study `throughput`: steps a second of each level, alone and side by side, and what recording costs."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from perma_agent.envs import SUITE
from perma_agent.evaluation.atomic_write import atomic_file
from perma_agent.evaluation.cells import Cell, read_cells
from perma_agent.evaluation.report.style import png
from perma_agent.evaluation.results import Row, Summary
from perma_agent.evaluation.statistics import Estimate, bootstrap_interval
from perma_agent.studies.cell_runs import Advance, Measured, PlannedCell, run_cells, summarise_cells
from perma_agent.studies.demo import ProgressBar, no_progress
from perma_agent.studies.throughput_figure import throughput_figure
from perma_agent.studies.timed_levels import ARRANGEMENTS, ORIGINAL, Seconds, time_arrangements, time_stacks

STUDY = "throughput"
STACKS = ("bare", "wrapped", "recorded")
SPEED_GOAL, RECORDING_GOAL = ">= 0.9", "< 10"
PAIRED = "median over interleaved rounds, which n counts"


@dataclass(frozen=True, kw_only=True)
class ThroughputConfig:
    """How much is timed."""

    preset: str
    """Name of these settings."""
    rounds: int
    """Blocks of each kind."""
    block: int
    """Steps in a block; in 500 at least one episode of each level ends."""
    levels: tuple[str, ...] = tuple(info.id for info in SUITE)
    """Ids of the levels timed alone."""
    side_by_side: str = "perma/IndoorForage-v0"
    """Level whose copies are timed."""
    copies: tuple[int, ...] = (1, 2, 4, 8)
    """How many copies."""
    seed: int = 0
    """Of levels and moves."""


PRESETS: Mapping[str, ThroughputConfig] = {
    "smoke": ThroughputConfig(preset="smoke", rounds=2, block=40, levels=("perma/IndoorMaze-v0",), copies=(2,)),
    "bench": ThroughputConfig(preset="bench", rounds=15, block=500),
}


def run(
    config: ThroughputConfig, folder: Path, *, only: str | None = None, progress: ProgressBar = no_progress
) -> None:
    """Time the cells that are missing; the machine should do nothing else meanwhile.

    Args:
        config: how much.
        folder: of the results.
        only: arms that begin with this, `alone` or `copies`; None for all.
        progress: makes the bar.

    Raises:
        LevelError: a level cannot be made.
        RunFolderError: the folder has cells of other settings.
    """
    cells = [cell for cell in plan(config) if only is None or cell.arm.startswith(only)]
    run_cells(STUDY, folder, cells, progress=progress)


def plan(config: ThroughputConfig) -> list[PlannedCell]:
    """A cell for each level alone, and one for each number of copies."""
    common = {"preset": config.preset, "rounds": config.rounds, "block": config.block}
    alone = [
        PlannedCell(
            arm=f"alone-{_snake(level)}",
            seed=config.seed,
            settings={**common, "level": level, "original": ORIGINAL},
            work=float(config.rounds * (len(STACKS) + 1)),
            measure=partial(_alone, level, config),
        )
        for level in config.levels
    ]
    together = [
        PlannedCell(
            arm=f"copies-{copies}",
            seed=config.seed,
            settings={**common, "level": config.side_by_side, "copies": copies},
            work=float(config.rounds * len(ARRANGEMENTS)),
            measure=partial(_together, copies, config),
        )
        for copies in config.copies
    ]
    return [*alone, *together]


def summarise(folder: Path) -> Summary:
    """Write `summary.json` and `throughput.png` from the cells.

    Raises:
        RunFolderError: there are no cells, or they do not belong together.
    """
    summary = summarise_cells(STUDY, folder, command="perma-agent study throughput --levels", rows=_rows)
    with atomic_file(folder / "throughput.png") as file:
        file.write(png(throughput_figure(read_cells(folder))))
    return summary


def _alone(level: str, config: ThroughputConfig, advance: Advance) -> Measured:
    with tempfile.TemporaryDirectory() as folder:
        seconds = time_stacks(
            level,
            rounds=config.rounds,
            block=config.block,
            seed=config.seed,
            folder=Path(folder),
            on_block=advance,
        )
    return _measured(seconds, steps=config.block)


def _together(copies: int, config: ThroughputConfig, advance: Advance) -> Measured:
    with tempfile.TemporaryDirectory() as folder:
        seconds = time_arrangements(
            config.side_by_side,
            copies=copies,
            rounds=config.rounds,
            block=config.block,
            seed=config.seed,
            folder=Path(folder),
            on_block=advance,
        )
    return _measured(seconds, steps=max(1, config.block // copies) * copies)


def _measured(seconds: Seconds, *, steps: int) -> Measured:
    """Blocks' seconds as steps a second, and their medians."""
    rates = {name: [steps / each for each in values] for name, values in seconds.items()}
    return Measured(figures={name: float(np.median(values)) for name, values in rates.items()}, series=rates)


def _rows(cells: Sequence[Cell]) -> list[Row]:
    alone = {cell.arm.removeprefix("alone-"): cell for cell in cells if cell.arm.startswith("alone-")}
    together = {int(cell.settings["copies"]): cell for cell in cells if cell.arm.startswith("copies-")}
    rows = _speed_rows(alone) + _recording_rows(alone, together)
    for name, cell in alone.items():
        for stack in (*STACKS, "original"):
            row = f"steps_per_second_{name}_{stack}" if stack in STACKS else f"steps_per_second_fourrooms_by_{name}"
            rows.append(Row.of(row, _median(cell.series[stack]), unit="steps/s", note=PAIRED))
    for copies, cell in sorted(together.items()):
        for arrangement in ARRANGEMENTS:
            row = f"steps_per_second_{arrangement}_{copies}"
            note = f"{cell.settings['level']}, all copies together; {PAIRED}"
            rows.append(Row.of(row, _median(cell.series[arrangement]), unit="steps/s", note=note))
    return rows + _fastest_rows(together)


def _speed_rows(alone: Mapping[str, Cell]) -> list[Row]:
    """Ours over MiniWorld's own FourRooms: each level, the suite as a whole, and its slowest level."""
    if not alone:
        return [Row.not_measured("speed_vs_fourrooms", why="no level was timed alone yet", goal=SPEED_GOAL)]
    ratios = {name: np.divide(cell.series["bare"], cell.series["original"]) for name, cell in alone.items()}
    slowest = min(ratios, key=lambda name: float(np.median(ratios[name])))
    suite = np.median(np.stack(list(ratios.values())), axis=0)
    note = f"bare level over MiniWorld's FourRooms, both 64×64 by gymnasium.make; {PAIRED}"
    return [
        Row.of("speed_vs_fourrooms", _median(suite), goal=SPEED_GOAL, note=f"median of {len(ratios)} levels, {note}"),
        Row.of("speed_vs_fourrooms_slowest", _median(ratios[slowest]), note=f"{slowest}, {note}"),
        *(Row.of(f"speed_vs_fourrooms_{name}", _median(values), note=note) for name, values in ratios.items()),
    ]


def _recording_rows(alone: Mapping[str, Cell], together: Mapping[int, Cell]) -> list[Row]:
    """Time that recording adds, in percent: to levels alone, and to copies in DummyVecEnv."""
    if not alone:
        why = "no level was timed alone yet"
        return [Row.not_measured("recording_cost_percent", why=why, unit="%", goal=RECORDING_GOAL)]
    costs = [_extra(cell, recorded="recorded", plain="wrapped") for cell in alone.values()]
    suite = np.median(np.stack(costs), axis=0)
    note = f"time added to Monitor and ObserveFrames until all is on disk, median of {len(costs)} levels; {PAIRED}"
    rows = [Row.of("recording_cost_percent", _median(suite), unit="%", goal=RECORDING_GOAL, note=note)]
    for copies, cell in sorted(together.items()):
        cost = _median(_extra(cell, recorded="recorded", plain="dummy"))
        rows.append(
            Row.of(
                f"recording_cost_percent_{copies}", cost, unit="%", note=f"added to {copies} in DummyVecEnv; {PAIRED}"
            )
        )
    return rows


def _fastest_rows(together: Mapping[int, Cell]) -> list[Row]:
    """Which arrangement makes the most steps a second, and how far ahead it is of eight levels in one process."""
    if not together:
        return [Row.not_measured("fastest_arrangement_steps_per_second", why="no copies were timed yet")]
    choices = [(name, copies) for copies in together for name in ARRANGEMENTS if name != "recorded"]
    name, copies = max(choices, key=lambda choice: together[choice[1]].figures[choice[0]] or 0.0)
    best = _median(together[copies].series[name])
    rows = [
        Row.of("fastest_arrangement_steps_per_second", best, unit="steps/s", note=f"{name} with {copies} copies"),
        Row.of("fastest_arrangement_copies", Estimate.exact(copies), unit="copies", note=name),
    ]
    for count, cell in sorted(together.items()):
        for other in ("subproc", "tolerant"):
            ratio = _median(np.divide(cell.series[other], cell.series["dummy"]))
            rows.append(Row.of(f"fastest_arrangement_{other}_vs_dummy_{count}", ratio, note=PAIRED))
    return rows


def _extra(cell: Cell, *, recorded: str, plain: str) -> np.ndarray:
    """Percent of time added in each round."""
    return np.asarray(100.0 * (np.divide(cell.series[plain], cell.series[recorded]) - 1.0))


def _median(values: Sequence[float] | np.ndarray) -> Estimate:
    return bootstrap_interval(values, np.median, rng=np.random.default_rng(0))


def _snake(level: str) -> str:
    """`perma/IndoorMaze-v0` -> `indoor_maze`, `MiniWorld-OneRoom-v0` -> `miniworld_oneroom`."""
    for info in SUITE:
        if info.id == level:
            return f"{info.setting}_{info.task}"
    return level.lower().removesuffix("-v0").replace("-", "_").replace("/", "_")
