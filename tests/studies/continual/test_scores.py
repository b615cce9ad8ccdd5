"""The three readings of the paper's "change", by hand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perma_agent.studies.continual.scores import Change, mean_change


def test_accuracy_by_hand() -> None:
    # own world ends at 20 with .8; best .9 at 30; later .9, .6, .7
    change = Change.of([0.5, 0.8, 0.9, 0.6, 0.7], steps=[10, 20, 30, 40, 50], own_end=20)
    assert change.best == 0.9
    assert change.final_less_best == pytest.approx(-0.2)
    assert change.worst_less_own == pytest.approx(-0.2)
    assert change.later_less_best == pytest.approx((0.9 + 0.6 + 0.7) / 3 - 0.9)


def test_error_by_hand() -> None:
    change = Change.of([9.0, 3.0, 2.0, 8.0, 4.0], steps=[1, 2, 3, 4, 5], own_end=2, more_is_worse=True)
    assert (change.best, change.final_less_best, change.worst_less_own) == (2.0, 2.0, 5.0)
    assert change.later_less_best == pytest.approx(14 / 3 - 2)


def test_a_life_that_ends_with_the_world_has_nothing_later() -> None:
    change = Change.of([0.3, 0.2], steps=[5, 9], own_end=9)
    assert (change.worst_less_own, change.later_less_best) == (0.0, 0.0)
    assert change.final_less_best == pytest.approx(-0.1)


@given(st.lists(st.floats(0, 1), min_size=2, max_size=9), st.data())
def test_losses_have_one_sign(figures: list[float], data: st.DataObject) -> None:
    steps = list(range(len(figures)))
    end = data.draw(st.sampled_from(steps))
    right = Change.of(figures, steps=steps, own_end=end)
    wrong = Change.of([-value for value in figures], steps=steps, own_end=end, more_is_worse=True)
    assert right.final_less_best <= 0 and right.later_less_best <= 1e-12
    for name in ("best", "final_less_best", "worst_less_own", "later_less_best"):
        assert getattr(wrong, name) == pytest.approx(-getattr(right, name))


def test_the_mean_is_over_probes() -> None:
    first = Change.of([0.5, 0.4], steps=[1, 2], own_end=1)
    second = Change.of([0.9, 0.5], steps=[1, 2], own_end=1)
    mean = mean_change({"a": first, "b": second})
    assert mean.best == pytest.approx(0.7) and mean.final_less_best == pytest.approx(-0.25)
    with pytest.raises(ValueError, match=r"^expected at least one probe, got none$"):
        mean_change({})


def test_there_must_be_an_examination_at_the_worlds_end() -> None:
    with pytest.raises(ValueError, match=r"^expected one figure for each of the 2 examinations, one of them after"):
        Change.of([0.5, 0.4], steps=[1, 3], own_end=2)
