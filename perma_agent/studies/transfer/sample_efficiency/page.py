"""The sections of the page that the part `sample-efficiency` fills, made of its cells alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from perma_agent.evaluation.cells import Cell
from perma_agent.evaluation.report import ArmScore, Table, Text, arm_scores
from perma_agent.studies.page_parts import NO_VALUE, Drawn, Part, estimate_text, seeds_in_words
from perma_agent.studies.seed_rows import seeds_of
from perma_agent.studies.transfer.sample_efficiency.arms import ARMS
from perma_agent.studies.transfer.sample_efficiency.curves import Curves, common_moments, iqm_curve, resampled_curves
from perma_agent.studies.transfer.sample_efficiency.figures import Along, Band, Panel, efficiency_figure
from perma_agent.studies.transfer.sample_efficiency.planning import PART
from perma_agent.studies.transfer.sample_efficiency.results import RESAMPLES, LevelResults, levels_of, shared_arms
from perma_agent.studies.transfer.sample_efficiency.rows import OURS, return_estimate, score_estimate

NAME = PART.replace("-", "_")
"""Begins the names of its figures."""
MARKS = ("random player", "knowing player")
"""Names of the lines at scores 0 and 1."""
INTRODUCTION = (
    "PPO, with one network behind the features and for each arm the better of two settings on a seed for trials, "
    "learns two levels, seen in six ways: through NatureCNN trained with it, an untrained encoder, a VAE and a VASE "
    "that stay as they were pretrained, a VASE that goes on learning beside the policy, and as a list of the level's "
    "true factors. VAE and VASE were pretrained for each level and seed on the same batches of frames of a random "
    "policy, with no reward. All arms take the same number of level steps."
)
CURVE = (
    "Training returns: at each moment the mean over the episodes that ended in the tenth of the budget before it (at "
    "least as long as the longest episode of all copies). Lines are interquartile means over seeds, bands 95% "
    "bootstrap intervals, stratified by level where levels are put together."
)


def contents_of(cells: Sequence[Cell]) -> Iterator[tuple[str, Sequence[Part]]]:
    """Titles of the sections in order, and what stands in them, if anything."""
    if not cells:
        return
    levels = levels_of(cells)
    yield "How soon a level is learnt", [Text(text=INTRODUCTION), *_curves(levels)]
    yield "How well it is learnt in the end", [*_final(levels), *_tables(levels)]


def _curves(levels: Sequence[LevelResults]) -> Iterator[Drawn]:
    for suffix, along, before, words in (
        ("steps", "steps", False, "The steps of the policy alone; pretraining is not counted."),
        ("steps_with_pretraining", "steps", True, "Frames that a code was pretrained on are counted as steps."),
        (
            "minutes",
            "minutes",
            True,
            "Wall clock on one thread, recording and pretraining included; cells ran side by "
            "side, so these are no speeds.",
        ),
    ):
        panels = _panels(levels, along="minutes" if along == "minutes" else "steps", before=before)
        if not panels:
            continue
        yield Drawn(
            name=f"{NAME}_{suffix}",
            figure=efficiency_figure(
                panels, along="minutes" if along == "minutes" else "steps", leading=ARMS[OURS].title
            ),
            alt=f"Training return of each arm over {suffix.replace('_', ' ')}, a panel a level",
            caption=f"{words} {CURVE}",
            seeds=_seeds(levels),
        )


def _panels(levels: Sequence[LevelResults], *, along: Along, before: bool) -> list[Panel]:
    panels = []
    for level in levels:
        found = {arm: curves for arm in level.arms if (curves := level.curves(arm)) is not None}
        marks = dict(zip(MARKS, level.players or (), strict=False))
        bands = [
            _band(arm, [curves], along=along, before=level.before(arm) if before else (0, 0.0))
            for arm, curves in found.items()
        ]
        if bands:
            panels.append(Panel(title=level.id, label="return of training episodes", bands=bands, marks=marks))
    return [*panels, *_together(levels, along=along, before=before)] if panels else []


def _together(levels: Sequence[LevelResults], *, along: Along, before: bool) -> list[Panel]:
    """All levels' scores in one panel, where there are several."""
    if len(levels) < 2 or any(level.players is None for level in levels):
        return []
    bands = []
    for arm in shared_arms(levels):
        strata = [curves for level in levels if (curves := level.score_curves(arm)) is not None]
        if len(strata) == len(levels):
            spent = np.mean([level.before(arm) for level in levels], axis=0) if before else np.zeros(2)
            bands.append(_band(arm, common_moments(strata), along=along, before=(int(spent[0]), float(spent[1]))))
    marks = dict(zip(MARKS, (0.0, 1.0), strict=True))
    return [Panel(title="all levels", label="score", bands=bands, marks=marks)] if bands else []


def _band(arm: str, strata: Sequence[Curves], *, along: Along, before: tuple[int, float]) -> Band:
    drawn = resampled_curves(strata, rng=np.random.default_rng(0), resamples=RESAMPLES)
    value = iqm_curve(strata)
    alone = all(len(curves) == 1 for curves in strata)
    low, high = (value, value) if alone else np.percentile(drawn, (2.5, 97.5), axis=0)
    seconds = np.concatenate([curves.seconds for curves in strata]).mean(axis=0)
    places = before[0] + strata[0].steps if along == "steps" else (before[1] + seconds) / 60
    return Band(title=ARMS[arm].title, along=places, value=value, low=low, high=high)


def _final(levels: Sequence[LevelResults]) -> Iterator[Drawn]:
    panels = {level.id: scores for level in levels if (scores := _level_scores(level))}
    together = [
        ArmScore(arm=ARMS[arm].title, estimate=estimate, seeds=_scores(levels, arm), ours=arm.startswith(OURS))
        for arm in shared_arms(levels)
        if (estimate := score_estimate(levels, arm)) is not None
    ]
    if len(levels) > 1 and together:
        panels["score on all levels"] = together
    if not panels:
        return
    yield Drawn(
        name=f"{NAME}_final",
        figure=arm_scores(panels, names=("VASE", "others"), reference=ARMS["nature"].title, best=False),
        alt="Return of each arm after training, a panel a level, and score over all levels",
        caption="Episodes after training, actions drawn from the policy. Dots are interquartile means over seeds with "
        "95% bootstrap intervals (stratified by level on the right), strokes single runs. Score 0 is the random "
        "player's return, 1 that of a player that knows where everything is.",
        seeds=_seeds(levels),
    )


def _scores(levels: Sequence[LevelResults], arm: str) -> list[float]:
    """Final scores of an arm's runs on all levels."""
    return [float(score) for level in levels for score in level.final_scores(arm)]


def _level_scores(level: LevelResults) -> list[ArmScore]:
    return [
        ArmScore(
            arm=ARMS[arm].title,
            estimate=estimate,
            seeds=level.final_returns(arm).tolist(),
            ours=arm.startswith(OURS),
        )
        for arm in level.arms
        if (estimate := return_estimate(level, arm)) is not None
    ]


def _tables(levels: Sequence[LevelResults]) -> Iterator[Table]:
    for level in levels:
        if not level.arms:
            continue
        players = (
            ""
            if level.players is None
            else (
                f" The random player's return is {level.players[0]:.2f}, the knowing player's {level.players[1]:.2f}."
            )
        )
        yield Table(
            header=("", "return", "success", "minutes of learning", "frames before", "minutes before", "seeds"),
            rows=[_table_row(level, arm) for arm in level.arms],
            caption=f"{level.id}. Return: interquartile mean over seeds with its 95% interval; success and minutes: "
            f"means over seeds. Minutes of one thread, cells side by side.{players}",
        )


def _table_row(level: LevelResults, arm: str) -> tuple[str, ...]:
    own, (frames, seconds) = level.arms[arm], level.before(arm)
    estimate = return_estimate(level, arm)
    return (
        ARMS[arm].title,
        NO_VALUE if estimate is None else estimate_text(estimate),
        estimate_text(seeds_of(own, own[0].arm, "final_success")),
        estimate_text(seeds_of(own, own[0].arm, "learning_seconds", scale=1 / 60), digits=1),
        f"{frames:,}" if frames else NO_VALUE,
        f"{seconds / 60:.1f}" if seconds else NO_VALUE,
        str(len(own)),
    )


def _seeds(levels: Sequence[LevelResults]) -> str:
    return seeds_in_words([cell for level in levels for own in level.arms.values() for cell in own])
