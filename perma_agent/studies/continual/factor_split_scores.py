"""Scores of a life whose factors open one after another: what the open factors' gaps lose, and who holds them."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from perma_agent.evaluation.inference_score import score_inference
from perma_agent.studies.cell_runs import Measured
from perma_agent.studies.continual.factor_split_examination import SCORES, Opens
from perma_agent.studies.continual.life import Life

LEARNT = 0.25
"""Share of a factor's entropy that a latent must tell to be said to hold it."""


def measured(life: Life, *, opens: Opens) -> Measured:
    """Figures and series of a life.

    Args:
        life: examined by a `FactorExaminer`.
        opens: factors that open with each of its worlds.
    """
    last, scores = life.findings[-1], score_inference(life.history, life.worlds)
    settled = sum(record.settled for record in life.learner.inference.records)
    drops = {key: mig_drops(life.findings, opens=opens, key=key) for key in ("mig", "mig_home")}
    return Measured(
        figures={
            **{name: last[name] for name in SCORES},
            **{f"mig_{factor}": gap for factor, gap in last["mig"].items()},
            "mig_drop": _largest(drops["mig"]),
            "mig_drop_home": _largest(drops["mig_home"]),
            "mig_drop_since_world": _largest(mig_drops(life.findings, opens=opens, key="mig", best=False)),
            **{f"mig_drop_{factor}": drop for factor, drop in drops["mig"].items()},
            "kept_latents": kept_latents(life.findings, opens=opens),
            "environments": float(settled),
            "worlds_found": float(len(life.worlds) - scores.missed),
            "spurious": float(scores.spurious),
        },
        series={"steps": life.examined, **_series(life.findings, opens), "changes": _changes(life)},
    )


def mig_drops(
    findings: Sequence[Mapping[str, Any]], *, opens: Opens, key: str = "mig", best: bool = True
) -> dict[str, float]:
    """How far each factor's gap has fallen at the end of life since it had been learnt.

        drop_k = max over examinations e from the end of k's world on of MIG_k(e)  -  MIG_k(last)

    k's world is the one with which it opened. Nothing is smoothed; the maximum over noisy examinations can only make
    the drop larger. With `mig` each examination is on frames of the last world opened so far: a drop also counts what
    new factors make harder in telling an old one. With `mig_home` it is on frames of k's world throughout, which counts
    what was forgotten and nothing else.

    Args:
        findings: of all examinations, the last of each world at its end.
        opens: factors that open with each world.
        key: whose gaps, `mig` or `mig_home`.
        best: whether from the best since the end of k's world, or from the gap at that end.

    Returns:
        By factor, never negative if from the best; those that open with the last world, which have no later
        examination to lose anything by, are left out.
    """
    found = {}
    for world, own in enumerate(opens[:-1]):
        learnt = world_end(findings, world)
        for factor in own:
            gaps = [examination[key][factor] for examination in findings[learnt:]]
            found[factor] = (max(gaps) if best else gaps[0]) - gaps[-1]
    return found


def kept_latents(findings: Sequence[Mapping[str, Any]], *, opens: Opens) -> float | None:
    """Share of the factors told best, at the end of life, by the latent that told them best when their world ended.

    Args:
        findings: of all examinations.
        opens: factors that open with each world; those of the last one are not counted, nor those that no latent told
            of by more than `LEARNT` when their world ended: nothing held them then.

    Returns:
        In [0, 1]; None where no factor counts.
    """
    kept = []
    for world, own in enumerate(opens[:-1]):
        then, now = findings[world_end(findings, world)], findings[-1]
        kept += [then["holder"][factor] == now["holder"][factor] for factor in own if then["told"][factor] > LEARNT]
    return float(np.mean(kept)) if kept else None


def world_end(findings: Sequence[Mapping[str, Any]], world: int) -> int:
    """Number of the last examination in a world, counted from 0.

    Raises:
        ValueError: it was not examined in that world.
    """
    during = [number for number, examination in enumerate(findings) if examination["world"] == world]
    if not during:
        raise ValueError(f"expected an examination in world {world}, got none; examine at the end of each world")
    return during[-1]


def _largest(drops: Mapping[str, float]) -> float | None:
    return max(drops.values()) if drops else None


def _series(findings: Sequence[Mapping[str, Any]], opens: Opens) -> dict[str, Any]:
    """Each score over the life, and what was found of each factor, None before it opens."""
    factors = list(itertools.chain(*opens))
    found: dict[str, Any] = {name: [examination[name] for examination in findings] for name in ("world", *SCORES)}
    for key in ("mig", "mig_home", "told", "holder"):
        found[key] = {factor: [examination[key].get(factor) for examination in findings] for factor in factors}
    return found


def _changes(life: Life) -> list[list[int]]:
    """Batches at which the environment changed, with its index (-1: the batch surprised)."""
    environments = life.history.environments
    at = np.flatnonzero(np.diff(environments, prepend=-2))
    return [[int(life.history.steps[i]), int(environments[i])] for i in at]
