"""Study `levels`: what an oracle and chance score on each of our levels, and how many kills recording survives."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from perma_agent.envs import SUITE, LevelInfo
from perma_agent.envs.suite.oracle import Oracle
from perma_agent.evaluation.atomic_write import atomic_file
from perma_agent.evaluation.cells import Cell, read_cells
from perma_agent.evaluation.policies import Act, RandomPolicy, evaluate_on_level
from perma_agent.evaluation.report.style import ARMS, new_figure, png, styled
from perma_agent.evaluation.results import Row, Summary
from perma_agent.evaluation.statistics import Estimate, bootstrap_interval, wilson_interval
from perma_agent.studies.cell_runs import Advance, Measured, PlannedCell, run_cells, summarise_cells
from perma_agent.studies.demo import ProgressBar, no_progress
from perma_agent.studies.kill_trial import train_under_kills
from perma_agent.studies.levels import LevelChoice, make_copies

STUDY = "levels"
POLICIES = ("oracle", "random")
KILL_LEVEL = "perma/IndoorMaze-v0"
"""Level that is killed: a real one, with OpenGL in each process."""
KILL_GOAL = 100


@dataclass(frozen=True, kw_only=True)
class LevelScoresConfig:
    """How much is run."""

    preset: str
    """Name of these settings."""
    episodes: int
    """Of each policy on each level."""
    kills: int
    """Processes killed while a policy is trained."""
    every: int = 200
    """Steps from one kill to the next."""
    copies: int = 2
    """Levels in parallel while they are killed."""
    levels: tuple[str, ...] = tuple(info.id for info in SUITE)
    """Ids of the levels that are scored."""
    seed: int = 0
    """Of levels and policies."""


PRESETS: Mapping[str, LevelScoresConfig] = {
    "smoke": LevelScoresConfig(preset="smoke", episodes=2, kills=2),
    "bench": LevelScoresConfig(preset="bench", episodes=100, kills=KILL_GOAL),
}


def run(
    config: LevelScoresConfig, folder: Path, *, only: str | None = None, progress: ProgressBar = no_progress
) -> None:
    """Measure the cells that are missing.

    Args:
        config: how much.
        folder: of the results.
        only: arms that begin with this, e.g. `oracle` or `kills`; None for all.
        progress: makes the bar.

    Raises:
        LevelError: a level cannot be made.
        RunFolderError: the folder has cells of other settings.
    """
    cells = [cell for cell in plan(config) if only is None or cell.arm.startswith(only)]
    run_cells(STUDY, folder, cells, progress=progress)


def plan(config: LevelScoresConfig) -> list[PlannedCell]:
    """All cells: each policy on each level, and the kills."""
    infos = [info for info in SUITE if info.id in config.levels]
    common = {"preset": config.preset}
    scores = [
        PlannedCell(
            arm=f"{policy}-{_snake(info)}",
            seed=config.seed,
            settings={**common, "level": info.id, "episodes": config.episodes, "split": "train"},
            work=float(config.episodes),
            measure=partial(_score, policy, info, config),
        )
        for info in infos
        for policy in POLICIES
    ]
    settings = {**common, "level": KILL_LEVEL, "kills": config.kills, "every": config.every, "copies": config.copies}
    kills = PlannedCell(
        arm="kills", seed=config.seed, settings=settings, work=float(config.kills), measure=partial(_kill, config)
    )
    return [*scores, kills]


def summarise(folder: Path) -> Summary:
    """Write `summary.json` and `scores.png` from the cells.

    Raises:
        RunFolderError: there are no cells, or they do not belong together.
    """
    summary = summarise_cells(STUDY, folder, command="perma-agent study levels", rows=_rows)
    with atomic_file(folder / "scores.png") as file:
        file.write(png(scores_figure(read_cells(folder))))
    return summary


@styled
def scores_figure(cells: Sequence[Cell]) -> Figure:
    """Success rate of oracle and chance on each level, with Wilson's 95% intervals over episodes.

    What to see: the oracle's bars near the top (each level can be solved), chance's near the bottom (not by luck), and
    the two bars of a task alike indoors and outdoors.
    """
    names = sorted({_level_of(cell) for cell in cells if cell.arm != "kills"}, key=_place)
    figure = new_figure(1.2 + 1.05 * len(names), 3.0)
    axes = figure.subplots()
    for offset, policy, colour in ((-0.19, "oracle", ARMS[0]), (0.19, "random", ARMS[2])):
        rates = {_level_of(cell): _success(cell) for cell in cells if cell.arm.startswith(f"{policy}-")}
        places = [place + offset for place, name in enumerate(names) if name in rates]
        values = [rates[name] for name in names if name in rates]
        spread = [[rate.value - rate.low for rate in values], [rate.high - rate.value for rate in values]]
        axes.bar(places, [rate.value for rate in values], 0.36, color=colour, label=policy)
        axes.errorbar(
            places, [rate.value for rate in values], spread, fmt="none", color="black", linewidth=1, capsize=2
        )
    axes.set_xticks(range(len(names)), [name.replace("_", "\n") for name in names])
    axes.set_ylim(0, 1.05)
    axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    axes.set_ylabel("episodes solved")
    axes.grid(visible=False, axis="x")
    figure.legend(loc="outside upper right", ncols=2)
    return figure


def _score(policy: str, info: LevelInfo, config: LevelScoresConfig, advance: Advance) -> Measured:
    venv = make_copies([LevelChoice(id=info.id)], copies=1)
    act: Act = RandomPolicy(venv.action_space, rng=np.random.default_rng(config.seed))
    if policy == "oracle":
        oracle = Oracle(venv.envs[0])
        act = lambda frames: np.array([oracle.action()])  # noqa: E731  it is one of two
    try:
        found = evaluate_on_level(
            act, venv, episodes=config.episodes, seed=config.seed, on_episode=lambda: advance(1.0)
        )
    finally:
        venv.close()
    return Measured(
        figures={"success": found.success_rate.value, "return": float(found.returns.mean())},
        series={"successes": found.successes, "returns": found.returns, "lengths": found.lengths},
    )


def _kill(config: LevelScoresConfig, advance: Advance) -> Measured:
    outcome = train_under_kills(
        KILL_LEVEL,
        kills=config.kills,
        every=config.every,
        copies=config.copies,
        seed=config.seed,
        on_steps=lambda steps: advance(steps / config.every),
    )
    return Measured(figures={**dataclasses.asdict(outcome), "survived": outcome.survived})


def _rows(cells: Sequence[Cell]) -> list[Row]:
    rows = []
    for cell in sorted((cell for cell in cells if cell.arm != "kills"), key=lambda cell: _place(_level_of(cell))):
        policy, name = cell.arm.split("-")
        returns = bootstrap_interval(cell.series["returns"], rng=np.random.default_rng(cell.seed))
        split = f"{cell.settings['split']} split"
        rows.append(Row.of(f"{policy}_success_{name}", _success(cell), note=f"share of episodes, Wilson 95%; {split}"))
        rows.append(Row.of(f"{policy}_return_{name}", returns, unit="reward", note=f"mean over episodes; {split}"))
    goal = f">= {KILL_GOAL}"
    for cell in (cell for cell in cells if cell.arm == "kills"):
        told = {key: int(value or 0) for key, value in cell.figures.items()}
        note = (
            f"of {told['kills']}, one every {cell.settings['every']} of {told['steps']} steps of PPO on "
            f"{cell.settings['level']}; {told['trajectories']} trajectories stored, {told['damaged']} damaged, "
            f"{told['recorded']} steps recorded"
        )
        survived = Estimate.exact(told["survived"])
        rows.append(Row.of("kills_survived", survived, unit="kills", goal=goal, note=note))
    if not any(row.id == "kills_survived" for row in rows):
        rows.append(Row.not_measured("kills_survived", why="this cell has not been run yet", unit="kills", goal=goal))
    return rows


def _success(cell: Cell) -> Estimate:
    """Of a cell's episodes; n counts them."""
    successes = cell.series["successes"]
    return wilson_interval(sum(successes), len(successes))


def _snake(info: LevelInfo) -> str:
    return f"{info.setting}_{info.task}"


def _level_of(cell: Cell) -> str:
    return cell.arm.partition("-")[2]


def _place(name: str) -> int:
    """The suite's order."""
    return [_snake(info) for info in SUITE].index(name)
