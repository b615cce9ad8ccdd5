"""A history is what the learner returned, and survives its file."""

from pathlib import Path

import numpy as np
import pytest
import torch

from perma_agent.continual import Update
from perma_agent.errors import RunFolderError
from perma_agent.evaluation.history import SURPRISED, LearningHistory


def update(step, environment, **metrics) -> Update:
    return Update(
        step=step,
        environment=environment,
        opened=step == 1,
        alpha=torch.tensor([0.1 * step, 2.0]),
        mask=torch.tensor([True, step < 3]),
        metrics=metrics,
    )


@pytest.fixture
def history() -> LearningHistory:
    return LearningHistory.of(
        [update(1, 0, **{"loss/total": 9.0}), update(2, None, **{"environment/error": 5.0}), update(3, 1)]
    )


def test_updates_become_arrays(history):
    np.testing.assert_array_equal(history.steps, [1, 2, 3])
    np.testing.assert_array_equal(history.environments, [0, SURPRISED, 1])
    np.testing.assert_array_equal(history.opened, [True, False, False])
    np.testing.assert_allclose(history.alpha, [[0.1, 2], [0.2, 2], [0.3, 2]], rtol=1e-6)
    np.testing.assert_array_equal(history.mask, [[True, True], [True, True], [True, False]])
    np.testing.assert_array_equal(history.metric("loss/total"), [9.0, np.nan, np.nan])
    np.testing.assert_array_equal(history.metric("environment/error"), [np.nan, 5.0, np.nan])
    assert np.isnan(history.metric("never logged")).all()


def test_it_survives_its_file(history, tmp_path):
    history.write(tmp_path / "history.npz")
    read = LearningHistory.read(tmp_path / "history.npz")
    for name in ("steps", "environments", "opened", "alpha", "mask"):
        before, after = getattr(history, name), getattr(read, name)
        np.testing.assert_array_equal(before, after)
        assert before.dtype == after.dtype
    assert set(read.metrics) == {"loss/total", "environment/error"}
    np.testing.assert_array_equal(read.metric("loss/total"), [9.0, np.nan, np.nan])


def test_missing_truncated_and_foreign_files_are_refused(history, tmp_path):
    path = tmp_path / "history.npz"
    with pytest.raises(RunFolderError, match="no such file"):
        LearningHistory.read(path)
    history.write(path)
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(RunFolderError, match="got another file"):
        LearningHistory.read(path)
    np.savez(path, steps=np.arange(3))
    with pytest.raises(RunFolderError, match="got another file"):
        LearningHistory.read(path)


def test_a_pickle_in_the_file_is_not_run(tmp_path):
    class Trap:
        def __reduce__(self):
            return Path.touch, (tmp_path / "sprung",)

    np.savez(tmp_path / "history.npz", steps=np.array([Trap()], dtype=object))
    with pytest.raises(RunFolderError, match="got another file"):
        LearningHistory.read(tmp_path / "history.npz")
    assert not (tmp_path / "sprung").exists()


def test_two_runs_in_one_history_are_refused():
    with pytest.raises(ValueError, match="keep one run in one history"):
        LearningHistory.of([update(1, 0), update(1, 0)])
    with pytest.raises(ValueError, match="got none"):
        LearningHistory.of([])
