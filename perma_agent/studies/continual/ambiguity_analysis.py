"""Ambiguity in a finished life: what its learner takes mixtures of two worlds for (figure 5A)."""

from __future__ import annotations

from typing import Any

import numpy as np

from perma_agent.continual import Learner
from perma_agent.data.image_sequences import blend
from perma_agent.evaluation.ambiguity import COMPANY, Ambiguity, ambiguity
from perma_agent.evaluation.traversals import reconstruct
from perma_agent.studies.cell_runs import Measured
from perma_agent.studies.continual.analysis_basis import AnalysisConfig, Environments, apart, measured, nothing
from perma_agent.studies.continual.examination import Worlds

FIGURES = ("centre", "width", "mean_width", "shift", "sigma_ratio", "sigma_ratio_all", "elsewhere")


def measure_ambiguity(
    learner: Learner,
    worlds: Worlds,
    environments: Environments,
    *,
    between: tuple[str, str],
    rng: np.random.Generator,
    config: AnalysisConfig | None = None,
) -> Measured:
    """Mix the test frames of two worlds, and see what the learner takes them for, alone and in company.

    Args:
        learner: as it is at the end of its life; left so.
        worlds: to draw from.
        environments: what the worlds were inferred as.
        between: the first world and the second, of frames of one shape; neither needs to have moved.
        rng: draws frames and batches.
        config: how much.

    Returns:
        Figures `ambiguity_centre`, `_width` (of single mixtures' boundaries, in weight of the first world),
        `_mean_width` (of their mean), `_shift` (at the smallest share of company there is; a large one decides alone),
        `_sigma_ratio`, `_sigma_ratio_all` and `_elsewhere` (largest probability of a third environment); None, and a
        note, where a world has no environment of its own. Series `ambiguity`: the curves, and a sheet of one mixture at
        each weight, above what it is decoded to as the first world and as the second.
    """
    config = config or AnalysisConfig()
    indices, note = apart(learner, environments, between)
    if indices is None:
        return nothing("ambiguity", FIGURES, note)
    first, second = (worlds.test[name].draw(config.frames, rng).frames for name in between)
    records = learner.inference.records
    found = ambiguity(
        learner.model,
        first,
        second,
        environments=indices,
        known=len(records),
        used=np.logical_or(*(records[index].used.numpy() for index in indices)),
        config=config.ambiguity,
        rng=rng,
    )
    mixed = np.concatenate([blend(second[:1], first[:1], weight) for weight in config.ambiguity.weights])
    drawn = [reconstruct(learner.model, mixed, environment=index) for index in indices]
    series = {"worlds": between, "environments": indices, **_series(found)}
    return measured("ambiguity", _figures(found), series, np.stack([mixed, *drawn]))


def _figures(found: Ambiguity) -> dict[str, float]:
    usual = found.usual_boundary
    values = (
        usual.centre,
        usual.width,
        found.mean_boundary.width,
        _shift(found),
        found.sigma_ratio,
        found.sigma_ratio_all,
        float(found.elsewhere.max()),
    )
    return dict(zip(FIGURES, values, strict=True))


def _shift(found: Ambiguity) -> float:
    company = found.shares > 0
    return float(found.shift[company][found.shares[company].argmin()]) if company.any() else float("nan")


def _series(found: Ambiguity) -> dict[str, Any]:
    return {
        "weights": found.weights,
        "shares": found.shares,
        "single": found.single.mean(axis=0),
        "elsewhere": found.elsewhere,
        "averaged": dict(zip(COMPANY, found.averaged, strict=True)),
        "decided": dict(zip(COMPANY, found.decided, strict=True)),
        "decision_boundaries": dict(zip(COMPANY, found.decision_boundaries, strict=True)),
        "shift": found.shift,
        "sigma_used": found.sigma_used,
        "sigma_all": found.sigma_all,
    }
