"""Reading a factor off a code with a small model, and how much better than by guessing, also in another environment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from sklearn.linear_model import LogisticRegression, Ridge

from perma_agent.evaluation.disentanglement.bins import varies
from perma_agent.evaluation.disentanglement.boosted_trees import BoostedTrees

Reader = Literal["trees", "linear"]
"""`trees`, boosted ones, read any relation but nothing beyond the values they learnt from; `linear` reads a straight
line (ridge regression) or plane boundaries (logistic regression), off standardised codes."""
STEPS = 1_000
"""Most iterations of logistic regression."""


@dataclass(frozen=True, kw_only=True, eq=False)
class FactorReader:
    """A model of one factor."""

    continuous: bool
    """Whether it tells numbers, or names."""
    values: np.ndarray
    """Names it learnt, in ascending order; empty for numbers."""
    centre: np.ndarray
    """Mean of the codes learnt from, shape `[D]`."""
    spread: np.ndarray
    """Their standard deviation, 1 for a constant latent, shape `[D]`."""
    model: Any
    """The fitted model, with scikit-learn's `predict`."""

    def predict(self, codes: np.ndarray) -> np.ndarray:
        """The factor of each code, shape `[N]`, of codes of shape `[N, D]`."""
        told: np.ndarray = self.model.predict((codes - self.centre) / self.spread)
        return told if self.continuous else self.values[told]

    def skill(self, codes: np.ndarray, truth: np.ndarray) -> float:
        """How much better than the best constant guess the factor is told.

            numbers: R² = 1 - Σ (v - v̂)² / Σ (v - v̄)²;   names: (accuracy - chance) / (1 - chance)

        Args:
            codes: shape `[N, D]`.
            truth: shape `[N]`; must vary.

        Returns:
            At most 1; 0 for what the mean or the most frequent name gets, which are those of `truth` itself.
        """
        told = self.predict(codes)
        if self.continuous:
            return float(1 - ((truth - told) ** 2).sum() / ((truth - truth.mean()) ** 2).sum())
        chance = float(np.unique_counts(truth).counts.max() / len(truth))
        return (float((told == truth).mean()) - chance) / (1 - chance)


def fit_reader(
    codes: np.ndarray, truth: np.ndarray, *, continuous: bool, reader: Reader, stages: int, seed: int
) -> FactorReader:
    """Learn to read a factor.

    Args:
        codes: shape `[N, D]`.
        truth: the factor's values, shape `[N]`, two different ones at least.
        continuous: whether they are numbers, or names.
        reader: which model.
        stages: of boosting.
        seed: of the choice between equally good splits of trees.

    Raises:
        ValueError: there is no such reader.
    """
    if reader not in get_args(Reader):
        raise ValueError(f"expected a reader among {', '.join(get_args(Reader))}, got {reader!r}")
    centre, spread = codes.mean(axis=0), np.where(varies(codes), codes.std(axis=0), 1.0)
    scaled = (codes - centre) / spread
    values, labels = (np.zeros(0), truth) if continuous else np.unique(truth, return_inverse=True)
    model: Any = Ridge() if continuous else LogisticRegression(max_iter=STEPS)
    if reader == "trees":
        model = BoostedTrees(stages, continuous=continuous, seed=seed)
    return FactorReader(
        continuous=continuous, values=values, centre=centre, spread=spread, model=model.fit(scaled, labels)
    )
