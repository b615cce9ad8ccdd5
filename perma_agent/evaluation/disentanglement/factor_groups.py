"""Groups of rows that share the value of one factor: how FactorVAE and BetaVAE draw from a table of codes."""

from __future__ import annotations

import numpy as np


class FactorGroups:
    """Draws rows of which one factor is fixed, from a table instead of from the level itself.

    disentanglement_lib renders new frames with one factor fixed and all others drawn independently. Here they come
    from the rows there are, so the others follow their frequencies in the table, given the fixed value: where factors
    are correlated in the data they are so in the groups. Draws are with replacement.
    """

    def __init__(self, labels: np.ndarray, *, rows_per_value: int) -> None:
        """Sort the rows by the value of each factor.

        Args:
            labels: factors as classes, ints, shape `[N, K]`.
            rows_per_value: values that fewer rows have are never held fixed.

        Raises:
            ValueError: a factor of which no two values have as many rows.
        """
        self._order = np.argsort(labels, axis=0, kind="stable").T
        self._start = np.empty_like(self._order)
        self._count = np.empty_like(self._order)
        self._eligible = []
        for k, column in enumerate(labels.T):
            _, which, counts = np.unique(column, return_inverse=True, return_counts=True)
            if (counts >= rows_per_value).sum() < 2:
                raise ValueError(
                    f"expected at least 2 values of factor {k} with {rows_per_value} rows or more, got "
                    f"{int((counts >= rows_per_value).sum())}; bring more rows, or lower rows_per_value"
                )
            self._start[k] = (np.cumsum(counts) - counts)[which]
            self._count[k] = counts[which]
            self._eligible.append(np.flatnonzero(counts[which] >= rows_per_value))

    def anchors(self, factors: np.ndarray, size: int, rng: np.random.Generator) -> np.ndarray:
        """Random rows whose value of a factor may be held fixed.

        Args:
            factors: which factor k, ints, shape `[G]`.
            size: rows for each.
            rng: source of the rows.

        Returns:
            Rows, ints, shape `[G, size]`.
        """
        rows = np.empty((len(factors), size), dtype=np.int64)
        for k, eligible in enumerate(self._eligible):
            here = factors == k
            rows[here] = rng.choice(eligible, size=(int(here.sum()), size))
        return rows

    def companions(self, factors: np.ndarray, anchors: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """For each row a random one that has the same value of the factor, maybe itself.

        Args:
            factors: which factor k, ints, shape `[G]`.
            anchors: rows, ints, shape `[G, size]`.
            rng: source of the rows.

        Returns:
            Rows, ints, shape `[G, size]`.
        """
        k = factors[:, None]
        place = (rng.random(anchors.shape) * self._count[k, anchors]).astype(np.int64)
        rows: np.ndarray = self._order[k, self._start[k, anchors] + place]
        return rows
