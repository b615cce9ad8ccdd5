"""The cells of the study `sb3`: timings, the run that is killed, and agents that go through the switch."""

from __future__ import annotations

import dataclasses
import tempfile
from functools import partial
from pathlib import Path

import numpy as np

from perma_agent.continual.config_json import to_json
from perma_agent.studies.planned_cell import Advance, Measured, PlannedCell
from perma_agent.studies.sb3.config import SB3Study, SpeedConfig
from perma_agent.studies.sb3.pretrained import vase_folder
from perma_agent.studies.sb3.resume_trial import ResumeTrialConfig, run_resume_trial
from perma_agent.studies.sb3.switch import MODES, measure_chance, measure_switch
from perma_agent.studies.sb3.timed_agents import EYES, time_agents

SPEED, RESUME, SWITCH, CHANCE = "speed", "resume", "switch", "switch-chance"
"""How the names of cells begin: `speed-<threads>`, `resume`, `switch-<mode>`, `switch-chance`."""


def plan_speed(config: SB3Study, folder: Path) -> list[PlannedCell]:
    """A cell for each number of threads; each must run alone."""
    speed = config.speed
    return [
        PlannedCell(
            arm=f"{SPEED}-{threads}",
            seed=speed.policy.seed,
            settings={
                "preset": config.preset,
                **to_json(dataclasses.replace(speed, threads=(threads,))),
                "vase": to_json(config.vase),
            },
            work=float(speed.rounds * (len(EYES) + 1)),
            measure=partial(measure_speed, speed, vase_folder(folder), threads),
        )
        for threads in speed.threads
    ]


def plan_resume(config: SB3Study) -> PlannedCell:
    """The run that is killed; it makes a VASE of its own."""
    return PlannedCell(
        arm=RESUME,
        seed=config.resume.seed,
        settings={"preset": config.preset, **to_json(config.resume)},
        work=float(config.resume.kills),
        measure=partial(measure_resume, config.resume),
    )


def plan_switch(config: SB3Study, folder: Path) -> list[PlannedCell]:
    """Each arm with each seed, seed by seed, and chance."""
    switch = config.switch
    common = {"preset": config.preset, **to_json(dataclasses.replace(switch, seeds=())), "vase": to_json(config.vase)}
    agents = [
        PlannedCell(
            arm=f"{SWITCH}-{mode}",
            seed=seed,
            settings=common,
            work=2.0 * switch.rollouts,
            measure=partial(measure_switch, switch, mode, vase_folder(folder), seed),
        )
        for seed in switch.seeds
        for mode in MODES
    ]
    chance = PlannedCell(
        arm=CHANCE,
        seed=switch.seeds[0],
        settings={"preset": config.preset, "chance": switch.chance, **_looks(config)},
        work=2.0,
        measure=partial(measure_chance, switch, switch.seeds[0]),
    )
    return [*agents, chance]


def _looks(config: SB3Study) -> dict[str, object]:
    """The two levels and how many copies of them."""
    switch = config.switch
    return {
        "before": to_json(switch.before),
        "after": to_json(switch.after),
        "copies": switch.policy.copies,
    }


def measure_speed(config: SpeedConfig, run: Path, threads: int, advance: Advance) -> Measured:
    """Steps a second of each block of each arm, all copies together, and their medians."""
    seconds = time_agents(config, run, threads=threads, on_block=advance)
    rates = {name: [config.block / each for each in values] for name, values in seconds.items()}
    return Measured(figures={name: float(np.median(values)) for name, values in rates.items()}, series=rates)


def measure_resume(config: ResumeTrialConfig, advance: Advance) -> Measured:
    """What `run_resume_trial` found; `max_difference` is None where the two runs do not hold the same tensors."""
    with tempfile.TemporaryDirectory() as folder:
        outcome = run_resume_trial(config, Path(folder), on_kill=partial(advance, 1.0))
    figures: dict[str, float | None] = {name: float(value) for name, value in dataclasses.asdict(outcome).items()}
    if not np.isfinite(outcome.max_difference):
        figures["max_difference"] = None
    return Measured(figures=figures)
