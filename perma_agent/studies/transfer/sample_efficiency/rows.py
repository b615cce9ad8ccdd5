"""The rows of the part `sample-efficiency`: its bars first, then what each arm gave and took."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from perma_agent.evaluation.cells import Cell
from perma_agent.evaluation.results import BEYOND, Row
from perma_agent.evaluation.statistics import Estimate, iqm, stratified_bootstrap_interval
from perma_agent.studies.seed_rows import row, row_id, seeds_of
from perma_agent.studies.transfer.sample_efficiency.arms import ARMS
from perma_agent.studies.transfer.sample_efficiency.curves import Reach, common_moments, reach
from perma_agent.studies.transfer.sample_efficiency.object_probe import WHAT
from perma_agent.studies.transfer.sample_efficiency.planning import CODES, cell_name
from perma_agent.studies.transfer.sample_efficiency.results import RESAMPLES, LevelResults, levels_of

OURS, NATURE = "vase", "nature"
RATIO = "steps_ratio_to_nature_return"
GOAL = "<= 0.333"
BETTER = f"> 0{BEYOND}"
"""Of a difference that seeds shall not explain."""
DRAWN = 10_000
"""Resamples for differences of final scores."""
NOT_RUN = "these cells have not been run yet"
SCALE = "score 0: the random policy, 1: a player that knows where everything is"
RESAMPLED = "IQM over runs, 95% bootstrap stratified by level"


def rows_of(cells: Sequence[Cell]) -> list[Row]:
    """All rows; those of bars also where nothing was measured."""
    levels = levels_of(cells)
    return [
        *_ratios(levels),
        _difference("vase_over_random", levels, OURS, "random", goal=BETTER),
        _difference("vase_over_vae", levels, OURS, "vae", goal=BETTER),
        _difference("vase_over_nature", levels, OURS, NATURE),
        _difference("vase_continual_over_vase", levels, "vase-continual", OURS),
        *_scores(levels),
        *(found for level in levels for found in _level_rows(level, cells)),
    ]


def score_estimate(levels: Sequence[LevelResults], arm: str) -> Estimate | None:
    """IQM of an arm's final scores over the runs on all levels that it was run on; None where there are none."""
    strata = [scores for level in levels if len(scores := level.final_scores(arm))]
    return stratified_bootstrap_interval(strata, rng=np.random.default_rng(0)) if strata else None


def return_estimate(level: LevelResults, arm: str) -> Estimate | None:
    """IQM of an arm's final returns on a level; None where there are none."""
    returns = level.final_returns(arm)
    return stratified_bootstrap_interval([returns], rng=np.random.default_rng(0)) if len(returns) else None


def _ratios(levels: Sequence[LevelResults]) -> Iterator[Row]:
    """Steps until VASE's curve reaches NatureCNN's final return, over NatureCNN's own."""
    both = [level for level in levels if level.curves(OURS) is not None and level.curves(NATURE) is not None]
    if not both:
        yield Row.not_measured(RATIO, why=NOT_RUN, goal=GOAL)
        return
    plain = {level.name: _reach(level) for level in both}
    yield _worst(RATIO, both, plain)
    for level in both:
        yield _ratio(f"{RATIO}_{row_id(level.name)}", [level], plain[level.name])
    if len(both) > 1 and all(level.players is not None for level in both):
        yield _ratio(f"{RATIO}_pooled", both, _reach_pooled(both), note="normalised curves of all levels together")
    for level in both:
        name = row_id(level.name)
        counted = _reach(level, before=True)
        note = f"the {level.frames} frames of pretraining added to VASE's steps"
        yield _ratio(f"steps_ratio_with_pretraining_{name}", [level], counted, note=note)
        yield _ratio(
            f"steps_ratio_to_nature_budget_{name}",
            [level],
            _reach(level, budget=True),
            note="over all steps that NatureCNN took",
        )
        yield Row.of(
            f"seconds_ratio_with_pretraining_{name}",
            Estimate.exact(counted.seconds, n=_runs([level])),
            note="the same in wall-clock seconds, pretraining included; one thread each, cells side by side; no "
            "interval" + ("" if counted.reached else "; not reached: at least this"),
        )


def _reach(level: LevelResults, *, before: bool = False, budget: bool = False) -> Reach:
    ours, theirs = level.curves(OURS), level.curves(NATURE)
    assert ours is not None and theirs is not None  # of levels that have both
    return reach(
        [ours],
        [theirs],
        rng=np.random.default_rng(0),
        resamples=RESAMPLES,
        before=level.before(OURS) if before else (0, 0.0),
        budget=budget,
    )


def _reach_pooled(levels: Sequence[LevelResults]) -> Reach:
    strata = [curves for arm in (OURS, NATURE) for level in levels if (curves := level.score_curves(arm)) is not None]
    cut = common_moments(strata)
    return reach(cut[: len(levels)], cut[len(levels) :], rng=np.random.default_rng(0), resamples=RESAMPLES)


def _ratio(id: str, levels: Sequence[LevelResults], found: Reach, *, note: str = "") -> Row:
    words = [note, _reach_in_words(found), *map(_little_to_reach, levels)]
    return _interval_row(id, found.ratio, found.ratios, runs=_runs(levels), note="; ".join(filter(None, words)))


def _worst(id: str, levels: Sequence[LevelResults], found: dict[str, Reach]) -> Row:
    """The greatest ratio of all levels, in each resample too: what is said of it holds on every level."""
    worst = max(found, key=lambda name: found[name].ratio)
    drawn = np.max([each.ratios for each in found.values()], axis=0)
    words = [f"the worst level, {worst}, of {', '.join(found)}: {_reach_in_words(found[worst])}"]
    words += [
        f"not reached on {name}: the ratio is at least this"
        for name in found
        if not found[name].reached and name != worst
    ]
    note = "; ".join(filter(None, [*words, *map(_little_to_reach, levels)]))
    return _interval_row(id, found[worst].ratio, drawn, runs=_runs(levels), note=note, goal=GOAL)


def _interval_row(id: str, value: float, drawn: np.ndarray, *, runs: int, note: str, goal: str | None = None) -> Row:
    low, high = (value, value) if runs == 1 else np.percentile(drawn, (2.5, 97.5))
    return Row(id=id, mean=value, low=float(low), high=float(high), n=runs, goal=goal, note=note)


def _reach_in_words(found: Reach) -> str:
    own = f"NatureCNN's final training return, {found.target:.3g}, was first there after {found.steps[1]} steps"
    reached = (
        f"VASE frozen reached it after {found.steps[0]}"
        if found.reached
        else (f"VASE frozen did not reach it within {found.steps[0]}, so the ratio is at least this")
    )
    missed = "" if not found.missed else f"; not reached in {found.missed:.0%} of resamples, which count as the budget"
    return f"{own}; {reached}{missed}; IQM over seeds"


def _little_to_reach(level: LevelResults) -> str:
    """A warning where NatureCNN is not better than chance beyond its interval: then its return is soon reached."""
    estimate = return_estimate(level, NATURE)
    if level.players is None or estimate is None or estimate.low > level.players[0]:
        return ""
    return f"on {level.name} NatureCNN did not beat the random player beyond the interval: little was to be reached"


def _runs(levels: Sequence[LevelResults]) -> int:
    """Seeds that both arms were run with, on the level that has fewest."""
    return min(len(level.arms[arm]) for level in levels for arm in (OURS, NATURE))


def _difference(id: str, levels: Sequence[LevelResults], ours: str, theirs: str, *, goal: str | None = None) -> Row:
    """IQM of our final scores less IQM of theirs, over the levels on which both were run."""
    both = [level for level in levels if len(level.final_scores(ours)) and len(level.final_scores(theirs))]
    if not both:
        return Row.not_measured(id, why=NOT_RUN, goal=goal)
    strata = [[level.final_scores(arm) for level in both] for arm in (ours, theirs)]
    values = [float(iqm(np.concatenate(scores))) for scores in strata]
    rng = np.random.default_rng(0)
    drawn = [_resampled(scores, rng=rng) for scores in strata]
    note = (
        f"{ARMS[ours].title} less {ARMS[theirs].title}, final scores on {', '.join(level.name for level in both)} "
        f"({SCALE}); {RESAMPLED}, runs of both arms resampled apart"
    )
    runs = min(len(scores) for scores in (*strata[0], *strata[1]))
    return _interval_row(id, values[0] - values[1], drawn[0] - drawn[1], runs=runs, note=note, goal=goal)


def _resampled(strata: Sequence[np.ndarray], *, rng: np.random.Generator) -> np.ndarray:
    drawn = [scores[rng.integers(0, len(scores), (DRAWN, len(scores)))] for scores in strata]
    return np.asarray(iqm(np.concatenate(drawn, axis=1), axis=1))


def _scores(levels: Sequence[LevelResults]) -> Iterator[Row]:
    """Final scores of each arm over all levels."""
    for arm in ARMS:
        estimate = score_estimate(levels, arm)
        if estimate is not None:
            yield Row.of(f"{row_id(arm)}_final_score", estimate, note=f"{ARMS[arm].title}; {SCALE}; {RESAMPLED}")


def _level_rows(level: LevelResults, cells: Sequence[Cell]) -> Iterator[Row]:
    """Final returns, successes and seconds of each arm on a level, and its players and codes."""
    name = row_id(level.name)
    if level.players is not None:
        for player, returned in zip(("random", "knowing"), level.players, strict=True):
            yield Row.of(f"{name}_{player}_player_return", Estimate.exact(returned), unit="reward", note=level.id)
    for arm, own in level.arms.items():
        estimate = return_estimate(level, arm)
        assert estimate is not None  # an arm of the level has cells
        yield Row.of(f"{name}_{row_id(arm)}_final_return", estimate, unit="reward", note="IQM over seeds")
        for figure, unit in (
            ("final_success", "share"),
            ("learning_seconds", "seconds"),
            ("learning_cpu_seconds", "seconds"),
        ):
            yield row(f"{name}_{row_id(arm)}_{figure}", seeds_of(own, own[0].arm, figure), unit=unit)
    for code in ("collecting", "vase", "vae"):
        seconds = seeds_of(cells, cell_name(level.name, CODES), f"{code}_seconds")
        if len(seconds):
            yield row(f"{name}_{code}_pretraining_seconds", seconds, unit="seconds", note=f"{level.frames} frames")
    for code in ("random", "vae", "vase"):
        for what, words in WHAT.items():
            told = seeds_of(cells, cell_name(level.name, CODES), f"{code}_object_{what}")
            if len(told):
                note = f"R² of a small network that reads of the nearest object {words}; layouts it has not seen"
                yield row(f"{name}_{code}_object_{what}", told, note=note)
