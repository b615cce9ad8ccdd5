"""The rows of the study `sb3`: its bars first, then steps a second, then what the change of look did."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from perma_agent.evaluation.cells import Cell
from perma_agent.evaluation.results import Row
from perma_agent.evaluation.statistics import Estimate, bootstrap_interval
from perma_agent.studies.sb3.planning import CHANCE, RESUME, SPEED, SWITCH
from perma_agent.studies.sb3.switch import MODES, WHEN
from perma_agent.studies.sb3.timed_agents import EYES, LEVEL, REFERENCE
from perma_agent.studies.seed_rows import row, seeds_of

SPEED_GOALS: Mapping[str, str] = {"frozen": ">= 2", "continual": ">= 0.8"}
"""Bars of arms over NatureCNN, in the cell of fewest threads."""
RESUME_GOAL = "== 0"
PAIRED = "median over interleaved rounds, which n counts"
NOT_RUN = "this cell has not been run yet"
PUBLISHED: Mapping[str, tuple[str, str, str]] = {
    "feature_move": ("moved", "spreads", "root mean square move of features at a publication over their own spread"),
    "policy_kl": ("policy_kl", "nats", "KL between the policies before and after a publication, mean over frames"),
}
"""Name in row ids of what a publication does: name in figures, unit, and what it is."""
COMPARED: Mapping[str, tuple[str, str, str]] = {
    "update_kl": ("update_kl", "nats", "PPO's approximate KL of its own updates of the policy, for comparison"),
    "action_information": (
        "information",
        "nats",
        "information of an action about the frame: 0 where the policy does not look at what it sees",
    ),
}
"""The same of what this is to be read beside, for either arm."""


def rows_of(cells: Sequence[Cell]) -> list[Row]:
    """All rows."""
    timed = timed_cells(cells)
    return [
        *_speed_ratios(timed),
        *_resume(cells),
        *_rates(timed),
        *_returns(cells),
        *_publications(cells),
    ]


def timed_cells(cells: Sequence[Cell]) -> dict[int, Cell]:
    """The timings by number of threads, fewest first."""
    found = {int(cell.settings["threads"][0]): cell for cell in cells if cell.arm.startswith(f"{SPEED}-")}
    return dict(sorted(found.items()))


def ratios(cell: Cell, arm: str) -> np.ndarray:
    """Steps a second of an arm over NatureCNN's in the same round, shape `[rounds]`."""
    return np.asarray(np.divide(cell.series[arm], cell.series[REFERENCE]))


def median(values: Sequence[float] | np.ndarray) -> Estimate:
    """Median over rounds with its 95% bootstrap interval."""
    return bootstrap_interval(values, np.median, rng=np.random.default_rng(0))


def _speed_ratios(timed: Mapping[int, Cell]) -> list[Row]:
    if not timed:
        return [Row.not_measured(f"{arm}_speed_ratio", why=NOT_RUN, goal=goal) for arm, goal in SPEED_GOALS.items()]
    rows = []
    order = [*SPEED_GOALS, *(arm for arm in EYES if arm not in {REFERENCE, *SPEED_GOALS})]
    for place, (threads, cell) in enumerate(timed.items()):
        for arm in order:
            note = f"PPO through {EYES[arm]}, over PPO through {EYES[REFERENCE]}; {_where(cell, threads)}; {PAIRED}"
            goal = None if place else SPEED_GOALS.get(arm)
            rows.append(
                Row.of(_id(f"{arm}_speed_ratio", place, threads), median(ratios(cell, arm)), goal=goal, note=note)
            )
    return rows


def _rates(timed: Mapping[int, Cell]) -> list[Row]:
    rows = []
    for place, (threads, cell) in enumerate(timed.items()):
        for arm in (*EYES, LEVEL):
            what = f"PPO through {EYES[arm]}, learning" if arm in EYES else "the level alone, random moves, no agent"
            note = f"{what}; {_where(cell, threads)}; {PAIRED}"
            rate = median(cell.series[arm])
            rows.append(Row.of(_id(f"steps_per_second_{arm}", place, threads), rate, unit="steps/s", note=note))
    return rows


def _where(cell: Cell, threads: int) -> str:
    copies, level = cell.settings["policy"]["copies"], cell.settings["level"]["id"]
    return f"{copies} copies of {level}, torch with {threads} thread{'s' if threads > 1 else ''}"


def _id(words: str, place: int, threads: int) -> str:
    """The cell of fewest threads goes without a suffix."""
    return f"{words}_{threads}_threads" if place else words


def _resume(cells: Sequence[Cell]) -> list[Row]:
    found = [cell for cell in cells if cell.arm == RESUME]
    if not found:
        return [Row.not_measured("resume_max_difference", why=NOT_RUN, goal=RESUME_GOAL)]
    told = {name: value for name, value in found[0].figures.items() if value is not None}
    counts = {name: int(told[name]) for name in ("terminated", "killed", "exits_with_0", "processes", "tensors")}
    kills = counts["terminated"] + counts["killed"]
    note = (
        f"{kills} kills of one PPO + VASE run ({counts['terminated']} SIGTERM, {counts['killed']} SIGKILL) at random "
        f"moments, {counts['tensors']} tensors compared with an undisturbed run"
    )
    asked = int(found[0].settings["kills"])
    short = "" if kills >= asked else f"; {asked} kills were asked for, but the run ended before"
    if "max_difference" not in told:
        why = f"the runs do not hold the same finite tensors; {note}{short}"
        return [Row.not_measured("resume_max_difference", why=why, goal=RESUME_GOAL)]
    exact = {name: Estimate.exact(value) for name, value in told.items()}
    return [
        Row.of("resume_max_difference", exact["max_difference"], goal=RESUME_GOAL, note=note + short),
        Row.of("resume_kills", Estimate.exact(kills), unit="kills", note="SIGTERM and SIGKILL together"),
        Row.of("resume_tensors", exact["tensors"], unit="tensors", note="weights, optimisers, records, random state"),
        Row.of("resume_same_episodes", exact["same_episodes"], note="1: both runs met the same training episodes"),
        Row.of(
            "resume_exits_with_0",
            exact["exits_with_0"],
            unit="processes",
            note="of those sent SIGTERM after their training had begun",
        ),
        Row.of("resume_processes", exact["processes"], unit="processes", note="that the disturbed run took"),
    ]


def _returns(cells: Sequence[Cell]) -> list[Row]:
    rows = []
    for mode in MODES:
        arm = f"{SWITCH}-{mode}"
        found = {when: seeds_of(cells, arm, f"return/{when}") for when in WHEN}
        for when, values in found.items():
            name = f"return_{when}_switch_{mode}"
            rows.append(row(name, values, unit="reward", note=f"VASE {mode}; {_window(cells, arm, when)}"))
        for when in ("at", "after"):
            less = _paired(found[when], found["before"])
            note = f"VASE {mode}; {when} the switch less before it, seed by seed"
            rows.append(row(f"return_change_{when}_switch_{mode}", less, unit="reward", note=note))
    for when in WHEN:
        ours, theirs = (seeds_of(cells, f"{SWITCH}-{mode}", f"return/{when}") for mode in MODES)
        note = f"VASE {MODES[0]} less {MODES[1]}, seed by seed; {_window(cells, f'{SWITCH}-{MODES[0]}', when)}"
        rows.append(row(f"return_gain_over_frozen_{when}_switch", _paired(ours, theirs), unit="reward", note=note))
    for when in ("before", "after"):
        values = seeds_of(cells, CHANCE, f"return/{when}")
        rows.append(row(f"return_chance_{when}_switch", values, unit="reward", note="random policy on that look"))
    return rows


def _window(cells: Sequence[Cell], arm: str, when: str) -> str:
    """What a window's returns are of."""
    words = {"before": "last {n} before the look changed", "at": "first {n} after it", "after": "last {n} of all"}
    own = next((cell for cell in cells if cell.arm == arm), None)
    if own is None:
        return NOT_RUN
    policy = own.settings["policy"]
    steps = own.settings["window"] * policy["steps_per_rollout"] * policy["copies"]
    return f"training episodes that ended in the {words[when].format(n=f'{steps:,} steps')}"


def _publications(cells: Sequence[Cell]) -> list[Row]:
    arm = f"{SWITCH}-{MODES[0]}"
    rows = [
        row(
            f"publications_elsewhere_{mode}",
            seeds_of(cells, f"{SWITCH}-{mode}", "elsewhere"),
            unit="rollouts",
            goal="== 0",
            note="rollouts during which, or in whose update of the policy, the policy's copy of the encoder changed",
        )
        for mode in MODES
    ]
    for mode in MODES:
        values = seeds_of(cells, f"{SWITCH}-{mode}", "publications")
        rows.append(row(f"publications_{mode}", values, unit="publications", note="all at the beginning of a rollout"))
    for mode, measures in ((MODES[0], {**PUBLISHED, **COMPARED}), (MODES[1], COMPARED)):
        for name, (figure, unit, words) in measures.items():
            for when in WHEN:
                values = seeds_of(cells, f"{SWITCH}-{mode}", f"{figure}/{when}")
                rows.append(row(f"{name}_{when}_switch_{mode}", values, unit=unit, note=words))
    known, noticed = seeds_of(cells, arm, "environments"), seeds_of(cells, arm, "noticed")
    rows.append(row("environments_known_continual", known, unit="environments", note="at the end; 2 looks were shown"))
    if len(known) > len(noticed):
        why = f"{len(known) - len(noticed)} of {len(known)} seeds inferred no other environment after the switch"
        return [*rows, Row.not_measured("switch_noticed_after_rollouts", why=why, unit="rollouts")]
    note = "rounds of updates after the switch until another environment was inferred, not being told; 1 is the first"
    return [*rows, row("switch_noticed_after_rollouts", noticed, unit="rollouts", note=note)]


def _paired(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Seed by seed; nothing where seeds are missing on either side."""
    return first - second if len(first) == len(second) else np.empty(0)
