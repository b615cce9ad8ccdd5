"""Bonus cost: what share of PPO's steps a second a bonus takes, every agent in turn on the same machine."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
from stable_baselines3 import PPO
from stable_baselines3.common.vec_env import VecEnv

from perma_agent.evaluation.cells import Cell
from perma_agent.evaluation.results import Row
from perma_agent.evaluation.statistics import Estimate, bootstrap_interval
from perma_agent.sb3 import EncodedObservation
from perma_agent.studies.exploration.arms import ARMS, OURS, PLAIN, RIVAL
from perma_agent.studies.exploration.explorer import ExplorerConfig, Paid, made_bonus, make_ppo, pay
from perma_agent.studies.planned_cell import Advance, Measured
from perma_agent.studies.timed_levels import Seconds, take_turns

COST_GOAL, AGAINST_RIVAL_GOAL = "<= 0.25", "<= 1.5"
RESAMPLED = 10_000
"""Times rounds are drawn again for the interval of a ratio."""
PAIRED = "median over rounds in which each agent has its turn, which n counts"


def measure_bonus_cost(
    advance: Advance,
    *,
    make_levels: Callable[[], VecEnv],
    run: Path,
    arms: Sequence[str] = (PLAIN, RIVAL, OURS),
    config: ExplorerConfig | None = None,
    rounds: int = 10,
    seed: int = 0,
) -> Measured:
    """Time PPO with each bonus: in every round each agent collects one rollout and learns from it, its bonus too.

    All agents are the study's (`Explorer`): levels in `EncodedObservation`, then `BonusReward`, and a small MLP, so
    that a bonus has little to hide behind. The order moves on with each round, and a first round does not count.

    Args:
        advance: called with 1 after each block.
        make_levels: makes the copies for one agent; bare but for a Monitor, all alike.
        run: run folder of the VASE.
        arms: names in `ARMS`; `none` must be among them.
        config: of PPO; `copies` and `steps` are not used. None for the study's own.
        rounds: that count.
        seed: of levels, agents and bonuses.

    Returns:
        Series `seconds_<arm>` of each round and `cost_<arm>`, see `costs`; figures `steps_per_second_<arm>` and
        `cost_<arm>`, medians of these.

    Raises:
        ValueError: an arm is unknown, or `none` is missing.
    """
    if PLAIN not in arms or not set(arms) <= set(ARMS):
        raise ValueError(f"expected arms among {', '.join(ARMS)}, {PLAIN} one of them, got {', '.join(arms)}")
    config = config or ExplorerConfig()
    agents: dict[str, PPO] = {}
    try:
        for arm in arms:
            agents[arm] = _agent(arm, make_levels(), run, config=config, seed=seed)
        timers = {arm: partial(_time, agent) for arm, agent in agents.items()}
        seconds = take_turns(timers, rounds=rounds, on_block=advance)
        steps = next(iter(agents.values())).n_envs * config.steps_per_rollout
    finally:
        for agent in agents.values():
            assert agent.env is not None
            agent.env.close()
    return _measured(seconds, steps=steps)


def costs(seconds: Seconds) -> dict[str, list[float]]:
    """Share of steps a second that each bonus takes, by round: 1 - seconds without / seconds with.

    Args:
        seconds: of each arm's blocks, `none` among them.
    """
    plain = np.asarray(seconds[PLAIN])
    return {arm: (1.0 - plain / np.asarray(values)).tolist() for arm, values in seconds.items() if arm != PLAIN}


def bonus_cost_rows(cell: Cell | None) -> list[Row]:
    """The bars `bonus_cost` and `bonus_cost_vs_rnd`, and the cost of each other arm.

    Args:
        cell: what `measure_bonus_cost` gave; None where it was not run.
    """
    found = {} if cell is None else {name.removeprefix("cost_"): cell.series[name] for name in _costs_in(cell)}
    note = f"share of PPO's steps/s that the bonus takes; {PAIRED}"
    rows = [_row("bonus_cost", found.get(OURS), goal=COST_GOAL, note=f"{OURS}: {note}")]
    if OURS in found and RIVAL in found:
        ratio = _ratio(np.asarray(found[OURS]), np.asarray(found[RIVAL]))
        told = f"median cost of {OURS} over that of {RIVAL}, rounds resampled together"
        rows.append(Row.of("bonus_cost_vs_rnd", ratio, goal=AGAINST_RIVAL_GOAL, note=told))
    else:
        rows.append(_row("bonus_cost_vs_rnd", None, goal=AGAINST_RIVAL_GOAL, note=""))
    others = {arm: values for arm, values in found.items() if arm != OURS}
    return rows + [_row(f"bonus_cost_{arm.replace('-', '_')}", values, note=note) for arm, values in others.items()]


def _agent(arm: str, levels: VecEnv, run: Path, *, config: ExplorerConfig, seed: int) -> PPO:
    paid = Paid(arm=ARMS[arm], weight=ARMS[arm].weights[0], extrinsic=1.0)
    levels.seed(seed)
    rewarded = pay(EncodedObservation(levels, run), paid, config, bonus=made_bonus(paid.arm, seed, run=run))
    return make_ppo(rewarded, config, seed=seed, shows_goal=paid.arm.shows_goal)


def _time(agent: PPO) -> float:
    """Seconds of one rollout and what is learnt from it."""
    began = time.perf_counter()
    agent.learn(agent.n_steps * agent.n_envs, reset_num_timesteps=False)
    return time.perf_counter() - began


def _measured(seconds: Seconds, *, steps: int) -> Measured:
    shares = costs(seconds)
    speeds = {f"steps_per_second_{arm}": steps / float(np.median(values)) for arm, values in seconds.items()}
    return Measured(
        figures={**speeds, **{f"cost_{arm}": float(np.median(values)) for arm, values in shares.items()}},
        series={
            **{f"seconds_{arm}": values for arm, values in seconds.items()},
            **{f"cost_{arm}": values for arm, values in shares.items()},
        },
    )


def _costs_in(cell: Cell) -> list[str]:
    return [name for name in cell.series if name.startswith("cost_")]


def _row(id: str, values: Sequence[float] | None, *, goal: str | None = None, note: str) -> Row:
    if values is None:
        return Row.not_measured(id, why="these agents have not been timed yet", goal=goal)
    return Row.of(id, bootstrap_interval(values, np.median, rng=np.random.default_rng(0)), goal=goal, note=note)


def _ratio(ours: np.ndarray, theirs: np.ndarray) -> Estimate:
    """Ratio of medians; where the rival costs nothing measurable it is as large as that says."""
    rounds = len(ours)
    drawn = np.random.default_rng(0).integers(0, rounds, (RESAMPLED, rounds))
    tiny = np.finfo(float).eps

    def of(first: np.ndarray, second: np.ndarray) -> np.ndarray:
        return np.asarray(np.median(first, axis=-1) / np.maximum(np.median(second, axis=-1), tiny))

    low, high = np.percentile(of(ours[drawn], theirs[drawn]), (2.5, 97.5))
    return Estimate(value=float(of(ours, theirs)), low=float(low), high=float(high), n=rounds)
