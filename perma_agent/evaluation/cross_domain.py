"""Cross-domain reconstruction in numbers: what of a frame is kept when it is decoded as another world (figure 4B)."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace

import numpy as np
from sklearn.decomposition import PCA
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline, make_pipeline

from perma_agent.errors import FrameError
from perma_agent.evaluation.object_position import object_positions
from perma_agent.evaluation.probes import ProbeConfig, accuracy

PIXEL_PROBE = ProbeConfig(hidden=(64,), epochs=20, learning_rate=1e-3)
"""The network that reads pixels."""
COMPONENTS = 64
"""Principal components of the pixels that it sees."""


@dataclass(frozen=True, kw_only=True)
class PositionError:
    """How far apart the objects of frames and of what was drawn from them stand, in pixels."""

    mean: float
    """Mean distance over the frames in which both have an object; NaN where there are none."""
    median: float
    """Its median, which a few bad drawings do not move."""
    chance: float
    """Mean distance between objects of different frames: the error if the drawings were shuffled."""
    centred: float
    """Mean distance of the frames' objects from the mean place: the error if all were drawn there."""
    found: float
    """Share of frames in which both have an object."""


@dataclass(frozen=True, kw_only=True)
class ClassKept:
    """How often one classifier, of the target world's real frames, tells the right class; all in [0, 1]."""

    abroad: float
    """Of the source's frames decoded as the target: the result."""
    at_home: float
    """Of the target's own frames decoded as the target: what could be hoped for."""
    real: float
    """Of the target's real frames that it did not learn from: how good the classifier is."""
    untranslated: float
    """Of the source's frames as they are: what a decoder that copies them would get."""
    chance: float
    """Share of the source's most frequent class."""


def position_error_pixels(frames: np.ndarray, drawn: np.ndarray) -> PositionError:
    """Compare where the object stands in each frame with where it stands in what was drawn from it.

        error = mean over frames of ‖p(x) - p(x̂)‖₂,   p the middle of the object's silhouette (`object_positions`)

    Two objects at one place have middles a pixel or so apart if their shapes differ, so this does not reach 0 between
    worlds; compare it with that of `at_home` reconstructions, and with the error of `object_positions` itself where
    places are known.

    Args:
        frames: uint8, shape `[B, C, H, W]`, B of at least 2, each of one object before a plain background.
        drawn: of the same shape, the n-th drawn from the n-th.

    Raises:
        FrameError: these are no frames, or not as many.
    """
    if len(frames) != len(drawn) or len(frames) < 2:
        raise FrameError(f"expected a drawing of each of at least 2 frames, got {len(frames)} and {len(drawn)}")
    stood, stands = object_positions(frames), object_positions(drawn)
    found = np.isfinite(stood).all(axis=1) & np.isfinite(stands).all(axis=1)
    stood, stands = stood[found], stands[found]
    if not len(stood):
        return PositionError(mean=np.nan, median=np.nan, chance=np.nan, centred=np.nan, found=0.0)
    own = np.linalg.norm(stood - stands, axis=1)
    every = np.linalg.norm(stood[:, None] - stands[None], axis=2)
    others = ~np.eye(len(stood), dtype=bool)
    return PositionError(
        mean=float(own.mean()),
        median=float(np.median(own)),
        chance=float(every[others].mean()) if len(stood) > 1 else np.nan,
        centred=float(np.linalg.norm(stood - stood.mean(axis=0), axis=1).mean()),
        found=float(found.mean()),
    )


def class_kept(
    classifier: Pipeline,
    *,
    abroad: np.ndarray,
    source: np.ndarray,
    source_labels: np.ndarray,
    at_home: np.ndarray,
    target: np.ndarray,
    target_labels: np.ndarray,
) -> ClassKept:
    """Ask a classifier of the target world what it sees in the source's frames decoded as the target.

    Args:
        classifier: `train_pixel_classifier` of the target's training frames.
        abroad: the source's frames decoded as the target (`CrossDomain.abroad`), uint8 `[B, C, H, W]`.
        source: those frames, of the same shape.
        source_labels: their classes, int64 `[B]`.
        at_home: frames of the target decoded as the target (`reconstruct`), uint8 `[B', C, H, W]`.
        target: those frames, none of which the classifier learnt from.
        target_labels: their classes, int64 `[B']`.

    Raises:
        FrameError: not as many frames as labels.
    """
    for frames, labels in ((abroad, source_labels), (source, source_labels), (at_home, target_labels)):
        if len(frames) != len(labels):
            raise FrameError(f"expected a label of each frame, got {len(frames)} frames and {len(labels)} labels")
    return ClassKept(
        abroad=accuracy(classifier, pixels(abroad), source_labels),
        at_home=accuracy(classifier, pixels(at_home), target_labels),
        real=accuracy(classifier, pixels(target), target_labels),
        untranslated=accuracy(classifier, pixels(source), source_labels),
        chance=float(np.unique_counts(source_labels).counts.max() / len(source_labels)),
    )


def train_pixel_classifier(frames: np.ndarray, labels: np.ndarray, *, config: ProbeConfig = PIXEL_PROBE) -> Pipeline:
    """A small network that tells labels from `pixels(frames)`; deterministic.

    It sees the frames' principal components only: a reconstruction is grey where real frames hardly ever are, and a
    network of the pixels themselves would take that in with weights which it never had a reason to lower.

    Args:
        frames: real frames to learn from, uint8, shape `[N, C, H, W]`.
        labels: int64, shape `[N]`, of at least two classes.
        config: size and budget.

    Raises:
        FrameError: not as many frames as labels, or all of one class.
    """
    if len(frames) != len(labels) or len(np.unique(labels)) < 2:
        raise FrameError(
            f"expected a label of each frame and at least 2 classes, got {len(frames)} frames and "
            f"{len(labels)} labels of {len(np.unique(labels))} classes"
        )
    config = replace(config, batch=min(config.batch, len(frames)))
    network = MLPClassifier(
        hidden_layer_sizes=config.hidden,
        max_iter=config.epochs,
        n_iter_no_change=config.epochs + 1,
        batch_size=config.batch,
        learning_rate_init=config.learning_rate,
        random_state=config.seed,
    )
    most = min(COMPONENTS, frames[0].size, len(frames))
    components = PCA(n_components=most, svd_solver="randomized", random_state=config.seed)
    classifier = make_pipeline(components, network)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # the budget is fixed on purpose
        classifier.fit(pixels(frames), labels)
    return classifier


def pixels(frames: np.ndarray) -> np.ndarray:
    """Frames as a classifier takes them, float32 in [0, 1], shape `[B, C·H·W]`."""
    flat: np.ndarray = frames.reshape(len(frames), -1).astype(np.float32) / 255
    return flat
