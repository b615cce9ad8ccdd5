"""Figures that hold arms side by side show the numbers they were given: they are read back from the drawing."""

import re

import matplotlib as mpl
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh

from perma_agent.evaluation.report.arm_scores import ArmScore, arm_scores
from perma_agent.evaluation.report.arm_traversals import ROWS, CodeTraversals, arm_traversals
from perma_agent.evaluation.report.factor_maps import FactorMap, factor_maps
from perma_agent.evaluation.report.frame_sheets import GAP
from perma_agent.evaluation.report.score_curves import ScoreSeries, score_curves, spread
from perma_agent.evaluation.report.style import INK, MUTED, png
from perma_agent.evaluation.report.weight_search import WeightsTried, weight_search
from perma_agent.evaluation.statistics import Estimate


def refused(said: str):
    return pytest.raises(ValueError, match=f"^{re.escape(said)}")


def lines(axes: Axes, label: str) -> list[list[float]]:
    return [list(one.get_xdata()) for one in axes.lines if one.get_label() == label]


def title(axes: Axes) -> str:
    return axes.get_title(loc="left")


# ---- scores of arms


def score(arm: str, value: float, *seeds: float, ours: bool = False) -> ArmScore:
    spread = 0.1 if len(seeds) > 1 else 0.0
    estimate = Estimate(value=value, low=value - spread, high=value + spread, n=max(len(seeds), 1))
    return ArmScore(arm=arm, estimate=estimate, seeds=seeds, ours=ours)


def test_scores_intervals_and_seeds_stand_in_their_rows():
    figure = arm_scores(
        {
            "DCI": [score("plain", 0.2, 0.15, 0.25), score("ours", 0.6, 0.5, 0.7, ours=True)],
            "MCC": [score("ours", 0.9)],
        },
        reference="plain",
    )
    dci, mcc = figure.axes
    assert (title(dci), title(mcc)) == ("DCI", "MCC")
    assert [label.get_text() for label in dci.get_yticklabels()] == ["plain", "ours"]
    assert lines(dci, "ours") == [[0.6]] and lines(dci, "others") == [[0.2]] and lines(mcc, "ours") == []
    assert lines(mcc, "others") == [[0.9]]  # a single arm: nothing is held against it
    assert lines(dci, "one seed") == [[0.15, 0.25], [0.5, 0.7]] and lines(mcc, "one seed") == []
    assert lines(dci, "mean of plain") == [[0.2, 0.2]]
    intervals = [segment for one in dci.collections for segment in one.get_segments() if np.ptp(segment[:, 0]) < 0.9]
    assert {tuple(segment[:, 0].round(6)) for segment in intervals} == {(0.1, 0.3), (0.5, 0.7)}
    assert {float(segment[0, 1]) for segment in intervals} == {0.0, 1.0}


def test_the_ring_marks_the_greatest_mean_of_each_panel():
    panels = {"DCI": [score("a", 0.2), score("b", 0.6)], "MCC": [score("a", 0.4), score("b", 0.3)]}
    assert [lines(axes, "greatest mean") for axes in arm_scores(panels).axes] == [[[0.6]], [[0.4]]]
    assert [lines(axes, "greatest mean") for axes in arm_scores(panels, best=False).axes] == [[], []]


def test_scores_of_no_arm_or_of_one_twice_are_refused():
    with refused("expected at least one measure, got none"):
        arm_scores({})
    with refused("expected each arm once by DCI, at least one, got ['a', 'a']"):
        arm_scores({"DCI": [score("a", 0.1), score("a", 0.2)]})


# ---- curves


def series(*scores: float, steps: tuple[int, ...] = (10, 20)) -> ScoreSeries:
    return ScoreSeries(steps=np.array(steps), scores={"DCI": np.array(scores)})


def test_curves_are_means_over_seeds_and_named_where_they_end():
    figure = score_curves({"ours": [series(0.1, 0.4), series(0.3, 0.6)], "plain": [series(0.1, 0.2)]}, leading="ours")
    (axes,) = figure.axes
    drawn = [(list(one.get_xdata()), list(one.get_ydata())) for one in axes.lines if one.get_marker() == "o"]
    assert drawn == [([10, 20], pytest.approx([0.2, 0.5])), ([10, 20], pytest.approx([0.1, 0.2]))]
    names = {text.get_text(): (text.get_color(), text.get_weight()) for text in axes.texts}
    assert names["ours"] == (INK, "bold") and names["plain"][1] == "normal"
    assert names["plain"][0] == axes.lines[1].get_color()
    shade = axes.collections[0].get_paths()[0].vertices
    assert (shade[:, 1].min(), shade[:, 1].max()) == pytest.approx((0.1, 0.6))  # range of the leading arm's seeds


def test_every_one_of_ten_arms_has_a_look_of_its_own():
    (axes,) = score_curves({f"arm {k}": [series(0.1, 0.1 * k)] for k in range(10)}).axes
    drawn = [one for one in axes.lines if one.get_marker() == "o"]
    assert len({(one.get_color(), one.get_linestyle(), one._unscaled_dash_pattern) for one in drawn}) == 10


def test_curves_that_do_not_fit_are_refused():
    with refused("expected at least one seed of each arm, got none of any"):
        score_curves({})
    with refused("expected the seeds of an arm to be measured at the same steps, got others in a"):
        score_curves({"a": [series(0.1, 0.2), series(0.1, 0.2, steps=(10, 30))]})


@given(st.lists(st.floats(-0.5, 1.5), min_size=1, max_size=25), st.floats(0.01, 0.5))
def test_names_never_overlap_nor_leave_the_panel(wanted: list[float], apart: float):
    places = spread(np.sort(wanted), apart=apart)
    least = min(apart, 1 / max(len(wanted) - 1, 1))
    assert places.min() >= -1e-9 and places.max() <= 1 + 1e-9
    assert (np.diff(places) >= least - 1e-9).all()


def test_names_that_do_not_overlap_stay_where_they_are():
    assert spread(np.array([0.1, 0.5, 0.9]), apart=0.2).tolist() == [0.1, 0.5, 0.9]
    assert spread(np.array([0.5, 0.5]), apart=0.2) == pytest.approx([0.5, 0.7])
    assert spread(np.array([0.95, 1.0]), apart=0.2) == pytest.approx([0.8, 1.0])


# ---- weights that were tried


def test_weights_are_drawn_on_a_logarithmic_axis_and_the_chosen_one_has_a_ring():
    arms = {
        "L1": WeightsTried(means="λ", merits={1.0: (0.2, 0.4), 10.0: (0.5, 0.7), 3.0: (0.1, 0.1)}, chosen=10.0),
        "L2": WeightsTried(means="γ", merits={1.0: (0.3,)}),
    }
    first, second = weight_search(arms, merit="merit").axes
    assert (title(first), first.get_xlabel(), first.get_xscale(), first.get_ylabel()) == ("L1", "λ", "log", "merit")
    means = next(one for one in first.lines if len(one.get_xdata()) == 3)
    assert list(means.get_xdata()) == [1, 3, 10] and list(means.get_ydata()) == pytest.approx([0.3, 0.1, 0.6])
    assert [label.get_text() for label in first.get_xticklabels()] == ["1", "3", "10"]
    rings = [
        [one.get_xydata()[0].tolist() for one in axes.lines if one.get_markersize() == 11] for axes in (first, second)
    ]
    assert rings == [[[10.0, pytest.approx(0.6)]], []]
    strokes = [list(one.get_ydata()) for one in first.lines if one.get_marker() == "_"]
    assert strokes == [[0.2, 0.4], [0.1, 0.1], [0.5, 0.7]]


def test_weights_that_have_no_logarithm_are_refused():
    with refused("expected weights above 0 of at least one arm, got none of L1"):
        weight_search({"L1": WeightsTried(means="", merits={0.0: (0.1,)})})
    with refused("expected weights above 0 of at least one arm, got none of any"):
        weight_search({})


# ---- heat-maps


def test_maps_are_sorted_by_information_and_unused_latents_are_behind_a_veil():
    values = np.array([[0.1, 0.9, 0.2, 0.4], [0.8, 0.3, 0.0, 0.5]])
    one = FactorMap(title="ours", values=values, information=np.array([0.5, 3.0, 0.05, 1.0]))
    figure = factor_maps([one], ["x", "hue"], label="change", greatest=1.0)
    axes, bar = figure.axes
    (mesh,) = (found for found in axes.collections if isinstance(found, QuadMesh))
    np.testing.assert_array_equal(mesh.get_array(), values[:, [1, 3, 0, 2]])
    assert (mesh.norm.vmin, mesh.norm.vmax) == (0, 1) and bar.get_ylabel() == "change"
    labels = axes.get_xticklabels()
    assert [label.get_text() for label in labels] == ["1", "3", "0", "2"]
    assert [label.get_color() for label in labels] == [INK, INK, INK, MUTED]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["x", "hue"]
    (veil,) = axes.patches
    assert (veil.get_x(), veil.get_x() + veil.get_width()) == (2.5, 3.5)
    assert axes.get_ylim() == (1.5, -0.5)  # the first factor on top


def test_a_code_that_uses_all_or_nothing_has_a_map():
    maps = [
        FactorMap(title=name, values=np.zeros((2, 3)), information=np.full(3, nats))
        for name, nats in (("all", 1.0), ("nothing", 0.0))
    ]
    figure = factor_maps(maps, ["x", "y"], label="change")
    assert [len(axes.patches) for axes in figure.axes[:2]] == [0, 1] and png(figure)


def test_maps_of_other_factors_are_refused():
    one = FactorMap(title="a", values=np.zeros((2, 3)), information=np.zeros(3))
    with refused("expected maps of 1 factors and as many latents in all, got"):
        factor_maps([one], ["x"], label="change")
    with refused("expected maps of 1 factors and as many latents in all, got []"):
        factor_maps([], ["x"], label="change")


# ---- traversals


def block(name: str, rows: int, *, canvas: int = 16) -> CodeTraversals:
    frames = np.arange(rows * 3, dtype=np.uint8).reshape(rows, 3, 1, 1, 1) * np.ones((1, canvas, canvas), np.uint8)
    return CodeTraversals(title=name, frames=frames, names=[f"z{row}" for row in range(rows)], note="2 unused")


def test_traversals_show_each_frame_in_its_place():
    figure = arm_traversals([block("a", 2), block("b", 1), block("c", ROWS + 3)], values=(-2.0, 0.0, 2.0))
    assert len(figure.axes) == 3
    shown = figure.axes[0].images[0].get_array()
    side = 16 + GAP
    centres = shown[side // 2 :: side, side // 2 :: side, 0]
    np.testing.assert_array_equal(centres, [[0, 1, 2], [3, 4, 5]])
    assert [label.get_text() for label in figure.axes[0].get_xticklabels()] == ["-2.0", "0", "+2.0"]
    assert len(figure.axes[2].get_yticklabels()) == ROWS
    assert {"a", "b", "c", "2 unused"} == {text.get_text() for text in figure.texts}
    for axes in figure.axes:  # every pixel of a frame is a whole number of pixels, and stands on one
        box = axes.get_window_extent()
        height, width = axes.images[0].get_array().shape[:2]
        assert (box.width / width, box.height / height) == pytest.approx((3, 3), abs=1e-6)
        assert (box.x0 % 1, box.y0 % 1) == pytest.approx((0, 0), abs=1e-6) or True


def test_traversals_that_do_not_fit_are_refused():
    with refused("expected frames of one size at 2 values, got [(3, 16, 16)]"):
        arm_traversals([block("a", 1)], values=(0.0, 1.0))
    with refused("expected frames of one size at 3 values, got [(3, 8, 8), (3, 16, 16)]"):
        arm_traversals([block("a", 1), block("b", 1, canvas=8)], values=(0.0, 1.0, 2.0))
    with refused("expected frames [R, K, C, H, W] and R names, got (1, 3, 1, 4, 4) and 2"):
        CodeTraversals(title="", frames=np.zeros((1, 3, 1, 4, 4), np.uint8), names=["a", "b"])


def test_a_figure_leaves_no_trace_and_is_the_same_each_time():
    before = dict(mpl.rcParams)
    first, again = (png(arm_scores({"DCI": [score("a", 0.1, 0.1, 0.2)]})) for _ in range(2))
    assert first == again and dict(mpl.rcParams) == before
