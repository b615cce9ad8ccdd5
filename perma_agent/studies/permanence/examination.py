"""Examination: every measure of a trained host's code, as figures and series of a cell."""

from __future__ import annotations

from typing import Any

import numpy as np

from perma_agent.evaluation.disentanglement import Settings, all_metrics, dci_forest, mcc
from perma_agent.evaluation.persistence import persistence
from perma_agent.evaluation.report.tiles import tiles_to_text
from perma_agent.evaluation.separation import invariant_separation
from perma_agent.evaluation.traversals import TRAVERSED, latent_traversals
from perma_agent.studies.permanence.test_frames import TestFrames
from perma_agent.studies.planned_cell import Measured
from perma_agent.temporal import FrameVAE, Host, codes, posteriors

QUICK_ROWS = 4_000
"""Frames for the measures that are taken on the way, and on which weights are chosen."""
SETTINGS = Settings(train_groups=4_000, test_groups=2_000)
"""disentanglement_lib's but for fewer votes of BetaVAE's and FactorVAE's scores, whose figures we lead with least."""

QUICK_SETTINGS = Settings(train_groups=1_000, test_groups=500, boosted_dci=False)
"""Where separation is what is asked."""


def quick_look(host: Host[Any], test: TestFrames) -> dict[str, float]:
    """DCI (forest) and MCC of a code, in a second or two: for curves, and to choose weights by."""
    every = _codes(host, test)
    rows = np.linspace(0, len(every) - 1, min(QUICK_ROWS, len(every))).astype(int)
    code, factors = every[rows], test.factors[rows]
    held_out = None if test.held_out is None else test.held_out[rows]
    forest = dci_forest(code, factors, np.random.default_rng(0), continuous=test.continuous, held_out=held_out)
    return {"dci_forest": forest.disentanglement, "mcc": mcc(code, factors).score}


def examine(host: Host[Any], test: TestFrames, *, seed: int) -> Measured:
    """All measures of a code.

    Args:
        host: trained.
        test: what to measure it on.
        seed: of the metrics' own draws.

    Returns:
        Figures by the names of `DisentanglementReport.figures`, and of `separation_of` and `persistence_of` where the
        ground asks for them; series `information` (nats of each latent), `correlation` and `importance` (`[D, K]`),
        `moved` (`[K, D]`, see `moved_by_factor`), and for a host with a decoder a sheet of traversals.
    """
    code = _codes(host, test)
    changes = _changes(host, test, code)
    report = all_metrics(
        code,
        test.factors,
        np.random.default_rng(seed),
        changes=changes,
        continuous=test.continuous,
        held_out=test.held_out,
        settings=SETTINGS if not test.groups else QUICK_SETTINGS,
    )
    series: dict[str, Any] = {
        "factors": list(test.names),
        "correlation": report.mcc_spearman.correlation.round(3).tolist(),
        "importance": (report.dci or report.dci_forest).importance.round(3).tolist(),
        "information": posteriors(host, test.frames[:QUICK_ROWS]).kl().mean(dim=0).numpy().round(3).tolist(),
        "moved": moved_by_factor(host, test, code.std(axis=0)),
    }
    figures = {**report.figures(), **separation_of(code, test, seed=seed), **persistence_of(code, test, seed=seed)}
    return Measured(figures=figures, series=series | _traversals(host, test))


def separation_of(code: np.ndarray, test: TestFrames, *, seed: int) -> dict[str, float]:
    """Whether the code sets apart what changes (`invariant_separation`), over frames that show all there is to see.

    Returns:
        `inside` and `outside`, the worst over groups, `latents`, the most that a group needs, and `met`, 1 where every
        group meets the claim; nothing where the ground has no groups.
    """
    if not test.groups:
        return {}
    shown = np.ones(len(code), dtype=bool) if test.visible is None else test.visible.ravel() >= 1
    found = [
        invariant_separation(
            code[shown],
            test.factors[shown],
            changing=group.factors,
            continuous=test.continuous,
            most_latents=group.most_latents,
            seed=seed,
        )
        for group in test.groups
    ]
    return {
        "inside": min(each.worst_inside for each in found),
        "outside": max(each.worst_outside for each in found),
        "latents": float(max(len(each.latents) for each in found)),
        "met": float(all(each.met for each in found)),
    }


def persistence_of(code: np.ndarray, test: TestFrames, *, seed: int) -> dict[str, float]:
    """What the code keeps of an object that cannot be seen (`persistence`), averaged over what the object is.

    Returns:
        `persistence/seen`, `/hidden`, `/same` and `/chance`; nothing where nothing is ever hidden.
    """
    if test.visible is None:
        return {}
    sequences, length = test.visible.shape
    columns = list(test.identity)
    found = persistence(
        code.reshape(sequences, length, -1),
        test.factors.reshape(sequences, length, -1)[:, 0, columns],
        test.visible,
        continuous=[test.continuous[k] for k in columns],
        seed=seed,
    )
    kinds = {"seen": found.seen, "hidden": found.hidden, "same": found.same, "chance": found.chance}
    return {f"persistence/{name}": float(values.mean()) for name, values in kinds.items()}


def moved_by_factor(host: Host[Any], test: TestFrames, spread: np.ndarray) -> list[list[float]]:
    """How far each latent moves when one factor alone moves.

        m_kd = mean | Δ_d | / std(z_d)   over pairs that differ in factor k only

    Args:
        host: trained.
        test: with `moved`.
        spread: standard deviation of each latent over frames, shape `[D]`.

    Returns:
        K rows of D numbers, in standard deviations; 0 for a latent that is constant; empty where `moved` is.
    """
    alive = spread > 1e-3
    rows = []
    for pairs in test.moved.values():
        size = np.abs(codes(host, pairs.frames) - codes(host, pairs.earlier)).mean(axis=0)
        rows.append(np.where(alive, size / np.where(alive, spread, 1.0), 0.0).round(3).tolist())
    return rows


def _codes(host: Host[Any], test: TestFrames) -> np.ndarray:
    """Posterior means of all test frames, shape `[N, D]`."""
    return codes(host, test.frames).reshape(len(test.factors), -1)


def _changes(host: Host[Any], test: TestFrames, code: np.ndarray) -> np.ndarray:
    """Changes of the code over pairs, within the sequences themselves where there are any, shape `[M, D]`."""
    if test.visible is None:
        changes: np.ndarray = codes(host, test.pairs.frames) - codes(host, test.pairs.earlier)
        return changes
    along = code.reshape(*test.visible.shape, -1)
    return np.diff(along, axis=1).reshape(-1, code.shape[1])


def _traversals(host: Host[Any], test: TestFrames) -> dict[str, Any]:
    """A sheet of all latents' traversals from one frame; nothing for a host without a decoder."""
    if not isinstance(host, FrameVAE):
        return {}
    every = np.ones(host.network.latents, dtype=bool)
    first = test.frames[0] if test.frames.ndim == 4 else test.frames[0, 0]
    sheet = latent_traversals(host.vase, first, environment=0, mask=every)
    return {"sheet": tiles_to_text(sheet), "sheet_rows": len(sheet), "sheet_columns": len(TRAVERSED)}
