"""Persistence: how well a code tells what an object is while nothing of it can be seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from perma_agent.evaluation.disentanglement.tables import checked_codes
from perma_agent.evaluation.recovery import recovery

TEST_SHARE = 1 / 3
"""Of the sequences, to test on."""
FEWEST = 30
"""Frames of each kind that are needed among the sequences learnt from, and among those tested on."""


@dataclass(frozen=True, kw_only=True)
class Persistence:
    """How well what an object is can be read off a code, each of shape `[K]` and on the scale of `recovery`."""

    seen: np.ndarray
    """Frames that show all of it, by a reader that learnt from such frames: the most that memory could keep."""
    hidden: np.ndarray
    """Frames that show none of it, by a reader that learnt from such frames: what the code still knows."""
    same: np.ndarray
    """Frames that show none of it, by the reader that learnt from frames that show all: what the code still says in
    the same way, as if the object were in view. Below 0 where the code now means something else."""
    chance: np.ndarray
    """As `hidden`, where the sequences learnt from have swapped their objects: what there is to read in nothing."""
    frames: tuple[int, int]
    """Frames tested on that show all of it, and none."""


def persistence(
    codes: np.ndarray,
    identity: np.ndarray,
    visible: np.ndarray,
    *,
    continuous: bool | Sequence[bool] = False,
    seed: int = 0,
) -> Persistence:
    """Read what an object is from the codes of frames that show it, and of frames that do not.

    Readers are tested on other sequences than they learnt from. A hidden frame counts only after a frame of its
    sequence that showed all of the object: what was never seen cannot be known.

    Args:
        codes: posterior means along sequences, shape `[B, T, D]`.
        identity: factors that stay throughout a sequence, such as shape and hue, shape `[B, K]`.
        visible: share of the object that is in view, in [0, 1], shape `[B, T]`, or bool; frames in between are left
            out.
        continuous: whether factors are numbers or names; one answer for all, or K of them.
        seed: of the split of the sequences, of the swap and of the readers.

    Raises:
        ValueError: shapes, NaN or infinity, or too few frames of either kind.
    """
    flat, identity, share = _checked(codes, identity, visible)
    kinds = np.broadcast_to(np.asarray(continuous, dtype=bool), identity.shape[1:])
    seen = share >= 1
    hidden = (share <= 0) & np.maximum.accumulate(seen, axis=1)
    order = np.random.default_rng(seed).permutation(len(share))
    tested, learnt = np.split(order, [round(TEST_SHARE * len(share))])
    swapped = identity.copy()
    swapped[learnt] = identity[np.roll(learnt, 1)]  # in random order: every sequence learnt from has another's object

    def read(truth: np.ndarray, learn: np.ndarray, test: np.ndarray) -> np.ndarray:
        columns = np.repeat(truth, share.shape[1], axis=0).T
        told = (
            recovery(flat, c, learn, test, continuous=bool(k), seed=seed) for c, k in zip(columns, kinds, strict=True)
        )
        return np.array(list(told))

    (learn_seen, test_seen), (learn_hidden, test_hidden) = (
        (_places(frames, learnt), _places(frames, tested)) for frames in (seen, hidden)
    )
    return Persistence(
        seen=read(identity, learn_seen, test_seen),
        hidden=read(identity, learn_hidden, test_hidden),
        same=read(identity, learn_seen, test_hidden),
        chance=read(swapped, learn_hidden, test_hidden),
        frames=(len(test_seen), len(test_hidden)),
    )


def _places(frames: np.ndarray, sequences: np.ndarray) -> np.ndarray:
    """Places among all B T frames of those chosen `[B, T]` that belong to some of the sequences."""
    belongs = np.zeros((len(frames), 1), dtype=bool)
    belongs[sequences] = True
    places = np.flatnonzero(frames & belongs)
    if len(places) < FEWEST:
        raise ValueError(
            f"expected at least {FEWEST} frames that show all of the object, and as many that show none of it after "
            f"one that did, among the sequences to learn from and to test on, got {len(places)}; bring more or "
            "longer sequences"
        )
    return places


def _checked(codes: np.ndarray, identity: np.ndarray, visible: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Codes `[B T, D]`, identity `[B, K]` and shares `[B, T]`, all finite."""
    codes, identity, share = (np.asarray(values, dtype=np.float64) for values in (codes, identity, visible))
    if codes.ndim != 3 or identity.ndim != 2 or share.shape != codes.shape[:2] or len(identity) != len(codes):
        raise ValueError(
            f"expected codes [B, T, D], identity [B, K] and visible [B, T], got {codes.shape}, {identity.shape} and "
            f"{share.shape}; identity is one row a sequence"
        )
    if not (np.isfinite(identity).all() and ((share >= 0) & (share <= 1)).all()):
        raise ValueError("expected finite identity and visible as shares from 0 to 1, got others")
    return checked_codes(codes.reshape(-1, codes.shape[2])), identity, share
