"""Gradient-boosted trees as scikit-learn grows them by default, several times faster: columns are sorted once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit, softmax

RATE = 0.1
"""Learning rate, scikit-learn's default."""
DEPTH = 3
"""Of each tree, scikit-learn's default."""
SAME = np.float32(1e-7)
"""Neighbouring values no further apart are not split, as in scikit-learn."""
PURE = float(np.finfo(np.float64).eps)
"""Variance of a node up to which it is not split, as in scikit-learn."""
TINY = 1e-150
"""Curvature below which a leaf takes no step, as in scikit-learn."""


@dataclass(frozen=True)
class _Tree:
    """A full binary tree in breadth-first order: node i has the children 2i + 1 and 2i + 2; a leaf passes all left."""

    feature: np.ndarray
    threshold: np.ndarray
    value: np.ndarray

    def __call__(self, x: np.ndarray) -> np.ndarray:
        node = np.zeros(len(x), dtype=np.intp)
        rows = np.arange(len(x))
        for _ in range(DEPTH):
            node = 2 * node + 1 + (x[rows, self.feature[node]] > self.threshold[node])
        value: np.ndarray = self.value[node]
        return value


class BoostedTrees:
    """Boosted trees of one factor: the model of `GradientBoostingClassifier` or `GradientBoostingRegressor`.

        F_0 = prior;  F_m = F_{m-1} + 0.1 · tree_m,  tree_m fitted to the residuals y - p (classes) or y - F (numbers)

    Trees have depth 3 and split where squared error falls most, leaves take a Newton step. scikit-learn sorts all
    columns anew at each node of each tree, which is nearly all of its time; here each column is sorted once, and nodes
    inherit the order. Where several splits are equally good, chance decides here and there, and not alike.
    """

    def __init__(self, stages: int, *, continuous: bool, seed: int) -> None:
        """Settings of the model.

        Args:
            stages: of boosting, at least 1.
            continuous: whether to regress numbers, or to classify.
            seed: of the choice between equally good splits.
        """
        self.stages, self.continuous, self.seed = stages, continuous, seed

    def fit(self, x: np.ndarray, y: np.ndarray) -> BoostedTrees:
        """Learn.

        Args:
            x: codes, shape `[N, D]`; computed with in float32, as in scikit-learn.
            y: numbers, or any labels of at least two classes, shape `[N]`.
        """
        x, rng = np.asfortranarray(x, dtype=np.float32), np.random.default_rng(self.seed)
        order = np.argsort(x, axis=0, kind="stable").T
        self.classes_, labels = np.unique(y, return_inverse=True)
        outputs = 1 if self.continuous or len(self.classes_) == 2 else len(self.classes_)
        prior = np.bincount(labels) / len(labels)
        if self.continuous:
            target, self._start = y[:, None].astype(np.float64), np.array([y.mean()])
        elif outputs == 1:
            target, self._start = labels[:, None] == 1.0, np.log(prior[1:] / prior[:1])
        else:
            target, self._start = labels[:, None] == np.arange(outputs), np.log(prior)
        raw = np.tile(self._start, (len(x), 1))
        gains, self._trees = np.zeros(x.shape[1]), []
        for _ in range(self.stages):
            residuals = target - (raw if self.continuous else _probabilities(raw))
            grown = []
            for k in range(outputs):
                kind = 0 if self.continuous else outputs
                column = np.ascontiguousarray(residuals[:, k])
                grown.append(_grow(x, column, order, raw=raw[:, k], gains=gains, outputs=kind, rng=rng))
            self._trees.append(grown)
        self.feature_importances_ = gains / gains.sum() if gains.sum() > 0 else gains
        return self

    def predict(self, x: np.ndarray) -> np.ndarray:
        """The likeliest class, or the number, of each row of `x`; shape `[N]`."""
        x = x.astype(np.float32)
        raw = np.tile(self._start, (len(x), 1))
        for grown in self._trees:
            for k, tree in enumerate(grown):
                raw[:, k] += tree(x)
        if self.continuous:
            return raw[:, 0]
        likeliest = (raw[:, 0] > 0).astype(int) if raw.shape[1] == 1 else raw.argmax(axis=1)
        classes: np.ndarray = self.classes_[likeliest]
        return classes

    def score(self, x: np.ndarray, y: np.ndarray) -> float:
        """Accuracy, or R² of numbers."""
        predicted = self.predict(x)
        if not self.continuous:
            return float((predicted == y).mean())
        return float(1 - ((y - predicted) ** 2).sum() / ((y - y.mean()) ** 2).sum())


def _probabilities(raw: np.ndarray) -> np.ndarray:
    probabilities: np.ndarray = expit(raw) if raw.shape[1] == 1 else softmax(raw, axis=1)
    return probabilities


def _grow(
    x: np.ndarray,
    residuals: np.ndarray,
    order: np.ndarray,
    *,
    raw: np.ndarray,
    gains: np.ndarray,
    outputs: int,
    rng: np.random.Generator,
) -> _Tree:
    """A tree fitted to the residuals; adds it to `raw`, and what its splits gained to `gains`."""
    inner = 2**DEPTH - 1
    feature = np.zeros(inner, dtype=np.intp)
    threshold = np.full(inner, np.inf)
    value = np.zeros(2 * inner + 1)
    nodes = {0: order}
    for i in range(inner):
        rows = nodes.pop(i, None)
        if rows is None:
            continue
        split = _best_split(x, residuals, rows, rng)
        if split is None:
            nodes[2 * i + 1] = rows
            continue
        feature[i], threshold[i], gain = split
        gains[feature[i]] += gain
        left = (x[:, feature[i]] <= threshold[i])[rows]
        nodes[2 * i + 1], nodes[2 * i + 2] = rows[left].reshape(len(rows), -1), rows[~left].reshape(len(rows), -1)
    for i, rows in nodes.items():
        value[i] = RATE * _step(residuals[rows[0]], outputs)
        raw[rows[0]] += value[i]
    return _Tree(feature, threshold, value)


def _best_split(
    x: np.ndarray, residuals: np.ndarray, rows: np.ndarray, rng: np.random.Generator
) -> tuple[int, float, float] | None:
    """Feature, threshold and gain of the split that lowers a node's squared error most; None for a leaf.

    rows: of the node, in ascending order of each feature, shape `[D, n]`.
    """
    n = rows.shape[1]
    mean = residuals[rows[0]].mean()
    centred = residuals[rows] - mean
    if n < 2 or centred[0] @ centred[0] <= PURE * n:
        return None
    left = np.arange(1, n)
    gain = np.cumsum(centred, axis=1)[:, :-1]
    gain *= gain
    gain *= n / (left * (n - left))
    at = gain.argmax(axis=1)
    best = gain[np.arange(len(rows)), at]
    while best.max() >= 0:
        d = int(rng.choice(np.flatnonzero(best == best.max())))
        below, above = x[rows[d, at[d] : at[d] + 2], d]
        if above > below + SAME:
            middle = float(below) / 2 + float(above) / 2
            return d, middle, float(best[d])
        values = x[rows[d], d]
        gain[d, values[1:] <= values[:-1] + SAME] = -1.0
        at[d] = gain[d].argmax()
        best[d] = gain[d, at[d]]
    return None


def _step(residuals: np.ndarray, outputs: int) -> float:
    """What a leaf adds: the mean residual, or for classes Friedman's Newton step. outputs: 0 for numbers."""
    if not outputs:
        return float(residuals.mean())
    sizes = np.abs(residuals)  # p of another class, 1 - p of the own: p (1 - p) either way
    curvature = (sizes * (1 - sizes)).sum()
    step = residuals.sum() / curvature if curvature > TINY else 0.0
    return float(step if outputs == 1 else step * (outputs - 1) / outputs)
