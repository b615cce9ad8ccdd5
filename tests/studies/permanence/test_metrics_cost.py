"""The cost of the metrics: one cell a seed, measured twice."""

from __future__ import annotations

import pytest

from perma_agent.studies.permanence import metrics_cost
from perma_agent.studies.permanence.metrics_cost import CODES, METRICS, measure_metrics, plan_metrics


def test_a_cell_for_each_seed_says_what_is_measured():
    cells = plan_metrics((0, 3), preset="bench")
    assert [(cell.arm, cell.seed) for cell in cells] == [(METRICS, 0), (METRICS, 3)]
    assert cells[0].settings == {"preset": "bench", "codes": CODES, "latents": 10} and CODES == 10_000


def test_figures_that_differ_are_noticed(monkeypatch: pytest.MonkeyPatch):
    told: list[float] = []
    made = iter([{"mig": 0.5, "metrics_seconds": 3.0}, {"mig": 0.5, "metrics_seconds": 9.0}])

    class Report:
        def figures(self) -> dict[str, float]:
            return next(made)

    monkeypatch.setattr(metrics_cost, "all_metrics", lambda *codes, **options: Report())
    assert measure_metrics(0, told.append, count=20).figures == {"seconds": 3.0, "identical": 1.0}
    assert told == [1.0]
    made = iter([{"mig": 0.5, "metrics_seconds": 3.0}, {"mig": 0.6, "metrics_seconds": 3.0}])
    assert measure_metrics(0, told.append, count=20).figures["identical"] == 0.0


@pytest.mark.slow
def test_the_metrics_themselves_are_the_same_twice():
    assert measure_metrics(0, lambda work: None, count=2_000).figures["identical"] == 1.0
