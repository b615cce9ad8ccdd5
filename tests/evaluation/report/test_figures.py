"""Figures show the numbers they were given: lines, bars, pixels and texts are read back from matplotlib's objects."""

import io
import subprocess
import sys

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.colors import to_hex
from PIL import Image

from perma_agent.continual import LatentMaskConfig
from perma_agent.errors import FrameError
from perma_agent.evaluation.history import LearningHistory, World
from perma_agent.evaluation.policies import EpisodeStatistics
from perma_agent.evaluation.report.atypicality import atypicality_lines, atypicality_map
from perma_agent.evaluation.report.environments import environments_over_time
from perma_agent.evaluation.report.frame_sheets import GAP
from perma_agent.evaluation.report.learning_curves import LearningCurve, learning_curves, stage_seconds
from perma_agent.evaluation.report.losses import loss_curves
from perma_agent.evaluation.report.reconstructions import cross_domain_sheet, reconstruction_sheet, traversal_sheet
from perma_agent.evaluation.report.style import ENVIRONMENTS, environment_colour, png, smoothed
from perma_agent.evaluation.report.success_matrix import success_matrix
from perma_agent.evaluation.statistics import Estimate
from perma_agent.evaluation.traversals import CrossDomain

WORLDS = (World(name="indoor", start=1), World(name="outdoor", start=7))
#                         1  2  3  4  5  6 |  7   8  9 10
ENVIRONMENT_OF_BATCH = [0, 0, 0, 0, 0, 0, -1, -1, 1, 1]
ERROR = [np.nan, np.nan, 5.0, 5.0, 5.0, 5.0, 30.0, 31.0, np.nan, np.nan]


@pytest.fixture
def history() -> LearningHistory:
    alpha = np.full((10, 3), 0.02, dtype=np.float32)
    alpha[6:, 1] = 2.0
    mask = np.ones((10, 3), dtype=bool)
    mask[8:, 1] = False
    return LearningHistory(
        steps=np.arange(1, 11),
        environments=np.array(ENVIRONMENT_OF_BATCH),
        opened=np.isin(np.arange(10), [0, 8]),
        alpha=alpha,
        mask=mask,
        metrics={
            "environment/error": np.array(ERROR),
            "environment/limit": np.where(np.isnan(ERROR), np.nan, 10.0),
            "loss/reconstruction": np.linspace(9.0, 1.0, 10),
            "loss/permanence": np.linspace(2.0, 1.0, 10),
            "loss/total": np.linspace(9.0, 1.0, 10),
            "capacity/used": np.linspace(0.0, 9.0, 10),
            "capacity/granted": np.linspace(0.0, 10.0, 10),
        },
    )


def line(axes, label):
    return next(line for line in axes.lines if line.get_label() == label)


def switches(axes):
    return [
        line.get_xdata()[0] for line in axes.lines if len(set(line.get_xdata())) == 1 and len(line.get_xdata()) == 2
    ]


def test_environments_are_bars_in_their_own_colour_with_the_true_switch_between_the_batches(history):
    truth, inferred, error = environments_over_time(history, worlds=WORLDS).axes
    assert [text.get_text() for text in truth.texts] == ["indoor", "outdoor"]
    assert switches(inferred) == switches(error) == [6.5]
    bars = [(bar.get_paths()[0].get_extents(), to_hex(bar.get_facecolor()[0])) for bar in inferred.collections]
    assert [(extents.x0, extents.x1, colour) for extents, colour in bars] == [
        (0.5, 6.5, ENVIRONMENTS[0]),
        (8.5, 10.5, ENVIRONMENTS[1]),
    ]
    assert [round(extents.y0 + 0.32) for extents, _ in bars] == [0, 1]
    ticks = next(line for line in inferred.lines if line.get_marker() == "|")
    np.testing.assert_array_equal(ticks.get_xdata(), [7, 8])
    openings = next(line for line in inferred.lines if line.get_marker() == "o")
    np.testing.assert_array_equal(np.stack(openings.get_data()), [[1, 9], [0, 1]])


def test_errors_stand_under_their_environment_beside_the_limit(history):
    error = environments_over_time(history, worlds=WORLDS).axes[2]
    np.testing.assert_array_equal(line(error, "surprising").get_ydata(), [30, 31])
    np.testing.assert_array_equal(line(error, "environment 0").get_ydata(), ERROR[:6])
    assert to_hex(line(error, "environment 1").get_color()) == ENVIRONMENTS[1]
    np.testing.assert_array_equal(line(error, "limit").get_ydata()[2:8], [10.0] * 6)
    assert error.get_yscale() == "log"


def test_a_history_without_errors_can_be_drawn(history):
    bare = LearningHistory(**{**vars(history), "metrics": {}})
    assert environments_over_time(bare, worlds=WORLDS[:1]).axes[2].get_yscale() == "linear"
    assert png(loss_curves(bare))[:4] == b"\x89PNG"


def test_environments_keep_their_colour_and_begin_again_after_the_last():
    assert environment_colour(0) == environment_colour(len(ENVIRONMENTS)) == ENVIRONMENTS[0]
    assert len(set(ENVIRONMENTS)) == len(ENVIRONMENTS)


def test_atypicality_lines_name_the_masked_latent_and_show_the_band(history):
    axes = atypicality_lines(history, worlds=WORLDS, thresholds=LatentMaskConfig(threshold=0.5, hysteresis=0.1)).axes[0]
    named = [line for line in axes.lines if line.get_label().startswith("z")]
    assert [line.get_label() for line in named] == ["z1"]
    np.testing.assert_allclose(named[0].get_ydata(), [0.02] * 6 + [2.0] * 4, rtol=1e-6)
    band = axes.patches[0].get_extents().transformed(axes.transData.inverted())
    np.testing.assert_allclose([band.y0, band.y1], [0.4, 0.6], rtol=1e-6)
    assert 0.5 in [line.get_ydata()[0] for line in axes.lines]
    assert switches(axes) == [6.5]


def test_masked_latents_are_named_before_those_that_only_moved(history):
    history.alpha[::2, 0] = 2.0  # z0 spends half its time beyond λ, but only z1 is ever masked; z2 stays below
    axes = atypicality_lines(history, worlds=WORLDS).axes[0]
    assert [line.get_label() for line in axes.lines if line.get_label().startswith("z")] == ["z1", "z0"]


def test_atypicality_map_has_a_row_a_latent_and_colours_around_lambda(history):
    above, below, *_ = atypicality_map(history, worlds=WORLDS).axes
    image, masked = above.images[0], below.images[0]
    np.testing.assert_allclose(image.get_array(), history.alpha.T, rtol=1e-6)
    np.testing.assert_array_equal(masked.get_array().astype(bool), ~history.mask.T)
    assert image.norm(0.6) == pytest.approx(0.5)  # λ is the middle of the colours
    assert list(image.get_extent()) == [0.5, 10.5, 2.5, -0.5]


def test_long_histories_are_averaged_into_columns(history):
    batches = 1801
    long = LearningHistory(
        steps=np.arange(1, batches + 1),
        environments=np.zeros(batches, dtype=int),
        opened=np.zeros(batches, dtype=bool),
        alpha=np.arange(batches, dtype=np.float32)[:, None],
        mask=np.ones((batches, 1), dtype=bool),
        metrics={},
    )
    columns = np.asarray(atypicality_map(long, worlds=WORLDS[:1]).axes[0].images[0].get_array())
    assert columns.shape == (1, 600)
    assert columns[0, 0] == 1.0  # of 0, 1, 2


def test_running_means_look_back_only_and_pass_over_what_is_missing():
    values = np.array([0.0, 0.0, np.nan, 6.0])
    np.testing.assert_allclose(smoothed(values, parts=2), [0, 0, np.nan, 6])
    np.testing.assert_allclose(smoothed(values, parts=1), [0, 0, np.nan, 2])
    np.testing.assert_allclose(smoothed(values, parts=100), values)


def shown(axes):
    return np.asarray(axes.images[0].get_array())


def test_reconstructions_stand_right_of_their_originals():
    rng = np.random.default_rng(0)
    originals, redrawn = (rng.integers(0, 256, (4, 3, 8, 8), dtype=np.uint8) for _ in range(2))
    figure = reconstruction_sheet(
        {"indoor": (originals, redrawn), "outdoor": (redrawn, originals)}, environments=[0, 1]
    )
    canvas = shown(figure.axes[0])
    cell = 8 + GAP
    assert canvas.shape == (4 * cell, 2 * cell, 3)
    edge = GAP // 2
    np.testing.assert_array_equal(
        canvas[2 * cell + edge : 3 * cell - edge, edge : cell - edge], originals[2].transpose(1, 2, 0)
    )
    np.testing.assert_array_equal(
        canvas[2 * cell + edge : 3 * cell - edge, cell + edge : -edge], redrawn[2].transpose(1, 2, 0)
    )
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["indoor\nenvironment 0", "outdoor\nenvironment 1"]
    assert [label.get_text() for label in figure.axes[1].get_xticklabels()] == ["original", "reconstruction"]


def test_pixels_of_a_frame_are_whole_pixels_of_the_saved_figure():
    frames = np.random.default_rng(0).integers(0, 256, (2, 3, 1, 32, 32), dtype=np.uint8)
    figure = traversal_sheet(frames, values=(-1.0, 0.0, 1.0), information=np.array([2.0, 1.0]), environment=0)
    saved = np.asarray(Image.open(io.BytesIO(png(figure))).convert("L"))
    scale = 128 // 32
    side = (32 + GAP) * scale
    left, bottom = saved.shape[1] - 15 - 3 * side, saved.shape[0] - 15 - 2 * side  # a margin of 0.1 inches
    edge = GAP // 2 * scale
    found = saved[bottom + edge : bottom + edge + 32 * scale, left + edge : left + edge + 32 * scale]
    np.testing.assert_array_equal(found, np.kron(frames[0, 0, 0], np.ones((scale, scale), dtype=np.uint8)))


def test_traversals_are_sorted_by_information_and_masked_ones_named():
    frames = np.stack([np.full((3, 1, 4, 4), 10 * latent, dtype=np.uint8) for latent in range(5)])
    information = np.array([0.5, 3.0, 0.0, 2.0, 0.0])
    figure = traversal_sheet(
        frames, values=(-2.0, 0.0, 2.0), information=information, environment=1, masked=np.arange(5) == 2, rows=4
    )
    axes = figure.axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == [
        "z1  3.0 nats",
        "z3  2.0 nats",
        "z0  0.5 nats",
        "z2  masked",
    ]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["-2.0", "0", "+2.0"]
    assert [int(shown(axes)[row * (4 + GAP) + 2, 2, 0]) for row in range(4)] == [10, 30, 0, 20]
    with pytest.raises(ValueError, match="one row of frames for each of 5 latents"):
        traversal_sheet(frames[:4], values=(-2.0, 0.0, 2.0), information=information, environment=1)


def test_cross_domain_columns_go_from_home_abroad_and_back():
    parts = [np.full((2, 1, 4, 4), value, dtype=np.uint8) for value in (10, 20, 30, 40)]
    carried = CrossDomain(frames=parts[0], at_home=parts[1], abroad=parts[2], back=parts[3])
    figure = cross_domain_sheet([carried, carried], names=["a → b", "b → a"], environments=[(0, 1), (1, 0)])
    assert [int(shown(figure.axes[0])[2, column * (4 + GAP) + 2, 0]) for column in range(4)] == [10, 20, 30, 40]
    assert [label.get_text() for label in figure.axes[1].get_xticklabels()] == ["frame", "as 1", "as 0", "back as 1"]


def test_sheets_refuse_what_are_no_frames():
    with pytest.raises(FrameError, match="uint8"):
        reconstruction_sheet({"a": (np.zeros((2, 3, 8, 8)), np.zeros((2, 3, 8, 8)))})
    small, large = (np.zeros((2, 3, size, size), dtype=np.uint8) for size in (8, 16))
    with pytest.raises(ValueError, match="frames of one size"):
        reconstruction_sheet({"a": (small, small), "b": (large, large)})
    with pytest.raises(ValueError, match="none of these 0"):
        reconstruction_sheet({"a": (small[:0], small[:0])})


def episodes(successes, reported=True) -> EpisodeStatistics:
    flags = np.array(successes, dtype=bool)
    return EpisodeStatistics(returns=flags * 2.0, lengths=np.full(len(flags), 5), successes=flags, reported=reported)


def test_learning_curves_stand_beside_the_random_policy():
    curve = LearningCurve(
        steps=np.array([10, 20]),
        returns=(Estimate(value=1, low=0, high=2, n=3), Estimate(value=3, low=2, high=4, n=3)),
        successes=(Estimate.exact(0.25), Estimate.exact(0.5)),
    )
    figure = learning_curves({"VASE": curve}, random=episodes([1, 0, 0, 0]), level="maze")
    returned, succeeded = figure.axes
    np.testing.assert_array_equal(np.stack(line(returned, "VASE").get_data()), [[10, 20], [1, 3]])
    np.testing.assert_array_equal(line(succeeded, "VASE").get_ydata(), [0.25, 0.5])
    assert line(returned, "random policy").get_ydata()[0] == 0.5
    assert line(succeeded, "random policy").get_ydata()[0] == 0.25
    band = returned.collections[0].get_paths()[0].get_extents()
    assert (band.x0, band.x1, band.y0, band.y1) == (10, 20, 0, 4)
    assert returned.get_title(loc="left") == "maze"


def test_a_curve_of_training_episodes_by_hand():
    # Four stretches of 25 steps; none ends in the third. Success rates 1/2, 1 and 0.
    curve = LearningCurve.of_episodes(
        np.array([10, 25, 26, 100]),
        np.array([1.0, 3.0, 5.0, 7.0]),
        np.array([True, False, True, False]),
        moments=4,
        rng=np.random.default_rng(0),
    )
    np.testing.assert_array_equal(curve.steps, [25, 50, 100])
    assert [estimate.value for estimate in curve.returns] == [2, 5, 7]
    assert [(estimate.value, estimate.n) for estimate in curve.successes] == [(0.5, 2), (1, 1), (0, 1)]
    assert curve.successes[1].low == pytest.approx(0.2065, abs=1e-4)  # Wilson of 1 of 1: 1 / (1 + z²)
    with pytest.raises(ValueError, match="as many ends"):
        LearningCurve.of_episodes(np.zeros(0), np.zeros(0), np.zeros(0), rng=np.random.default_rng(0))


def test_a_curve_over_seeds_by_hand():
    curve = LearningCurve.over_seeds(
        np.array([1, 2]),
        np.array([[0.0, 2.0], [1.0, 2.0]]),
        np.array([[0.0, 1.0], [0.0, 1.0]]),
        rng=np.random.default_rng(0),
    )
    assert curve.returns[0] == Estimate(value=0.5, low=0, high=1, n=2)
    assert curve.returns[1] == Estimate(value=2, low=2, high=2, n=2)
    assert [estimate.value for estimate in curve.successes] == [0, 1]
    with pytest.raises(ValueError, match="one return and one success rate a moment"):
        LearningCurve(steps=np.array([1]), returns=curve.returns, successes=curve.successes)


def test_stage_seconds_are_bars_with_their_share():
    axes = stage_seconds({"record": 30.0, "pretrain": 90.0}).axes[0]
    assert [bar.get_width() for bar in axes.patches] == [30, 90]
    assert [text.get_text() for text in axes.texts] == ["30.0 s  (25%)", "90.0 s  (75%)"]
    assert axes.get_title(loc="left") == "120 s in all"


def test_success_matrix_gives_rate_count_and_interval_in_each_cell():
    figure = success_matrix(
        {
            "trained": {"indoor": episodes([1] * 10), "outdoor": episodes([1] * 5 + [0] * 5)},
            "random": {"indoor": episodes([0] * 10), "outdoor": episodes([0] * 10, reported=False)},
        }
    )
    axes = figure.axes[0]
    texts = [text.get_text() for text in axes.texts]
    assert texts == [
        "100%",
        "10 of 10   [72%, 100%]",
        "50%",
        "5 of 10   [24%, 76%]",
        "0%",
        "0 of 10   [0%, 28%]",
        "0%",
        "0 of 10*   [0%, 28%]",
    ]
    np.testing.assert_array_equal(axes.images[0].get_array(), [[1, 0.5], [0, 0]])
    assert [label.get_text() for label in axes.get_yticklabels()] == ["trained", "random"]
    assert axes.get_xlabel().startswith("*")
    with pytest.raises(ValueError, match="expected every policy on"):
        success_matrix({"trained": {"indoor": episodes([1])}, "random": {"outdoor": episodes([1])}})


def test_losses_have_a_panel_a_term_and_the_information_above(history):
    information, *terms = loss_curves(history, worlds=WORLDS).axes
    assert [axes.get_title(loc="left") for axes in terms] == ["reconstruction", "permanence"]
    np.testing.assert_array_equal(line(information, "used").get_ydata(), history.metric("capacity/used"))
    np.testing.assert_array_equal(line(information, "granted").get_ydata(), history.metric("capacity/granted"))
    np.testing.assert_array_equal(terms[0].lines[0].get_ydata(), history.metric("loss/reconstruction"))
    assert [switches(axes) for axes in (information, *terms)] == [[6.5]] * 3


def test_figures_leave_no_trace_in_matplotlib(history):
    before = dict(mpl.rcParams)
    png(environments_over_time(history, worlds=WORLDS))
    assert dict(mpl.rcParams) == before


@pytest.mark.parametrize("draw", [environments_over_time, atypicality_lines, atypicality_map, loss_curves])
def test_the_same_data_and_the_same_figure_give_the_same_bytes(history, draw):
    figure = draw(history, worlds=WORLDS)
    assert png(figure) == png(figure) == png(draw(history, worlds=WORLDS))


def test_the_report_needs_neither_pyplot_nor_a_policy_library():
    check = (
        "import sys, perma_agent.evaluation.report\n"
        "loaded = {'matplotlib.pyplot', 'stable_baselines3', 'tkinter'} & set(sys.modules)\n"
        "sys.exit(', '.join(loaded) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
