"""The numbers that disentanglement metrics rest on, by default those of disentanglement_lib."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How the metrics bin, split and draw."""

    bins: int = 20
    """Equal-width bins per code, and per factor that is continuous (`discretizer.num_bins` of the study's configs)."""
    test_share: float = 1 / 3
    """Of the rows, held out to test classifiers: 5,000 of 15,000 in the study, here of however many there are."""
    svm_c: float = 0.01
    """C of the linear support vector machine in SAP."""
    boosting_trees: int = 100
    """Boosting stages of DCI, scikit-learn's default, which the study takes; one tree per stage and factor value."""
    boosted_dci: bool = True
    """Whether `all_metrics` measures DCI with boosted trees, by far the slowest; it measures `dci_forest` anyway."""
    forest_trees: int = 10
    """Trees of the forest in `dci_forest`; ours, the study has no such variant."""
    group: int = 64
    """Codes in a group that shares a factor's value (`batch_size` of FactorVAE and BetaVAE)."""
    train_groups: int = 10_000
    """Groups to learn from, in FactorVAE and BetaVAE (`num_train`)."""
    test_groups: int = 5_000
    """Groups to score, in FactorVAE and BetaVAE (`num_eval`)."""
    rows_per_value: int = 10
    """Fewest rows a factor value needs to be held fixed in FactorVAE and BetaVAE; ours, for a table is finite."""
    smallest_std: float = 0.05
    """Latents of a smaller standard deviation do not vote in FactorVAE (`prune_dims.threshold`)."""
    informative_above: float = 0.05
    """Share of some factor's entropy a latent must tell to count in MIG-sup; ours, above the bias at 10,000 rows."""
    active_above: float = 0.01
    """Variance from which a latent's mean counts as active (Burda et al. 2016)."""

    def __post_init__(self) -> None:
        counts = ("bins", "boosting_trees", "forest_trees", "group", "train_groups", "test_groups", "rows_per_value")
        for name in counts:
            least = 1 if name.endswith(("_trees", "_groups")) else 2
            if getattr(self, name) < least:
                raise ValueError(f"expected {name} >= {least}, got {getattr(self, name)}")
        if not 0 < self.test_share < 1:
            raise ValueError(f"expected test_share in (0, 1), got {self.test_share}")
        if not self.svm_c > 0:
            raise ValueError(f"expected svm_c > 0, got {self.svm_c}")
        for name in ("smallest_std", "informative_above", "active_above"):
            if not getattr(self, name) >= 0:
                raise ValueError(f"expected {name} >= 0, got {getattr(self, name)}")


DISENTANGLEMENT_LIB = Settings()
"""Settings of the 12,600-model study, Locatello et al. 2019, as in google-research/disentanglement_lib at 86a644d."""
