"""Scores of a life whose factors open one after another: gaps of open factors, what they lose, who holds them."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from perma_agent.continual import Learner
from perma_agent.data.sprites import SpriteBatch
from perma_agent.evaluation.disentanglement import active_units, dci, mig, mig_sup
from perma_agent.evaluation.disentanglement.mutual_information import entropies
from perma_agent.evaluation.inference_score import score_inference
from perma_agent.evaluation.traversals import posterior_of
from perma_agent.studies.cell_runs import Measured
from perma_agent.studies.continual.life import Life

Opens = Sequence[Sequence[str]]


class FactorWorld(Protocol):
    """A world of frames with known factors."""

    factors: tuple[str, ...]

    def draw(self, count: int, rng: np.random.Generator) -> SpriteBatch:
        """Frames and, in the columns of `factors`, what they show."""


class FactorExaminer:
    """Measures a learner's code on the same frames at each moment of a life.

    Args:
        worlds: in the order in which they come.
        opens: factors that open with each of them.
        steps: batches of each.
        frames: test frames of each.
        seed: of the test frames.
    """

    def __init__(
        self, worlds: Sequence[FactorWorld], *, opens: Opens, steps: Sequence[int], frames: int, seed: int
    ) -> None:
        rng = np.random.default_rng([seed, 1])  # other frames than the life is made of
        self.opens, self._ends, self._seed = opens, np.cumsum(steps), seed
        self._tests = [(world.factors, world.draw(frames, rng)) for world in worlds]

    def __call__(self, learner: Learner) -> dict[str, Any]:
        """Posterior means (unmasked) against factors; the learner is left as it is.

        Returns:
            By factor, on frames of the last world opened so far: `mig`; `holder`, the latent that tells most; `told`,
            what share of the factor's entropy it tells. `SCORES`, likewise: means over factors or latents; DCI of
            boosted trees, the factors as numbers. `mig_home` by factor, each on frames of the world with which it
            opened and on samples instead of means (Chen et al.), since latents of factors that stand still there
            tremble within their noise. `world`, the number of the last world.
        """
        world = int(np.searchsorted(self._ends, learner.step))
        codes = [self._codes(learner, seen) for seen in range(world + 1)]
        names, test = self._tests[world]
        means = codes[world][0]
        gaps = mig(means, test.factors)
        boosted = dci(means, test.factors, np.random.default_rng(self._seed), continuous=True)
        home: dict[str, float] = {}
        for seen, own in enumerate(self.opens[: world + 1]):
            columns, before = self._tests[seen]
            found = mig(codes[seen][1], before.factors).per_factor
            home |= {name: float(found[columns.index(name)]) for name in own}
        return {
            "world": world,
            "mig": dict(zip(names, gaps.per_factor.tolist(), strict=True)),
            "holder": dict(zip(names, gaps.information.argmax(axis=0).tolist(), strict=True)),
            "told": dict(zip(names, (gaps.information.max(axis=0) / entropies(test.factors)).tolist(), strict=True)),
            "mig_home": home,
            "mig_mean": gaps.score,
            "mig_sup": mig_sup(means, test.factors).score,
            "dci_disentanglement": boosted.disentanglement,
            "dci_completeness": boosted.completeness,
            "dci_informativeness": boosted.informativeness_test,
        }

    def _codes(self, learner: Learner, world: int) -> tuple[np.ndarray, np.ndarray]:
        """Posterior means of active latents, 0 for the others, and samples z ~ q(z|x); float32, shape `[N, D]` each.

        Means of a latent that the decoder ignores still tell of the frame, at a scale that binning does not know to be
        nothing: with 14 idle latents beside two that held x and y wholly, MIG was .38 instead of .87 (one seed). CUDOS
        leaves them out likewise. Samples have no such trouble: what stays within a latent's noise tells nothing.
        """
        posterior = posterior_of(learner.model, self._tests[world][1].frames)
        means, stds = posterior.mean.cpu().numpy(), posterior.std.cpu().numpy()
        noise = np.random.default_rng([self._seed, 2]).standard_normal(means.shape, dtype=np.float32)
        return np.where(active_units(means).active, means, 0.0), means + stds * noise


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


SCORES = ("mig_mean", "mig_sup", "dci_disentanglement", "dci_completeness", "dci_informativeness")
"""Single numbers of an examination."""
LEARNT = 0.25
"""Share of a factor's entropy that a latent must tell to be said to hold it."""


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
