"""All metrics together: what must hold for each of them, that seeds decide, and that no torch is needed."""

import math
import subprocess
import sys
import time
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import perma_agent.evaluation.disentanglement as package
from perma_agent.evaluation.disentanglement import all_metrics

UPWARDS = (
    "mig",
    "mig_sup",
    "sap",
    "factor_vae",
    "beta_vae",
    "mcc_spearman",
    "mcc_pearson",
    "modularity",
    "explicitness",
    "dci_disentanglement",
    "dci_completeness",
    "dci_informativeness",
    "dci_forest_disentanglement",
    "dci_forest_completeness",
    "dci_forest_informativeness",
)
"""Figures in [0, 1] that are the better the higher."""
OF_SEVERAL_LATENTS = ("mig", "sap", "dci_completeness")
"""Figures that fall where a factor is held twice."""


@pytest.fixture(scope="module")
def measure(factors, held_out, quick):
    """Figures of a code of `factors`, always with the same seed and rows."""

    def measured(codes, seed=0, **more):
        rng = np.random.default_rng(seed)
        return all_metrics(codes, factors, rng, held_out=held_out, settings=quick, **more).figures()

    return measured


@pytest.fixture(scope="module")
def of_identity(measure, identity):
    return measure(identity)


@pytest.fixture(scope="module")
def of_entangled(measure, entangled):
    return measure(entangled)


def same(first, second, tolerance):
    return {name: (first[name], second[name]) for name in UPWARDS if abs(first[name] - second[name]) > tolerance}


def test_identity_is_perfect_or_nearly(of_identity):
    # SAP tells 3 to 5 ordered values with one line each, against chance; explicitness likewise. Ranks of equal values
    # are equal, while those of the latent's noise are not.
    low = {"sap": 0.3, "explicitness": 0.7, "mcc_spearman": 0.95}
    assert {name: of_identity[name] for name in UPWARDS if of_identity[name] < low.get(name, 0.98)} == {}
    assert of_identity["active_units"] == 3


def test_neither_order_nor_sign_matters(measure, of_entangled, entangled):
    turned = (entangled * [1, -1, -1, 1, -1, 1])[:, [5, 0, 3, 1, 4, 2]]
    figures = measure(turned)
    # What draws, or breaks ties between latents by chance, may differ by chance.
    assert same(of_entangled, figures, 0.02) == {}
    exact = ("mig", "mig_sup", "mcc_spearman", "mcc_pearson", "modularity", "factor_vae", "sap")
    for name in exact:
        assert figures[name] == pytest.approx(of_entangled[name], abs=1e-9), name


def test_rotation_spoils_everything_but_what_can_be_told(measure, of_identity, rotated):
    figures = measure(rotated)
    told = {"explicitness", "beta_vae", "dci_informativeness", "dci_forest_informativeness"}  # rotation keeps these
    assert [name for name in UPWARDS if name not in told and not figures[name] < of_identity[name] - 0.05] == []


def test_noise_knows_nothing(measure, factors):
    figures = measure(np.random.default_rng(4).normal(size=factors.shape))
    chance = {"beta_vae": 0.45, "factor_vae": 0.5, "explicitness": 0.57, "modularity": 1.0}
    chance |= {"dci_informativeness": 0.35, "dci_forest_informativeness": 0.35}
    assert {name: figures[name] for name in UPWARDS if figures[name] > chance.get(name, 0.12)} == {}


def test_a_constant_latent_changes_nothing_but_modularity(measure, of_identity, identity):
    figures = measure(np.concatenate([identity, np.full((len(identity), 1), 0.3)], axis=1))
    assert set(same(of_identity, figures, 0.01)) == {"modularity"}
    assert figures["modularity"] == pytest.approx(of_identity["modularity"] * 3 / 4)
    assert figures["active_units"] == 3


def test_a_copied_latent_lowers_what_asks_for_one_latent_per_factor(measure, of_identity, identity):
    copied = np.concatenate([identity, identity], axis=1)
    figures = measure(copied)
    assert figures["mig"] == pytest.approx(0.0, abs=1e-9)
    assert figures["sap"] == pytest.approx(0.0, abs=1e-9)
    for name in OF_SEVERAL_LATENTS:
        assert figures[name] < of_identity[name] - 0.2, name
    for name in ("dci_disentanglement", "dci_forest_disentanglement", "mig_sup", "factor_vae"):
        assert figures[name] > 0.98, name
    assert figures["mcc_spearman"] == pytest.approx(of_identity["mcc_spearman"])


def test_a_collapsed_code_gets_figures_too(measure, factors):
    figures = measure(np.full(factors.shape, 0.7), changes=np.zeros((5, 3)))
    zero = ("mig", "mig_sup", "sap", "factor_vae", "mcc_spearman", "modularity", "dci_disentanglement", "active_units")
    assert [figures[name] for name in zero] == [0.0] * len(zero)
    assert all(math.isfinite(value) for value in figures.values())
    assert "permanence" not in figures


def test_the_seed_decides_and_threads_do_not(measure, of_entangled, entangled, factors, quick):
    again, other = measure(entangled, n_jobs=2), measure(entangled, seed=1)
    timed = {"metrics_seconds"}
    assert {name for name in again if again[name] != of_entangled[name]} <= timed
    assert other["factor_vae"] != of_entangled["factor_vae"]
    first, second = (all_metrics(entangled, factors, np.random.default_rng(5), settings=quick) for _ in range(2))
    assert {name for name, value in first.figures().items() if second.figures()[name] != value} <= timed


def test_leaving_out_the_slow_one_changes_no_other(of_entangled, entangled, factors, held_out, quick):
    settings = replace(quick, boosted_dci=False)
    report = all_metrics(entangled, factors, np.random.default_rng(0), held_out=held_out, settings=settings)
    assert report.dci is None
    figures = report.figures()
    assert set(of_entangled) - set(figures) == {
        f"dci_{n}" for n in ("disentanglement", "completeness", "informativeness")
    }
    assert {name for name in figures if figures[name] != of_entangled[name]} <= {"metrics_seconds"}


def test_changes_bring_temporal_figures(measure, of_identity, identity):
    figures = measure(identity, changes=np.diff(identity, axis=0))
    added = {"permanence", "permanence_of_noise", "slowness", "gini_of_change"}
    assert set(figures) - set(of_identity) == added
    assert 0 < figures["permanence"] < 1


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 5), st.integers(2, 4))
def test_figures_stay_in_their_range(quick, seed, latents, count):
    rng = np.random.default_rng(seed)
    truth = rng.integers(3, size=(90, count))
    codes = truth @ rng.normal(size=(count, latents)) + rng.normal(size=(90, latents))
    small = replace(quick, boosting_trees=3, train_groups=60, test_groups=40, rows_per_value=2)
    figures = all_metrics(codes, truth, rng, settings=small, changes=np.diff(codes, axis=0)).figures()
    assert {name: figures[name] for name in UPWARDS if not -1e-12 <= figures[name] <= 1 + 1e-12} == {}


def test_public_names_are_all_there():
    assert [name for name in package.__all__ if not hasattr(package, name)] == []


def test_the_package_itself_needs_no_torch():
    # With the rooms above it made bare, so that only what its own files import is loaded.
    folder = Path(find_spec("perma_agent.evaluation.disentanglement").origin).parents[1]
    code = (
        "import sys, types\n"
        "bare = types.ModuleType('perma_agent.evaluation')\n"
        f"bare.__path__ = [{str(folder)!r}]\n"
        "sys.modules['perma_agent.evaluation'] = bare\n"
        "import perma_agent.evaluation.disentanglement\n"
        "sys.exit(bool({'torch', 'stable_baselines3', 'matplotlib'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], timeout=120).returncode == 0


@pytest.mark.slow
def test_ten_thousand_codes_take_less_than_a_minute(rng):
    truth = np.stack([rng.integers(values, size=10_000) for values in (3, 4, 8, 8, 8, 8)], axis=1)
    codes = np.concatenate([truth @ rng.normal(size=(6, 6)), rng.normal(size=(10_000, 4))], axis=1)
    codes += rng.normal(0, 0.3, codes.shape)
    begun = time.process_time()
    all_metrics(codes, truth, rng, changes=np.diff(codes, axis=0))
    assert time.process_time() - begun < 60
