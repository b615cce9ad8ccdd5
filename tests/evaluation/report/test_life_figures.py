"""Figures of whole lives show the numbers they were given: lines, bars, maps and texts are read back from them."""

import re
import warnings

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.offsetbox import AnnotationBbox

from perma_agent.errors import FrameError
from perma_agent.evaluation.history import SURPRISED, World
from perma_agent.evaluation.report.ablation_table import AblationRow, ablation_chart
from perma_agent.evaluation.report.ambiguity import Company, ambiguity_figure
from perma_agent.evaluation.report.factor_curves import FactorSeries, factor_curves
from perma_agent.evaluation.report.frame_sheets import GAP
from perma_agent.evaluation.report.inference_grid import InferredLives, inference_grid
from perma_agent.evaluation.report.latent_use import latent_use
from perma_agent.evaluation.report.probe_curves import ProbeSeries, probe_curves
from perma_agent.evaluation.report.style import ARMS, ENVIRONMENTS, MUTED, PAPER, png
from perma_agent.evaluation.report.traversal_grid import WorldTraversals, traversal_grid
from perma_agent.evaluation.statistics import Estimate

WORLDS = (World(name="fashion", start=1), World(name="mnist", start=21), World(name="fashion", start=31))
STEPS = np.array([10, 20, 30, 40])


def refused(said: str):
    return pytest.raises(ValueError, match=f"^{re.escape(said)}$")


def lines(axes, label):
    return [one for one in axes.lines if one.get_label() == label]


def switches(axes):
    return [one.get_xdata()[0] for one in axes.lines if len(one.get_xdata()) == 2 and np.ptp(one.get_xdata()) == 0]


def title(axes):
    return axes.get_title(loc="left")


def ground(axes):
    """First and last batch of each filled stretch."""
    return [(patch.get_x() + 0.5, patch.get_x() + patch.get_width() - 0.5) for patch in axes.patches]


# ---- probe curves


def probes(accuracy, mse, steps=STEPS) -> ProbeSeries:
    return ProbeSeries(
        steps=steps,
        accuracy={"mnist": np.array(accuracy), "fashion": np.array(accuracy) / 2},
        position_mse={"fashion": np.array(mse)},
    )


@pytest.fixture
def probed():
    low, high = probes([0.2, 0.4, 0.6, 0.8], [4e-3, 2e-3, 1e-3, 4e-4]), probes([0.4, 0.6, 0.8, 1.0], [6e-3] * 4)
    return {"sda": [low, high], "none": [low]}


def test_probe_curves_have_a_panel_a_probe_in_the_order_of_the_worlds(probed):
    truth, *panels = probe_curves(probed, worlds=WORLDS, batches=40).axes
    assert [text.get_text() for text in truth.texts] == ["fashion", "mnist", "fashion"]
    assert ground(truth) == [(1, 20), (21, 30), (31, 40)]
    assert [title(axes) for axes in panels] == ["objects of fashion", "objects of mnist", "places in fashion"]
    assert [axes.get_ylabel() for axes in panels] == ["accuracy (%)"] * 2 + ["position MSE (1e-4)"]
    assert [axes.get_yscale() for axes in panels] == ["linear", "linear", "log"]
    assert [switches(axes) for axes in panels] == [[20.5, 30.5]] * 3
    assert [ground(axes) for axes in panels] == [[(1, 20), (31, 40)], [(21, 30)], [(1, 20), (31, 40)]]
    assert panels[-1].get_xlabel() == "batch"


def test_probe_curves_draw_seeds_thin_and_their_mean_thick_in_the_arm_s_colour(probed):
    figure = probe_curves(probed, worlds=WORLDS, batches=40)
    _, _, mnist, places = figure.axes
    (mean,) = lines(mnist, "sda")
    np.testing.assert_allclose(np.stack(mean.get_data()), [STEPS, [30, 50, 70, 90]])
    own = [one for one in mnist.lines if one.get_color() == ARMS[0]]
    assert sorted(one.get_ydata()[0] for one in own) == pytest.approx([20, 30, 40])
    assert {one.get_linewidth() for one in own if one is not mean} == {0.7}
    assert mean.get_linewidth() == 2.0
    assert [one.get_label() for one in mnist.lines if one.get_color() == ARMS[1]] == ["none"]  # one seed is the mean
    np.testing.assert_allclose(lines(places, "sda")[0].get_ydata(), [50, 40, 35, 32])
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["sda", "none"]


def test_probe_curves_refuse_what_cannot_be_averaged(probed):
    with refused("expected at least one seed of each arm, got none of any"):
        probe_curves({}, worlds=WORLDS, batches=40)
    with refused("expected at least one seed of each arm, got none of sd"):
        probe_curves({"sda": probed["sda"], "sd": []}, worlds=WORLDS, batches=40)
    shorter = probes([0.5], [1e-3], steps=STEPS[:1])
    with refused("expected the seeds of an arm to be measured at the same steps, got others in sda"):
        probe_curves({"sda": [*probed["sda"], shorter]}, worlds=WORLDS, batches=40)
    bare = ProbeSeries(steps=STEPS, accuracy={}, position_mse={})
    with refused("expected probes of the same worlds in all lives, got others in s"):
        probe_curves({"sda": probed["sda"], "s": [bare]}, worlds=WORLDS, batches=40)
    with refused("expected probes of fashion, mnist, got none"):
        probe_curves({"s": [bare]}, worlds=WORLDS, batches=40)
    with refused("expected probes of mnist, got fashion"):
        probe_curves(probed, worlds=[World(name="mnist", start=1)], batches=40)
    with refused(f"expected worlds that start one after the other within 25 batches, got {list(WORLDS)}"):
        probe_curves(probed, worlds=WORLDS, batches=25)


def test_probe_series_refuse_what_no_probe_gives():
    with refused("expected one value at each of 4 steps of accuracy in mnist, got shape (3,)"):
        probes([0.5] * 3, [1e-3] * 4)
    with refused("expected accuracies within 0 and 1 in mnist, got 20.0 to 80.0"):
        probes([20.0, 40.0, 60.0, 80.0], [1e-3] * 4)
    with refused("expected positive position errors in fashion, got 0.0"):
        probes([0.5] * 4, [1e-3, 1e-3, 0.0, 1e-3])
    with refused("expected increasing steps, at least one, got [20, 10]"):
        probes([0.5] * 2, [1e-3] * 2, steps=np.array([20, 10]))


# ---- latent use


@pytest.fixture
def information():
    fashion = np.array([[0.0, 1.0, 0.05], [0.0, 2.0, 0.05], [0.0, 2.0, 0.05], [0.0, 2.0, 0.05]])
    mnist = np.array([[0.0, 0.0, 0.0], [0.0, 0.0, 0.0], [3.0, 0.2, 0.0], [3.0, 0.2, 0.0]])
    return {"fashion": fashion, "mnist": mnist}


def test_latents_are_sorted_by_use_and_rows_of_a_common_scale(information):
    _, fashion, mnist, counts, *_ = latent_use(information, steps=STEPS, worlds=WORLDS).axes
    assert [title(axes) for axes in (fashion, mnist)] == ["use by fashion", "use by mnist"]
    for axes, world in ((fashion, "fashion"), (mnist, "mnist")):
        assert [label.get_text() for label in axes.get_yticklabels()] == ["z0", "z1"]  # z2 is never used
        mesh = axes.collections[0]
        np.testing.assert_array_equal(np.asarray(mesh.get_array()), information[world].T[[0, 1]])
        assert (mesh.norm.vmin, mesh.norm.vmax) == (0, 3)
        np.testing.assert_array_equal(mesh.get_coordinates()[0, :, 0], [0.5, 10.5, 20.5, 30.5, 40.5])
        assert axes.yaxis_inverted()
        assert switches(axes) == [20.5, 30.5]
    assert mnist.get_xlabel() == "never above 0.1 nats and not shown: 1 of 3 latents"
    assert switches(counts) == [20.5, 30.5]


def test_latents_in_use_are_counted_above_the_threshold(information):
    for threshold, of_mnist, of_any in ((0.1, [0, 0, 2, 2], [1, 1, 2, 2]), (0.5, [0, 0, 1, 1], [1, 1, 2, 2])):
        counts = latent_use(information, steps=STEPS, worlds=WORLDS, threshold=threshold).axes[3]
        assert title(counts) == f"latents above {threshold} nats"
        np.testing.assert_array_equal(lines(counts, "fashion")[0].get_ydata(), [1, 1, 1, 1])
        np.testing.assert_array_equal(lines(counts, "mnist")[0].get_ydata(), of_mnist)
        np.testing.assert_array_equal(lines(counts, "any world")[0].get_ydata(), of_any)


def test_a_learner_that_uses_nothing_has_one_row():
    figure = latent_use({"fashion": np.zeros((4, 3))}, steps=STEPS, worlds=WORLDS)
    assert [label.get_text() for label in figure.axes[1].get_yticklabels()] == ["z0"]
    assert png(figure)[:4] == b"\x89PNG"


def test_use_must_fit_the_steps(information):
    shape = "expected use of shape [2, D] in at least one world and D alike in all of them, got "
    with refused(shape + "{'fashion': (4, 3), 'mnist': (4, 3)}"):
        latent_use(information, steps=STEPS[:2], worlds=WORLDS)
    with refused(shape + "{}"):
        latent_use({}, steps=STEPS[:2], worlds=WORLDS)
    with refused("expected increasing steps, at least one, got [40, 30, 20, 10]"):
        latent_use(information, steps=STEPS[::-1], worlds=WORLDS)


# ---- ablation


def row(arm, accuracy, position, *, entangled=False, seeds=()) -> AblationRow:
    estimates = [Estimate(value=value, low=value - 1, high=value + 2, n=2) for value in (accuracy, position)]
    return AblationRow(arm=arm, entangled=entangled, accuracy=estimates[0], position=estimates[1], seeds=seeds)


ROWS = (
    row("sda", -3.0, 4.0, seeds=[(-2.0, 3.0), (-4.0, 5.0)]),
    row("sda", -6.0, 5.0, entangled=True),
    row("none", -15.0, 25.0),
)


def test_arms_are_dots_with_intervals_seeds_below_and_the_paper_hollow():
    paper = {("sda", False): (-5.4, 3.0), ("none", False): (-15.2, 24.8), ("sa", False): (-28.1, 78.9)}
    figure = ablation_chart(ROWS, paper=paper)
    objects, places = figure.axes
    assert [label.get_text() for label in objects.get_yticklabels()] == ["sda", "none"]
    assert objects.get_xlabel() == "change of accuracy (points)"
    assert places.get_xlabel() == "change of position MSE (1e-4)"
    dots = [one for one in objects.lines if one.get_marker() == "o"]
    assert [(one.get_xdata()[0], round(one.get_ydata()[0], 2), one.get_color()) for one in dots] == [
        (-3, -0.22, ARMS[0]),
        (-6, 0.22, ARMS[2]),
        (-15, 0.78, ARMS[0]),
    ]
    intervals = [tuple(bar.get_segments()[0][:, 0]) for bar in places.collections[:3]]
    assert intervals == [(3, 6), (4, 7), (24, 27)]
    (seeds,) = lines(places, "one seed")
    np.testing.assert_array_equal(seeds.get_xdata(), [3, 5])
    diamonds = lines(places, "paper")
    assert [one.get_xdata()[0] for one in diamonds] == [3.0, 24.8]  # no row of sa, so none of the paper's
    assert {one.get_fillstyle() for one in diamonds} == {"none"}
    assert [text.get_text() for text in figure.legends[0].get_texts()] == [
        "disentangled",
        "entangled",
        "one seed",
        "paper",
    ]


def test_an_ablation_stands_without_seeds_and_without_the_paper():
    figure = ablation_chart(ROWS[2:])
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["disentangled"]


def test_arms_come_once():
    with refused("expected each arm once or twice, disentangled and entangled, got []"):
        ablation_chart([])
    with refused("expected each arm once or twice, disentangled and entangled, got [('none', False), ('none', False)]"):
        ablation_chart([ROWS[2], ROWS[2]])


# ---- inference grid

INFERRED = np.array([[0] * 20 + [-1] * 2 + [1] * 8 + [0] * 10, [0] * 20 + [1] * 10 + [2] * 10])


def inferred(**changed) -> InferredLives:
    return InferredLives(
        **{"worlds": WORLDS, "seeds": (4, 7), "environments": INFERRED, "right": (True, False)} | changed
    )


def test_each_seed_is_a_row_of_bars_with_a_verdict():
    figure = inference_grid({"there and back": inferred()})
    truth, rows = figure.axes
    assert title(truth) == "there and back: 1 of 2 right"
    assert [text.get_text() for text in truth.texts] == ["fashion", "mnist", "fashion"]
    assert truth.get_xlim() == rows.get_xlim() == (0.5, 40.5)
    assert [label.get_text() for label in rows.get_yticklabels()] == ["seed 4", "seed 7"]
    bars = {
        (round(box.y0 + 0.38), to_hex(bar.get_facecolor()[0]), round(box.x0 + 0.5), round(box.x1 - 0.5))
        for bar in rows.collections
        for box in (path.get_extents() for path in bar.get_paths())
    }
    blue, orange, green = ENVIRONMENTS[:3]
    assert bars == {
        (0, blue, 1, 20),
        (0, MUTED, 21, 22),
        (0, orange, 23, 30),
        (0, blue, 31, 40),
        (1, blue, 1, 20),
        (1, orange, 21, 30),
        (1, green, 31, 40),
    }
    assert [(text.get_text(), text.get_position()[1]) for text in rows.texts] == [("✓", 0), ("✗", 1)]
    assert switches(rows) == [20.5, 30.5]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == [
        *(f"environment {s}" for s in range(3)),
        "surprised",
    ]


def test_surprise_is_drawn_over_the_environments_and_what_is_rare_over_what_is_common():
    rows = inference_grid({"a": inferred(environments=np.array([[1, 0, 0, SURPRISED] * 10] * 2))}).axes[1]
    colours = [to_hex(bar.get_facecolor()[0]) for bar in rows.collections[:3]]
    assert colours == [ENVIRONMENTS[0], ENVIRONMENTS[1], MUTED]


def test_each_sequence_has_a_panel():
    figure = inference_grid({"first": inferred(), "second": inferred(right=(True, True))})
    assert [title(axes) for axes in figure.axes[::2]] == ["first: 1 of 2 right", "second: 2 of 2 right"]


def test_lives_must_be_whole():
    with refused("expected the lives of at least one sequence, got none"):
        inference_grid({})
    with refused("expected environments of shape [seeds, K], got (40,)"):
        inferred(environments=INFERRED[0])
    with refused("expected environments and a verdict for each of 3 seeds, got 2 and 2"):
        inferred(seeds=(1, 2, 3))


# ---- ambiguity

WEIGHTS = np.linspace(0, 1, 21)


def mixed(**changed):
    frames = np.stack([np.full((1, 32, 32), round(200 * weight), dtype=np.uint8) for weight in WEIGHTS])
    arguments = {
        "frames": frames,
        "companies": [
            Company(share=0.5, world="faces", probability=np.sqrt(WEIGHTS)),
            Company(probability=WEIGHTS),
            Company(share=0.25, world="clothes", probability=WEIGHTS**2),
        ],
        "spread": WEIGHTS * (1 - WEIGHTS),
        "worlds": ("faces", "clothes"),
    }
    return ambiguity_figure(WEIGHTS, **{**arguments, **changed})


def test_ambiguous_frames_have_a_curve_for_each_company():
    strip, taken, uncertain = mixed().axes
    curves = {one.get_label(): one for one in taken.lines}
    assert list(curves) == ["50% faces", "no company", "25% clothes"]
    np.testing.assert_allclose(curves["25% clothes"].get_ydata(), WEIGHTS**2)
    assert curves["no company"].get_color() == MUTED
    assert taken.get_ylabel() == "q(s = faces | x)"
    np.testing.assert_allclose(np.stack(uncertain.lines[0].get_data()), [WEIGHTS, WEIGHTS * (1 - WEIGHTS)])
    assert uncertain.get_xlabel() == "weight of faces (0: clothes alone, 1: faces alone)"
    assert strip.get_xlim() == taken.get_xlim() == uncertain.get_xlim()


def test_the_strip_shows_evenly_chosen_frames_above_their_weights():
    boxes = [artist for artist in mixed().axes[0].artists if isinstance(artist, AnnotationBbox)]
    np.testing.assert_allclose([box.xy[0] for box in boxes], np.linspace(0, 1, 11))
    pictures = [np.asarray(box.offsetbox.get_data()) for box in boxes]
    assert {picture.shape for picture in pictures} == {(64, 64, 3)}  # 32 pixels, doubled
    assert [int(picture[0, 0, 0]) for picture in pictures] == list(range(0, 201, 20))


def test_company_is_coloured_by_its_environment_and_paler_where_there_is_less():
    two = [Company(share=share, world="faces", probability=WEIGHTS) for share in (0.9, 0.1)]
    (much, little) = mixed(companies=two, environments=(2, 5)).axes[1].lines
    green = np.array(mpl.colors.to_rgb(ENVIRONMENTS[2]))
    distances = [np.abs(np.array(mpl.colors.to_rgb(one.get_color())) - green).sum() for one in (much, little)]
    assert distances[0] < 0.15 < distances[1]


def test_ambiguity_must_fit_its_weights():
    with refused("expected one value at each of 21 weights, got 20 of spread, 3 of no company"):
        mixed(spread=WEIGHTS[1:], companies=[Company(probability=np.zeros(3))])
    with refused("expected a share below 1 of faces or clothes, got 50% digits"):
        mixed(companies=[Company(share=0.5, world="digits", probability=WEIGHTS)])
    with refused("expected at least two increasing weights, got [1.0, 0.0]"):
        ambiguity_figure(
            np.array([1.0, 0.0]),
            frames=np.zeros((2, 1, 4, 4), dtype=np.uint8),
            companies=[],
            spread=np.zeros(2),
            worlds=("a", "b"),
        )
    with pytest.raises(FrameError, match="got dtype float64"):
        mixed(frames=np.zeros((21, 1, 4, 4)))


# ---- factor curves

OPENINGS = {"shape": 1, "x": 1, "scale": 21}


def scored(mig, *, factors=None) -> FactorSeries:
    mig = np.array(mig)
    closed = np.array([np.nan, np.nan, 0.3, 0.4])
    return FactorSeries(
        steps=STEPS,
        mig=mig,
        mig_sup=mig / 2,
        dci=1 - mig,
        factors=factors or {"scale": closed, "shape": mig, "x": mig / 4},
    )


@pytest.fixture
def factors():
    return {"sda": [scored([0.1, 0.2, 0.3, 0.4]), scored([0.3, 0.4, 0.5, 0.6])], "none": [scored([0.0] * 4)]}


def test_factor_curves_have_three_scores_and_a_panel_a_factor(factors):
    opens, *panels = factor_curves(factors, openings=OPENINGS, batches=40).axes
    assert [text.get_text() for text in opens.texts] == ["+ shape, x", "+ scale"]
    assert opens.get_ylabel() == "opens"
    assert [title(axes) for axes in panels] == [
        "MIG",
        "MIG-sup",
        "DCI disentanglement",
        "MIG of shape",
        "MIG of x",
        "MIG of scale",
    ]
    means = [lines(axes, "sda")[0].get_ydata() for axes in panels]
    np.testing.assert_allclose(means[0], [0.2, 0.3, 0.4, 0.5])
    np.testing.assert_allclose(means[1], [0.1, 0.15, 0.2, 0.25])
    np.testing.assert_allclose(means[2], [0.8, 0.7, 0.6, 0.5])
    np.testing.assert_allclose(means[4], [0.05, 0.075, 0.1, 0.125])
    np.testing.assert_allclose(means[5], [np.nan, np.nan, 0.3, 0.4])
    assert [switches(axes) for axes in panels] == [[20.5]] * 6
    assert panels[5].patches[0].get_width() == 20.5  # closed until then
    assert {axes.get_xlim() for axes in panels} == {(0, 40.5)}


def test_factors_must_have_an_opening(factors):
    with refused("expected the factors shape, x in sda, got scale, shape, x"):
        factor_curves(factors, openings={"shape": 1, "x": 1}, batches=40)
    with refused("expected at least one seed of each arm, got none of any"):
        factor_curves({}, openings=OPENINGS, batches=40)
    with refused("expected one value at each of 4 steps of MIG, got shape (3,)"):
        scored([0.1, 0.2, 0.3])
    with refused("expected one value at each of 4 steps of factor y, got shape (2,)"):
        scored([0.1] * 4, factors={"y": np.zeros(2)})


# ---- traversal grid


def traversed(world, environment, information, *, columns=3) -> WorldTraversals:
    shades = [np.full((columns, 1, 4, 4), 10 * latent + environment, dtype=np.uint8) for latent in range(4)]
    return WorldTraversals(
        world=world, environment=environment, frames=np.stack(shades), information=np.array(information)
    )


TRAVERSED = (traversed("fashion", 0, [0.0, 2.0, 0.04, 1.0]), traversed("mnist", 1, [3.0, 1.0, 0.0, 0.5]))


def test_traversals_of_worlds_stand_side_by_side_sorted_by_the_greatest_use():
    figure = traversal_grid(TRAVERSED, values=(-2.0, 0.0, 2.0), rows=3)
    fashion, mnist, bars = figure.axes
    for environment, axes in enumerate((fashion, mnist)):
        canvas = np.asarray(axes.images[0].get_array())
        assert [int(canvas[place * (4 + GAP) + 2, 2, 0]) for place in range(3)] == [
            environment,
            10 + environment,
            30 + environment,
        ]
        assert [label.get_text() for label in axes.get_xticklabels()] == ["-2.0", "0", "+2.0"]
    assert [title(axes) for axes in (fashion, mnist)] == ["fashion", "mnist"]
    assert [label.get_text() for label in bars.get_yticklabels()] == ["z0", "z1", "z3"]
    widths = [(bar.get_width(), to_hex(bar.get_facecolor())) for bar in bars.patches]
    blue, orange = ENVIRONMENTS[:2]
    assert widths == [(0, blue), (2, blue), (1, blue), (3, orange), (1, orange), (0.5, orange)]
    assert [text.get_text() for text in bars.texts[:2]] == ["fashion  0.0", "fashion  2.0"]
    assert [text.get_text() for text in bars.texts[3:]] == ["mnist  3.0", "mnist  1.0", "mnist  0.5"]
    assert bars.get_position().x1 < fashion.get_position().x0
    assert (bars.get_position().y0, bars.get_position().y1) == (fashion.get_position().y0, fashion.get_position().y1)


def test_traversals_must_be_of_the_same_latents():
    with refused(
        "expected frames of the same latents at 2 values in each world, got [('fashion', (4, 3), 4), "
        "('mnist', (4, 3), 4)]"
    ):
        traversal_grid(TRAVERSED, values=(-2.0, 2.0))
    with refused("expected frames of the same latents at 2 values in each world, got []"):
        traversal_grid([], values=(-2.0, 2.0))
    with refused("expected frames of the same latents at 3 values in each world, got [('fashion', (4, 3), 2)]"):
        traversal_grid([traversed("fashion", 0, [1.0, 2.0])], values=(-2.0, 0.0, 2.0))


# ---- all of them


@pytest.fixture
def draws(probed, information, factors):
    return [
        lambda: probe_curves(probed, worlds=WORLDS, batches=40),
        lambda: latent_use(information, steps=STEPS, worlds=WORLDS),
        lambda: ablation_chart(ROWS, paper={("sda", False): (-5.4, 3.0)}),
        lambda: inference_grid({"there and back": inferred()}),
        mixed,
        lambda: factor_curves(factors, openings=OPENINGS, batches=40),
        lambda: traversal_grid(TRAVERSED, values=(-2.0, 0.0, 2.0)),
    ]


def test_figures_give_the_same_bytes_without_a_warning_and_leave_no_trace(draws):
    before = dict(mpl.rcParams)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for draw in draws:
            figure = draw()
            assert to_hex(figure.get_facecolor()) == PAPER
            assert png(figure) == png(figure) == png(draw())
    assert dict(mpl.rcParams) == before
