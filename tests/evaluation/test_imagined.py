"""Imagined: frames belong to the recipe, the best of each kind come first, and the sheet shows them in that order."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from perma_agent.continual import EnvironmentRecord
from perma_agent.errors import FrameError
from perma_agent.evaluation.imagined import imagine_from_frames
from perma_agent.evaluation.report import imagined_frames as module
from perma_agent.imagination.configurations import KINDS
from perma_agent.imagination.imagination_config import ImaginationConfig
from perma_agent.imagination.worldview import Worldview
from perma_agent.models import VASE, VASEConfig


@pytest.fixture
def view() -> Worldview:
    """An untrained VASE that has been in two environments; the second used its last latent, the first masked it."""
    torch.manual_seed(0)
    model = VASE(VASEConfig(channels=1, image_size=16, filters=(8, 8), hidden=16, latents=3, likelihood="bernoulli"))
    for name, weights in model.named_parameters():
        if "mean" in name and weights.ndim == 2:
            torch.nn.init.normal_(weights, std=2.0)
    here, there = EnvironmentRecord.new(3), EnvironmentRecord.new(3)
    here.mask = here.used = here.compared = torch.tensor([True, True, False])
    there.used = there.compared = torch.tensor([True, True, True])
    here.settled = there.settled = True
    return Worldview(model=model.eval(), records=(here, there), environment=0, step=1)


@pytest.fixture
def frames(rng: np.random.Generator) -> np.ndarray:
    return rng.integers(0, 256, size=(60, 1, 16, 16)).astype(np.uint8)


def test_frames_are_those_of_the_recipe(view: Worldview, frames: np.ndarray) -> None:
    config = ImaginationConfig(environment=0, least_plausible=0.0)
    imagined = imagine_from_frames(view, frames, rows=8, config=config)
    assert len(imagined) == 8 and set(imagined.kinds) == set(KINDS)
    assert 0 <= imagined.comes_back <= 1
    codes = view.encode(frames)[0]
    known = {frame.tobytes(): index for index, frame in enumerate(frames)}
    for row, kind in enumerate(imagined.kinds):
        base = known[imagined.base[row].tobytes()]
        expected = view.draw(codes[base : base + 1], np.array([0]))[0]
        assert np.abs(imagined.reconstruction[row].astype(int) - expected).max() <= 1
        if kind == "elsewhere":  # drawn from the other one's record: there is no frame of it
            assert (imagined.donor[row] == 255).all() and imagined.sources[row] == 1
            assert imagined.replaced[row] == (2,)
        else:
            donor = known[imagined.donor[row].tobytes()]
            assert (donor == base) is (kind == "whole") or kind != "whole"
    assert [KINDS.index(kind) for kind in imagined.kinds] == sorted(KINDS.index(kind) for kind in imagined.kinds)


def test_the_sheet_has_a_row_for_each(view: Worldview, frames: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    imagined = imagine_from_frames(view, frames, rows=3, config=ImaginationConfig(environment=0, least_plausible=0.0))
    shown: list[np.ndarray] = []
    sheet = module.Sheet
    monkeypatch.setattr(module, "Sheet", lambda blocks, **options: shown.extend(blocks) or sheet(blocks, **options))
    figure = module.imagined_frames(imagined)
    assert shown[0].shape == (3, 4, 1, 16, 16)
    assert (shown[0][:, 2] == imagined.drawn).all() and (shown[0][:, 0] == imagined.base).all()
    (axes,) = figure.axes
    assert [label.get_text() for label in axes.get_xticklabels()] == list(module.COLUMNS)
    assert all("novel" in label.get_text() for label in axes.get_yticklabels())


def test_too_few_frames_or_none_that_vary_are_refused(view: Worldview, frames: np.ndarray) -> None:
    with pytest.raises(FrameError, match="at least 24 frames"):
        imagine_from_frames(view, frames[:5])
    with pytest.raises(FrameError, match="something plausible can be imagined"):
        imagine_from_frames(view, np.repeat(frames[:1], 40, axis=0))
